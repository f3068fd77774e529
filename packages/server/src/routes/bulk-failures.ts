import type { BulkOptions } from '@eddy/core'
import { defined, type Fields, integer } from '../http/fields.ts'
import { jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import { flag as flagSchema, integer as integerSchema, json, object, ref } from '../openapi/schema.ts'
import type { Call } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { isDryRun } from './dry-run.ts'
import { bodyFilter } from './failure-filter.ts'

const MAX_LIMIT = 1_000_000
const FIELDS = ['filter', 'dryRun', 'limit', ...ACTION_FIELDS]

export function bulkDoc(id: string, summary: string, description: string): RouteDoc {
  return {
    id,
    tag: 'failures',
    summary,
    description,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: object(
            {
              filter: ref('FailureFilter'),
              'dryRun?': flagSchema('Count only.'),
              'limit?': integerSchema('At most this many.', { minimum: 1, maximum: MAX_LIMIT }),
              ...actionSchema,
            },
            { closed: true },
          ),
          example: { filter: { subscription: 'billing', fingerprint: 'a1b2c3' }, by: 'ada' },
        },
      },
    },
    responses: { 200: json('How many.', ref('BulkResult')) },
    problems: [404, 409],
  }
}

export async function dropFailures(call: Call): Promise<Response> {
  const body = await jsonBody(call, FIELDS)
  const options = bulkOptions(call, body, 'dropFailures')
  return jsonResponse(await call.server.operations.dropFailures(bodyFilter(body.filter), options))
}

export async function archiveFailures(call: Call): Promise<Response> {
  const body = await jsonBody(call, FIELDS)
  const options = bulkOptions(call, body, 'archiveFailures')
  return jsonResponse(await call.server.operations.archiveFailures(bodyFilter(body.filter), options))
}

function bulkOptions(call: Call, body: Fields, action: string): BulkOptions {
  return {
    ...actionOptions(body),
    ...(isDryRun(call, body, action) && { dryRun: true }),
    ...defined({ limit: integer(body, 'limit', { min: 1, max: MAX_LIMIT }) }),
  }
}
