/** Largest body, in bytes of UTF-8; what SQS takes, too. */
export const MAX_BODY_BYTES: number = 1_048_576
export const MAX_MESSAGE_DELAY_MS: number = 365 * 24 * 3_600_000
/** How long a deduplication id is remembered unless its message says otherwise: as in an SQS FIFO queue. */
export const DEDUPLICATION_WINDOW_MS: number = 5 * 60_000

export interface QueueMessage {
  /** Up to 1 MiB of text. */
  readonly body: string
  /** Not delivered before now + delayMs (I5); 0 to 365 days. 0 beside a group: its order would mean nothing otherwise. */
  readonly delayMs: number
  /** 1 to 256 characters. Messages of a group are delivered in the order they were sent, one at a time. */
  readonly group?: string
  /** 1 to 128 characters. A second message of this id, within the window, is answered like the first and adds nothing. */
  readonly deduplicationId?: string
  /** 1 second to 24 hours; default 5 minutes. Counts from the first message. */
  readonly deduplicationWindowMs?: number
  /**
   * 1 to 4,096 characters. What the message is a reminder of: `cancel` finds it by this, and two of one timer that are due at
   * the same time may be taken for one.
   */
  readonly timer?: string
}

export type SendResult =
  | {
      readonly ok: true
      /** Of the first message, for a duplicate. */
      readonly messageId: string
      /** A message of this deduplication id was sent before; nothing was added. */
      readonly duplicate?: boolean
    }
  | { readonly ok: false; readonly retryable: boolean; readonly message: string }

export interface Delivery {
  /** The same whenever the message is delivered. */
  readonly messageId: string
  /** Names this delivery for `ack` and `delay`; void once the visibility timeout has passed. */
  readonly receipt: string
  readonly body: string
  /** 1 on the first delivery, as far as the engine knows. */
  readonly receiveCount: number
  readonly group?: string
  /** Decimal; greater than that of every message that was accepted before in this queue. No other message ever has it. */
  readonly sequenceNumber: string
  readonly sentAtMs: number
}

export interface ReceiveRequest {
  readonly queue: string
  /** 1 to 1,000. */
  readonly maxMessages: number
  /** Hidden from other receivers for this long, then delivered again. */
  readonly visibilityMs: number
  /** Wait up to this long for a first due message. */
  readonly waitMs: number
  readonly signal?: AbortSignal
}

export interface QueueStats {
  /** Not yet acknowledged. Exact on one machine, approximate elsewhere. */
  readonly messages: number
  readonly inFlight: number
  /** Not due yet; at most 10,000 are counted. */
  readonly delayed: number
  /** When the message that waits longest became due, those in flight included; undefined: none is due. */
  readonly oldestDueAtMs: number | undefined
  /** Where `oldestDueAtMs` is an estimate: no message that is there became due before this. */
  readonly noneDueBeforeMs?: number
}

/**
 * Delayed, at-least-once messages. Deliveries may repeat and overtake each other; a queue comes into being with its
 * first message.
 *
 * Of a group, one message at most is delivered and not yet acknowledged; the next one follows once it is. A message
 * that is given back, or whose visibility timeout passed, keeps its place before the others of its group.
 */
export interface Queue {
  /** The longest `visibilityMs` that `receive` takes; left out: any. */
  readonly maxVisibilityMs?: number
  /** One result a message, in order. Resolves after accepted messages are durable. */
  send(queue: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]>
  /** Due messages, oldest due time first; never one before its due time. May be fewer than are due. */
  receive(request: ReceiveRequest): Promise<readonly Delivery[]>
  /** Removes the messages; a void receipt is ignored. */
  ack(queue: string, receipts: readonly string[]): Promise<void>
  /** Makes the message due again after delayMs; a void receipt is ignored. */
  delay(queue: string, receipt: string, delayMs: number): Promise<void>
  /** Messages not yet acknowledged. Exact on one machine, approximate elsewhere. */
  depth(queue: string): Promise<number>
  stats(queue: string): Promise<QueueStats>
  /** Removes every message that was accepted before. Deduplication ids stay remembered. */
  purge(queue: string): Promise<void>
  /**
   * Takes back the timer's messages that are not due for long yet, where waiting costs the engine something. Optional, and
   * never to be relied upon: any of them may still be delivered.
   */
  cancel?(queue: string, timer: string): Promise<void>
}
