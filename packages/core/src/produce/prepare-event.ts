import type { StandardSchemaV1 } from '@standard-schema/spec'
import { RecordTooLargeError } from '../errors/stream-errors.ts'
import { decodeEvent, encodeEvent } from '../model/envelope.ts'
import type { NewEvent } from '../model/event.ts'
import { validateData } from '../model/schema.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import { outcomeOfError } from './outcomes.ts'

/** The largest record, in bytes; the limit of Kinesis. */
export const MAX_RECORD_BYTES: number = 10 * 1024 * 1024

export interface PrepareContext {
  readonly stream: string
  readonly id: string
  readonly nowMs: number
  readonly schema: StandardSchemaV1 | undefined
}

export type PreparedEvent =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly outcome: AppendOutcome }

/**
 * Encodes an event and checks it against its stream's schema; an event that no handler could accept is refused here.
 * A promise only when the schema is asynchronous.
 */
export function prepareEvent(
  event: NewEvent,
  context: PrepareContext,
): PreparedEvent | Promise<PreparedEvent> {
  try {
    const bytes = encodeEvent(event, context)
    if (bytes.length > MAX_RECORD_BYTES) throw new RecordTooLargeError(bytes.length, MAX_RECORD_BYTES)
    const prepared: PreparedEvent = { ok: true, bytes }
    if (context.schema === undefined) return prepared
    // What is checked is what handlers will read: a Date, say, is a string by then.
    const checked: unknown = validateData(context.schema, decodeEvent(bytes).data)
    if (!(checked instanceof Promise)) return prepared
    return checked.then(
      () => prepared,
      (error: unknown) => refused(error, context.stream),
    )
  } catch (error) {
    return refused(error, context.stream)
  }
}

function refused(error: unknown, stream: string): PreparedEvent {
  return { ok: false, outcome: outcomeOfError(error, stream) }
}
