import { InvalidOptionError, InvalidRequestError } from '@eddy/core'
import { integer, onlyKnown } from './fields.ts'
import { parseTime } from './time.ts'

export type Query = Readonly<Record<string, string>>

/**
 * The query parameters of a request: only known names, each at most once.
 *
 * @throws InvalidOptionError (EDDY_INVALID_OPTION) that names an unknown parameter
 */
export function parseQuery(url: string, known: readonly string[]): Query {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URL(url).searchParams) {
    if (name in query) throw new InvalidRequestError(`query parameter "${name}" is given twice`)
    query[name] = value
  }
  onlyKnown(query, known, 'query parameter ')
  return query
}

export function queryInteger(
  query: Query,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const value = query[name]
  if (value === undefined) return undefined
  return integer({ [name]: /^-?\d{1,15}$/.test(value) ? Number(value) : value }, name, range)
}

export function queryFlag(query: Query, name: string): boolean {
  const value = query[name]
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw new InvalidOptionError(name, 'true or false', value)
}

/** Epoch milliseconds of an ISO 8601 time or of epoch milliseconds. */
export function queryTime(query: Query, name: string): number | undefined {
  const value = query[name]
  if (value === undefined) return undefined
  const timeMs = parseTime(value)
  if (timeMs === undefined) {
    throw new InvalidOptionError(name, 'epoch milliseconds, or a time such as 2026-01-31T12:00:00Z', value)
  }
  return timeMs
}
