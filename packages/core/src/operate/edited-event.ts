import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidEventError, RecordTooLargeError } from '../errors/stream-errors.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import { validateData } from '../model/schema.ts'
import { MAX_RECORD_BYTES } from '../produce/prepare-event.ts'

/**
 * The event of an edited payload: a CloudEvents envelope of the same key that its handler could accept.
 * @throws RecordTooLargeError, UndecodableEventError, InvalidEventError, SchemaMismatchError
 */
export async function editedEvent(
  original: LedgerItem,
  payload: Uint8Array,
  schema: StandardSchemaV1 | undefined,
): Promise<EddyEvent> {
  if (payload.length > MAX_RECORD_BYTES) throw new RecordTooLargeError(payload.length, MAX_RECORD_BYTES)
  const event = decodeEvent(payload)
  if (event.partitionkey !== undefined && event.partitionkey !== original.key) {
    // It would be handled among the events of the old key, and out of order with those of the new one.
    throw new InvalidEventError(
      `partitionkey: an edit keeps the key ${JSON.stringify(original.key)}. To send the event under another key, append it as a new event and drop this one`,
      { field: 'partitionkey', expected: original.key },
    )
  }
  if (schema !== undefined) await validateData(schema, event.data)
  return event
}

/** The new event's id: the edited one, or, where the author left the original's, one that follows from it. */
export function editedEventId(original: LedgerItem, event: EddyEvent, edit: number): string {
  return event.id === original.eventId ? `${event.id}~edit${edit}` : event.id
}
