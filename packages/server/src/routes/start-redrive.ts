import { defined, flag, integer } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import { flag as flagSchema, integer as integerSchema, json, object, ref } from '../openapi/schema.ts'
import type { Call } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { isDryRun } from './dry-run.ts'
import { bodyFilter } from './failure-filter.ts'

const MAX_RATE = 100_000
const MAX_LIMIT = 10_000_000

export const startDoc: RouteDoc = {
  id: 'startRedrive',
  tag: 'redrives',
  summary: 'Send failed events to their handlers again',
  description:
    'A job over the events that match now: it survives a restart, tells its progress and can be cancelled. With `dryRun` it is only planned.',
  body: {
    required: true,
    content: {
      'application/json': {
        schema: object(
          {
            filter: ref('FailureFilter'),
            'ratePerSecond?': integerSchema('Events a second.', {
              minimum: 1,
              maximum: MAX_RATE,
              default: 100,
            }),
            'allowOutOfOrder?': flagSchema('Agree that events run after later ones of their key.'),
            'limit?': integerSchema('At most this many, oldest first.', { minimum: 1, maximum: MAX_LIMIT }),
            'dryRun?': flagSchema('Plan only.'),
            ...actionSchema,
          },
          { closed: true },
        ),
        example: { filter: { subscription: 'billing', status: 'dead' }, ratePerSecond: 50, by: 'ada' },
      },
    },
  },
  responses: {
    200: json('With `dryRun`: the plan.', ref('RedrivePlan')),
    202: json('The job, under way.', ref('RedriveJob')),
  },
  problems: [404, 409],
}

export async function startRedrive(call: Call): Promise<Response> {
  const fields = ['filter', 'ratePerSecond', 'allowOutOfOrder', 'limit', 'dryRun', ...ACTION_FIELDS]
  const body = await jsonBody(call, fields)
  const filter = bodyFilter(body.filter)
  const options = {
    ...actionOptions(body),
    ...defined({
      ratePerSecond: integer(body, 'ratePerSecond', { min: 1, max: MAX_RATE }),
      allowOutOfOrder: flag(body, 'allowOutOfOrder'),
      limit: integer(body, 'limit', { min: 1, max: MAX_LIMIT }),
    }),
  }
  const { operations } = call.server
  if (isDryRun(call, body, 'startRedrive')) return jsonResponse(await operations.planRedrive(filter, options))
  const job = await operations.startRedrive(filter, options)
  return jsonResponse(job, 202, { location: `/v1/redrives/${encodeURIComponent(job.id)}` })
}
