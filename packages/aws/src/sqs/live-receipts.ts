import type { Clock } from '@eddy/core'
import type { MessageHeader } from './message-format.ts'

/** A delivery that is not acknowledged yet. */
export interface LiveDelivery {
  readonly queue: string
  /** SQS' own receipt. */
  readonly handle: string
  /** Monotonic: it is hidden from then… */
  readonly receivedMs: number
  /** …until then. */
  readonly untilMs: number
  /** Wall time. */
  readonly dueAtMs: number
  readonly receiveCount: number
  readonly body: string
  readonly header: MessageHeader | undefined
  /** Removed with the message. */
  readonly blob: string | undefined
}

const SWEEP_EVERY_MS = 10_000

/**
 * The receipts that this process has in hand. SQS takes an old receipt for as long as nobody else received the message;
 * the port does not, so that what it delivers next is nobody else's.
 */
export class LiveReceipts {
  readonly #clock: Clock
  readonly #live = new Map<string, LiveDelivery>()
  #count = 0
  #sweptMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(delivery: LiveDelivery): string {
    this.#count += 1
    if (this.#clock.monotonicMs() - this.#sweptMs >= SWEEP_EVERY_MS) this.#sweep()
    const receipt = `${this.#count}:${delivery.handle}`
    this.#live.set(receipt, delivery)
    return receipt
  }

  /** Makes the receipt void; undefined when it was. */
  take(queue: string, receipt: string): LiveDelivery | undefined {
    const delivery = this.#live.get(receipt)
    if (delivery === undefined || delivery.queue !== queue) return undefined
    this.#live.delete(receipt)
    return delivery.untilMs > this.#clock.monotonicMs() ? delivery : undefined
  }

  /** Nothing was done with it. */
  putBack(receipt: string, delivery: LiveDelivery): void {
    this.#live.set(receipt, delivery)
  }

  /** When the oldest of a queue became due. */
  oldestDueAtMs(queue: string): number | undefined {
    this.#sweep()
    let oldest: number | undefined
    for (const { queue: of, dueAtMs } of this.#live.values())
      if (of === queue && (oldest === undefined || dueAtMs < oldest)) oldest = dueAtMs
    return oldest
  }

  /** All of a queue are void. */
  clear(queue: string): void {
    for (const [receipt, delivery] of this.#live) if (delivery.queue === queue) this.#live.delete(receipt)
  }

  /** As many stay as are hidden, of which SQS has a limit. */
  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#sweptMs = nowMs
    for (const [receipt, { untilMs }] of this.#live) if (untilMs <= nowMs) this.#live.delete(receipt)
  }
}
