import { InvalidEventError, RecordTooLargeError } from '../errors/stream-errors.ts'
import { valueAt } from '../model/field-path.ts'
import type { NewMessage, QueueDefinition } from '../model/message.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import { MAX_BODY_BYTES, MAX_MESSAGE_DELAY_MS, type QueueMessage } from '../ports/queue.ts'
import { outcomeOfError } from './outcomes.ts'
import { prepareEvent } from './prepare-event.ts'

const MAX_GROUP_CHARACTERS = 256
const MAX_DEDUPLICATION_CHARACTERS = 128
const decoder = new TextDecoder()

export interface MessageContext {
  readonly queue: QueueDefinition
  /** The event's id when the message states none. */
  readonly newId: () => string
  readonly nowMs: number
  /** Fits what may be of any length into a key. */
  md5Hex(text: string): string
}

export type PreparedMessage =
  | { readonly ok: true; readonly id: string; readonly bytes: Uint8Array; readonly message: QueueMessage }
  | { readonly ok: false; readonly outcome: AppendOutcome }

/**
 * A message's body and how it is to be delivered; what no handler could accept, or no engine deliver as it was asked
 * for, is refused here. A promise only when the queue's schema is asynchronous.
 */
export function prepareMessage(
  message: NewMessage,
  context: MessageContext,
): PreparedMessage | Promise<PreparedMessage> {
  const { queue, nowMs } = context
  try {
    if (typeof message !== 'object' || message === null)
      throw new InvalidEventError('expected an object with data')
    const { group: _group, delayMs: _delay, at: _at, deduplicationId, ...event } = message
    refuseKey(event)
    const group = groupOf(message, queue)
    const delayMs = delayOf(message, queue, nowMs)
    checkId(deduplicationId)
    const id = event.id ?? deduplicationId ?? context.newId()
    // Without a group the event is its own key: nothing waits for it, and it is found by it.
    const key = group ?? (id.length <= MAX_GROUP_CHARACTERS ? id : context.md5Hex(id))
    const sourceOfEvent = { stream: queue.name, id, nowMs, schema: queue.schema }
    const preparing = prepareEvent({ ...event, key }, sourceOfEvent)
    const finish = (prepared: Awaited<typeof preparing>): PreparedMessage => {
      if (!prepared.ok) return prepared
      const { bytes } = prepared
      if (bytes.length > MAX_BODY_BYTES) {
        return refused(new RecordTooLargeError(bytes.length, MAX_BODY_BYTES), queue)
      }
      return {
        ok: true,
        id,
        bytes,
        message: {
          body: decoder.decode(bytes),
          delayMs,
          ...(group !== undefined && { group }),
          ...(deduplicationId !== undefined && {
            deduplicationId,
            deduplicationWindowMs: queue.deduplicationWindowMs,
          }),
        },
      }
    }
    return preparing instanceof Promise ? preparing.then(finish) : finish(preparing)
  } catch (error) {
    return refused(error, queue)
  }
}

/** An event's key would be dropped silently, where its sender counts on order. @throws InvalidEventError */
function refuseKey(event: object): void {
  for (const field of ['key', 'explicitHashKey']) {
    if ((event as Readonly<Record<string, unknown>>)[field] === undefined) continue
    throw new InvalidEventError(`${field}: expected none: a message has a "group", in a queue with groups`, {
      field,
    })
  }
}

/** The group of a message; undefined in a queue without groups. @throws InvalidEventError */
export function groupOf(message: NewMessage, { name, group: path }: QueueDefinition): string | undefined {
  if (path === undefined) {
    if (message.group === undefined) return undefined
    throw new InvalidEventError(`group: expected none, since queue "${name}" has no groups`, {
      field: 'group',
    })
  }
  const found = message.group ?? valueAt(message.data, path)
  const group = typeof found === 'number' || typeof found === 'boolean' ? String(found) : found
  if (typeof group === 'string' && group.length >= 1 && group.length <= MAX_GROUP_CHARACTERS) return group
  const field = message.group === undefined ? `data.${path}` : 'group'
  throw new InvalidEventError(
    `${field}: expected the group, 1 to ${MAX_GROUP_CHARACTERS} characters, ${found === undefined ? 'but there is no such field' : 'received something else'}`,
    { field },
  )
}

function delayOf({ delayMs, at }: NewMessage, { name, group }: QueueDefinition, nowMs: number): number {
  if (delayMs === undefined && at === undefined) return 0
  const field = delayMs === undefined ? 'at' : 'delayMs'
  if (delayMs !== undefined && at !== undefined)
    throw new InvalidEventError('at: expected either delayMs or at, received both', { field: 'at' })
  if (group !== undefined) {
    throw new InvalidEventError(
      `${field}: expected none, since queue "${name}" has groups, whose messages are handled in the order they were sent`,
      { field },
    )
  }
  const waitMs = delayMs ?? timeOf(at) - nowMs
  // A time that is over: now.
  if (field === 'at' && waitMs < 0) return 0
  if (waitMs >= 0 && waitMs <= MAX_MESSAGE_DELAY_MS) return waitMs
  throw new InvalidEventError(
    field === 'at'
      ? 'at: expected a Date, an RFC 3339 time or epoch milliseconds, at most 365 days ahead'
      : 'delayMs: expected 0 to 365 days in milliseconds',
    { field },
  )
}

function timeOf(at: NewMessage['at']): number {
  if (typeof at === 'number') return at
  return at instanceof Date ? at.getTime() : Date.parse(String(at))
}

function checkId(deduplicationId: unknown): void {
  if (deduplicationId === undefined) return
  if (
    typeof deduplicationId === 'string' &&
    deduplicationId.length >= 1 &&
    deduplicationId.length <= MAX_DEDUPLICATION_CHARACTERS
  )
    return
  throw new InvalidEventError(`deduplicationId: expected 1 to ${MAX_DEDUPLICATION_CHARACTERS} characters`, {
    field: 'deduplicationId',
  })
}

function refused(error: unknown, queue: QueueDefinition): PreparedMessage {
  return { ok: false, outcome: outcomeOfError(error, queue.name) }
}
