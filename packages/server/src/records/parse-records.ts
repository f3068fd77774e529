import { InvalidEventError, InvalidRequestError, isEddyError, RequestTooLargeError } from '@eddy/core'
import { parseJson, tryParseJson } from '../http/parse-json.ts'
import { isTooDeep, MAX_DEPTH } from './nesting.ts'
import type { ParsedRecord, RecordOptions } from './parsed-record.ts'
import { splitLines } from './split-lines.ts'
import { toNewEvent } from './to-new-event.ts'

/**
 * The records of a request body, in order. A bad line or element fails alone, in its place; blank lines are no records.
 *
 * @throws InvalidRequestError (EDDY_INVALID_REQUEST) for a JSON body that is not JSON, and for a body without records
 * @throws RequestTooLargeError (EDDY_REQUEST_TOO_LARGE) for more than `maxRecords`
 */
export function parseRecords(body: Uint8Array, options: RecordOptions): readonly ParsedRecord[] {
  const records = options.format === 'lines' ? fromLines(body, options) : fromJson(body, options)
  if (records.length === 0) throw new InvalidRequestError('the body holds no record')
  return records
}

function fromLines(body: Uint8Array, options: RecordOptions): readonly ParsedRecord[] {
  const lines = splitLines(body, options.maxRecords + 1)
  if (lines.length > options.maxRecords) throw tooMany('more than', options.maxRecords)
  return lines.map((line, index) =>
    attempt(() => {
      const parsed = tryParseJson(line)
      if (!parsed.ok) throw new InvalidEventError(`record ${index + 1} ${parsed.problem}`)
      return parsedEvent(parsed.value, line.byteLength, options)
    }),
  )
}

function fromJson(body: Uint8Array, options: RecordOptions): readonly ParsedRecord[] {
  const value = parseJson(body, 'the body')
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length > options.maxRecords)
    throw tooMany(`${values.length} records are over`, options.maxRecords)
  return values.map((element) => attempt(() => parsedEvent(element, body.byteLength, options)))
}

function parsedEvent(value: unknown, bytes: number, options: RecordOptions): ParsedRecord {
  if (isTooDeep(value, bytes)) throw new InvalidEventError(`it is nested deeper than ${MAX_DEPTH} levels`)
  return { ok: true, event: toNewEvent(value, options) }
}

function attempt(parse: () => ParsedRecord): ParsedRecord {
  try {
    return parse()
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
