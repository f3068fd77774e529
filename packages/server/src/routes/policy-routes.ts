import type { PolicyChange, PolicyOptions } from '@eddy/core'
import { InvalidOptionError } from '@eddy/core'
import { defined, type Fields, integer } from '../http/fields.ts'
import { isObject, jsonBody } from '../http/json-body.ts'
import { jsonResponse } from '../http/json-response.ts'
import { queryFlag, queryInteger } from '../http/query.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import {
  flag as flagSchema,
  integer as integerSchema,
  json,
  list,
  object,
  ref,
  text as textSchema,
} from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'
import { ACTION_FIELDS, actionOptions, actionSchema } from './action-options.ts'
import { isDryRun } from './dry-run.ts'

const PATH = '/v1/subscriptions/{name}/policy'
const VERSIONS = { min: 0, max: Number.MAX_SAFE_INTEGER }
const FIELDS = ['dryRun', 'expectVersion', ...ACTION_FIELDS]

const DRY_RUN = 'Show the difference, and change nothing.'
const EXPECT = 'The version as it was shown: refused when it is another by now.'
const optionSchema = {
  'dryRun?': flagSchema(DRY_RUN),
  'expectVersion?': integerSchema(EXPECT, { minimum: 0 }),
  ...actionSchema,
}
const CHANGED = { 200: json('What changed, part by part.', ref('PolicyResult')) }

/** The policy of a running subscription. */
export const policyRoutes: readonly Route[] = [
  {
    method: 'get',
    path: PATH,
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'showPolicy',
      tag: 'subscriptions',
      summary: "Show a subscription's policy",
      description: 'Each part with where it comes from, and the last 100 changes, newest first.',
      responses: { 200: json('The policy that counts.', ref('Policy')) },
      problems: [404],
    },
    handle: async ({ server, path }) => jsonResponse(await server.operations.showPolicy(path.name as string)),
  },
  {
    method: 'patch',
    path: PATH,
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: changeDoc(
      'changePolicy',
      'Change parts of the policy',
      'Counts for every later decision, and after a restart. Paths are dotted; first `unset`, then `set`.',
      {
        'set?': object({}, { description: 'Values by path; one inside a part changes that member.' }),
        'unset?': list(textSchema(), {
          description: 'Parts that the application file is to decide again; `failure`, `protect`, `all`.',
        }),
      },
      { set: { 'failure.retry.maxAttempts': 5, 'protect.ratePerSecond': 100 }, by: 'ada' },
    ),
    handle: async (call) => {
      const body = await jsonBody(call, ['set', 'unset', ...FIELDS])
      const change = defined({ set: objectOf(body, 'set'), unset: pathsOf(body) })
      if (Object.keys(change).length === 0)
        throw new InvalidOptionError('the body', 'a member "set" or "unset"', 'neither')
      return await changePolicy(call, change, bodyOptions(call, body, 'changePolicy'))
    },
  },
  {
    method: 'put',
    path: PATH,
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: changeDoc(
      'replacePolicy',
      'Replace all that was changed of the policy',
      'What `policy` does not name, the application file decides.',
      { policy: object({}, { description: 'Parts, nested or by dotted path.' }) },
      { policy: { concurrency: 4, failure: { maxAgeMs: 60_000 } }, by: 'ada' },
    ),
    handle: async (call) => {
      const body = await jsonBody(call, ['policy', ...FIELDS])
      const replace = objectOf(body, 'policy')
      if (replace === undefined) throw new InvalidOptionError('policy', 'an object of its parts', undefined)
      return await changePolicy(call, { replace }, bodyOptions(call, body, 'replacePolicy'))
    },
  },
  {
    method: 'delete',
    path: PATH,
    access: 'token',
    effect: 'changes',
    hasDryRun: true,
    doc: {
      id: 'resetPolicy',
      tag: 'subscriptions',
      summary: 'Go back to the policy of the application file',
      parameters: [
        { name: 'by', in: 'query', description: 'Who asks; kept in the audit list.', schema: textSchema() },
        { name: 'note', in: 'query', description: 'Why.', schema: textSchema() },
        { name: 'dryRun', in: 'query', description: DRY_RUN, schema: flagSchema() },
        {
          name: 'expectVersion',
          in: 'query',
          description: EXPECT,
          schema: integerSchema(undefined, { minimum: 0 }),
        },
      ],
      responses: CHANGED,
      problems: [404, 409],
    },
    handle: async (call) => {
      const { query } = call
      const dryRun = isDryRun(call, { dryRun: queryFlag(query, 'dryRun') }, 'resetPolicy')
      const expectVersion = queryInteger(query, 'expectVersion', VERSIONS)
      const options = { ...actionOptions(query), dryRun, ...defined({ expectVersion }) }
      return await changePolicy(call, { unset: ['all'] }, options)
    },
  },
]

function changeDoc(
  id: string,
  summary: string,
  description: string,
  members: Parameters<typeof object>[0],
  example: object,
): RouteDoc {
  const schema = object({ ...members, ...optionSchema }, { closed: true })
  return {
    id,
    tag: 'subscriptions',
    summary,
    description,
    body: { required: true, content: { 'application/json': { schema, example } } },
    responses: CHANGED,
    problems: [404, 409],
  }
}

async function changePolicy(call: Call, change: PolicyChange, options: PolicyOptions): Promise<Response> {
  const name = call.path.name as string
  return jsonResponse(await call.server.operations.changePolicy(name, change, options))
}

function bodyOptions(call: Call, body: Fields, action: string): PolicyOptions {
  return {
    ...actionOptions(body),
    ...(isDryRun(call, body, action) && { dryRun: true }),
    ...defined({ expectVersion: integer(body, 'expectVersion', VERSIONS) }),
  }
}

function objectOf(body: Fields, name: string): Fields | undefined {
  const value = body[name]
  if (value === undefined || isObject(value)) return value
  throw new InvalidOptionError(name, 'an object', value)
}

function pathsOf(body: Fields): readonly string[] | undefined {
  const { unset } = body
  if (unset === undefined) return undefined
  if (Array.isArray(unset) && unset.every((path) => typeof path === 'string')) return unset
  throw new InvalidOptionError('unset', 'a list of paths', unset)
}
