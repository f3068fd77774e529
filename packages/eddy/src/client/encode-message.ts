import { randomUUID } from 'node:crypto'
import { InvalidEventError, type NewMessage } from '@eddy/core'

/** A message that is sent twice after a lost answer stays the same message: its id is chosen here. */
export function messageId({ id, deduplicationId }: NewMessage): string {
  return id ?? deduplicationId ?? randomUUID()
}

/**
 * A message as one line of a request. The time is set here, not by the server, for the same reason as the id.
 * @throws InvalidEventError the data is not JSON
 */
export function encodeMessage(message: NewMessage, id: string): Uint8Array {
  try {
    return Buffer.from(JSON.stringify({ ...message, id, time: message.time ?? new Date().toISOString() }))
  } catch (error) {
    throw new InvalidEventError(`its data cannot be written as JSON (${(error as Error).message})`)
  }
}
