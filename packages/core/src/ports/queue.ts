export interface QueueMessage {
  /** Up to 64 KiB of text. */
  readonly body: string
  /** Not delivered before now + delayMs (I5); 0 to 365 days. */
  readonly delayMs: number
}

export type SendResult =
  | { readonly ok: true; readonly messageId: string }
  | { readonly ok: false; readonly retryable: boolean; readonly message: string }

export interface Delivery {
  readonly messageId: string
  /** Names this delivery for `ack` and `delay`; void once the visibility timeout has passed. */
  readonly receipt: string
  readonly body: string
  /** 1 on the first delivery, as far as the engine knows. */
  readonly receiveCount: number
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

/**
 * Delayed, at-least-once messages. Deliveries may repeat and overtake each other; a queue comes into being with its
 * first message.
 */
export interface Queue {
  /** One result a message, in order. Resolves after accepted messages are durable. */
  send(queue: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]>
  /** Due messages, oldest due time first; never one before its due time. */
  receive(request: ReceiveRequest): Promise<readonly Delivery[]>
  /** Removes the messages; a void receipt is ignored. */
  ack(queue: string, receipts: readonly string[]): Promise<void>
  /** Makes the message due again after delayMs; a void receipt is ignored. */
  delay(queue: string, receipt: string, delayMs: number): Promise<void>
  /** Messages not yet acknowledged. Exact on one machine, approximate elsewhere. */
  depth(queue: string): Promise<number>
  /** Removes every message. */
  purge(queue: string): Promise<void>
}
