import { FAILURE_STATUSES, type FailureFilter, type FailureStatus, InvalidOptionError } from '@eddy/core'
import { choice, defined, type Fields, integer, onlyKnown, text } from '../http/fields.ts'
import { isObject } from '../http/json-body.ts'
import { type Query, queryTime } from '../http/query.ts'
import type { ParameterDoc } from '../openapi/route-doc.ts'
import { choice as choiceSchema, text as textSchema } from '../openapi/schema.ts'

const MAX_IDS = 10_000
const BODY_FIELDS = ['subscription', 'status', 'key', 'error', 'fingerprint', 'sinceMs', 'untilMs', 'ids']

export const filterParameters: readonly ParameterDoc[] = [
  parameter('subscription', 'Name of the subscription.'),
  {
    name: 'status',
    in: 'query',
    description: 'Where the event stands.',
    schema: choiceSchema(FAILURE_STATUSES),
    example: 'dead',
  },
  parameter('key', 'Partition key, exact.'),
  parameter('error', 'Error type, exact.'),
  parameter('fingerprint', 'Fingerprint of the last error.'),
  parameter('since', 'In this status since then or later: an ISO time or epoch milliseconds.'),
  parameter('until', 'In this status since then or earlier: an ISO time or epoch milliseconds.'),
]

/** The filter that a query states. */
export function queryFilter(query: Query): FailureFilter {
  return {
    ...namedFields(query),
    ...defined({ sinceMs: queryTime(query, 'since'), untilMs: queryTime(query, 'until') }),
  }
}

/** The filter that a body states. It must be there, so that nobody acts on everything by leaving it out. */
export function bodyFilter(filter: unknown): FailureFilter {
  if (!isObject(filter)) {
    throw new InvalidOptionError('filter', 'an object such as {"subscription": "billing"}', filter)
  }
  onlyKnown(filter, BODY_FIELDS, 'member filter.')
  const time = { min: 0, max: Number.MAX_SAFE_INTEGER }
  return {
    ...namedFields(filter),
    ...defined({
      sinceMs: integer(filter, 'sinceMs', time),
      untilMs: integer(filter, 'untilMs', time),
      ids: idsOf(filter),
    }),
  }
}

function namedFields(fields: Fields): FailureFilter {
  return defined({
    subscription: text(fields, 'subscription'),
    status: choice<FailureStatus>(fields, 'status', FAILURE_STATUSES),
    key: text(fields, 'key'),
    error: text(fields, 'error'),
    fingerprint: text(fields, 'fingerprint'),
  })
}

function idsOf(filter: Fields): readonly string[] | undefined {
  const ids = filter.ids
  if (ids === undefined) return undefined
  const valid =
    Array.isArray(ids) && ids.length <= MAX_IDS && ids.every((id) => typeof id === 'string' && id !== '')
  if (!valid) throw new InvalidOptionError('filter.ids', `an array of up to ${MAX_IDS} ids`, ids)
  return ids as readonly string[]
}

function parameter(name: string, description: string): ParameterDoc {
  return { name, in: 'query', description, schema: textSchema() }
}
