import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { NewEvent } from './event.ts'

export interface QueueDefinition<Data = unknown> {
  readonly kind: 'queue'
  readonly name: string
  /** Dot path of the field in `data` that groups messages; undefined: they have no order. */
  readonly group: string | undefined
  /** How long a deduplication id is remembered. */
  readonly deduplicationWindowMs: number
  readonly schema: StandardSchemaV1<unknown, Data> | undefined
}

/** What a producer states of a message: an event without a key, and how it is to be delivered. */
export interface NewMessage<Data = unknown> extends Omit<NewEvent<Data>, 'key' | 'explicitHashKey'> {
  /** In a queue with groups: instead of the field that the queue names. 1 to 256 characters. */
  readonly group?: string
  /** Not delivered before now + delayMs: 0 to 365 days. Not in a queue with groups. */
  readonly delayMs?: number
  /** Not delivered before this time: a Date, RFC 3339 text or epoch milliseconds. Instead of `delayMs`. */
  readonly at?: Date | string | number
  /**
   * 1 to 128 characters. A message of this id that was sent within the queue's window adds nothing. It is the event's
   * id too, unless `id` is given.
   */
  readonly deduplicationId?: string
}

/** The fate of one message of a send, in request order. */
export type SendOutcome =
  | {
      readonly ok: true
      /** Of the event. */
      readonly id: string
      /** Of the message that was sent first, for a duplicate. */
      readonly messageId: string
      /** A message of this deduplication id was sent before; nothing was added. */
      readonly duplicate: boolean
    }
  | { readonly ok: false; readonly code: string; readonly retryable: boolean; readonly message: string }

/** What a queue is called among the sources of events: no stream has such a name. */
export function queueSource(name: string): string {
  return `queue/${name}`
}
