import { isUtf8 } from 'node:buffer'
import { type AppendOutcome, encodeEvent, isEddyError, type NewEvent, type PreparedItem } from '@eddy/core'
import { parseLine, toNewEvent } from '@eddy/server/records'
import type { Line } from './line-reader.ts'

/** What each line's event takes from the command line. */
export interface LineEvents {
  readonly stream: string
  /** Dot path of the partition key within each line. */
  readonly keyField: string
  readonly explicitHashKeyField?: string
  readonly type?: string
}

/** A line that is longer is refused unread; it would be over every limit of a record. */
export const MAX_LINE_BYTES: number = 15 * 1024 * 1024

/** One line of JSON as an event, encoded, as the server makes it of a raw record; or why it is none. */
export function eventOfLine(line: Line, id: string, { stream, ...fields }: LineEvents): PreparedItem {
  const refusal = refusalOf(line)
  if (refusal !== undefined) return { ok: false, outcome: refusal }
  const options = { ...fields, raw: true, format: 'lines', maxRecords: 1 } as const
  const parsed = parseLine(line.bytes, 'the line', (value) => toNewEvent(value, options))
  if (!parsed.ok) return { ok: false, outcome: refused('EDDY_INVALID_EVENT', parsed.message) }
  return encoded(parsed.event, { stream, id, nowMs: Date.now() })
}

function encoded(event: NewEvent, context: { stream: string; id: string; nowMs: number }): PreparedItem {
  try {
    const { key, explicitHashKey } = event
    const data = encodeEvent(event, context)
    const record = { key, data, id: context.id, ...(explicitHashKey !== undefined && { explicitHashKey }) }
    return { ok: true, record }
  } catch (error) {
    if (!isEddyError(error)) throw error
    return { ok: false, outcome: refused(error.code, error.message) }
  }
}

/** Why a line cannot be looked at; undefined when it can. */
export function refusalOf({ bytes, totalBytes }: Line): AppendOutcome | undefined {
  if (bytes.length < totalBytes)
    return refused('too-large', `the line has ${totalBytes} bytes, the limit is ${MAX_LINE_BYTES}`)
  return isUtf8(bytes) ? undefined : refused('EDDY_INVALID_EVENT', 'the line is not valid UTF-8')
}

function refused(code: string, message: string): AppendOutcome {
  return { ok: false, code, retryable: false, message }
}
