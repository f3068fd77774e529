import { InvalidEventError, InvalidRequestError, isEddyError, RequestTooLargeError } from '@eddy/core'
import { parseJson, tryParseJson } from '../http/parse-json.ts'
import { isTooDeep, MAX_DEPTH } from './nesting.ts'
import { splitLines } from './split-lines.ts'

/** One value of a request body as what it stands for, or why it is none. */
export type Parsed<T> =
  | { readonly ok: true; readonly event: T }
  | { readonly ok: false; readonly message: string }

export interface BodyOptions {
  /** `lines`: newline-delimited JSON. `json`: one value, or an array of them. */
  readonly format: 'json' | 'lines'
  readonly maxRecords: number
}

/**
 * The values of a request body, in order. A bad line or element fails alone, in its place; blank lines are no records.
 *
 * @throws InvalidRequestError (EDDY_INVALID_REQUEST) for a JSON body that is not JSON, and for a body without records
 * @throws RequestTooLargeError (EDDY_REQUEST_TOO_LARGE) for more than `maxRecords`
 */
export function parseBody<T>(
  body: Uint8Array,
  options: BodyOptions,
  convert: (value: unknown) => T,
): readonly Parsed<T>[] {
  const records =
    options.format === 'lines' ? fromLines(body, options, convert) : fromJson(body, options, convert)
  if (records.length === 0) throw new InvalidRequestError('the body holds no record')
  return records
}

function fromLines<T>(
  body: Uint8Array,
  { maxRecords }: BodyOptions,
  convert: (value: unknown) => T,
): readonly Parsed<T>[] {
  const lines = splitLines(body, maxRecords + 1)
  if (lines.length > maxRecords) throw tooMany('more than', maxRecords)
  return lines.map((line, index) => parseLine(line, `record ${index + 1}`, convert))
}

/**
 * One line of newline-delimited JSON as what it stands for, or why it is none.
 * @param what - names the line in the message
 */
export function parseLine<T>(line: Uint8Array, what: string, convert: (value: unknown) => T): Parsed<T> {
  return attempt(() => {
    const parsed = tryParseJson(line)
    if (!parsed.ok) throw new InvalidEventError(`${what} ${parsed.problem}`)
    return converted(parsed.value, line.byteLength, convert)
  })
}

function fromJson<T>(
  body: Uint8Array,
  { maxRecords }: BodyOptions,
  convert: (value: unknown) => T,
): readonly Parsed<T>[] {
  const value = parseJson(body, 'the body')
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length > maxRecords) throw tooMany(`${values.length} records are over`, maxRecords)
  return values.map((element) => attempt(() => converted(element, body.byteLength, convert)))
}

function converted<T>(value: unknown, bytes: number, convert: (value: unknown) => T): T {
  if (isTooDeep(value, bytes)) throw new InvalidEventError(`it is nested deeper than ${MAX_DEPTH} levels`)
  return convert(value)
}

function attempt<T>(parse: () => T): Parsed<T> {
  try {
    return { ok: true, event: parse() }
  } catch (error) {
    if (isEddyError(error)) return { ok: false, message: error.message }
    throw error
  }
}

function tooMany(what: string, maxRecords: number): RequestTooLargeError {
  return new RequestTooLargeError(
    `${what} the ${maxRecords} records a request may hold. Split it into several requests; \`eddy put\` does that by itself.`,
    { maxRecords },
  )
}
