import { randomUUID } from 'node:crypto'
import { InvalidEventError, type NewEvent } from '@eddy/core'

/**
 * An event as one line of a request. Id and time are set here, not by the server: an event that is sent twice after a
 * lost answer stays the same event.
 *
 * @throws InvalidEventError the data is not JSON
 */
export function encodeEvent(event: NewEvent): Uint8Array {
  const complete = { ...event, id: event.id ?? randomUUID(), time: event.time ?? new Date().toISOString() }
  try {
    return Buffer.from(JSON.stringify(complete))
  } catch (error) {
    throw new InvalidEventError(`its data cannot be written as JSON (${(error as Error).message})`)
  }
}
