import { randomUUID } from 'node:crypto'
import { InvalidEventError, type NewEvent, type NewMessage } from '@eddy/core'

/**
 * An event as one line of a request. Id and time are set here, not by the server: an event that is sent twice after a
 * lost answer stays the same event.
 *
 * @throws InvalidEventError the data is not JSON
 */
export function encodeEvent(event: NewEvent): Uint8Array {
  return line({ ...event, id: event.id ?? randomUUID(), time: event.time ?? new Date().toISOString() })
}

/**
 * A message as one line of a request, as an event is.
 * @throws InvalidEventError the data is not JSON
 */
export function encodeMessage(message: NewMessage): Uint8Array {
  const id = message.id ?? message.deduplicationId ?? randomUUID()
  return line({ ...message, id, time: message.time ?? new Date().toISOString() })
}

function line(complete: object): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(complete))
  } catch (error) {
    throw new InvalidEventError(`its data cannot be written as JSON (${(error as Error).message})`)
  }
}
