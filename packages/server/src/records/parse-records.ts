import { parseBody } from './parse-body.ts'
import type { ParsedRecord, RecordOptions } from './parsed-record.ts'
import { toNewEvent } from './to-new-event.ts'

/**
 * The events of a request body, in order.
 * @throws InvalidRequestError, RequestTooLargeError as `parseBody`
 */
export function parseRecords(body: Uint8Array, options: RecordOptions): readonly ParsedRecord[] {
  return parseBody(body, options, (value) => toNewEvent(value, options))
}
