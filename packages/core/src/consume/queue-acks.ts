import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../ports/clock.ts'
import type { Queue } from '../ports/queue.ts'

const MAX_RECEIPTS = 1_000
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 5_000
const LAST_TRIES = 5

export interface Acknowledged {
  /** Of the message's latest delivery. */
  receipt: string
}

/** Acknowledges messages that are done with, many at a time: those that get done meanwhile go together next. */
export class QueueAcks<T extends Acknowledged> {
  readonly #ports: { readonly queue: Queue; readonly clock: Clock; readonly logger: Logger }
  readonly #queueName: string
  readonly #stopping: AbortSignal
  readonly #onGone: (message: T) => void
  #waiting: T[] = []
  #flushing: Promise<void> | undefined

  /** @param onGone - called once the message is acknowledged, or left to come again since the process stops */
  constructor(
    ports: { readonly queue: Queue; readonly clock: Clock; readonly logger: Logger },
    queueName: string,
    stopping: AbortSignal,
    onGone: (message: T) => void,
  ) {
    this.#ports = ports
    this.#queueName = queueName
    this.#stopping = stopping
    this.#onGone = onGone
  }

  add(message: T): void {
    this.#waiting.push(message)
    this.#flushing ??= this.#flush()
  }

  /** Resolves when everything added is acknowledged, or given up since the process stops. */
  async idle(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    // What gets done in this turn of the loop goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_RECEIPTS)
      await this.#ack(batch)
      for (const message of batch) this.#onGone(message)
    }
    // In the same turn as the look that found nothing: what is added from here on needs a flush of its own.
    this.#flushing = undefined
  }

  /** Until it is taken: what was handled must not come again because one write was refused. */
  async #ack(batch: readonly T[]): Promise<void> {
    const { queue, clock, logger } = this.#ports
    let waitMs = FIRST_WAIT_MS
    for (let lastTries = LAST_TRIES; lastTries > 0; ) {
      try {
        // A delivery that came meanwhile has a receipt of its own, and the one before is void.
        await queue.ack(
          this.#queueName,
          batch.map((message) => message.receipt),
        )
        return
      } catch (error) {
        logger.warn(
          { reason: String(error), messages: batch.length, waitMs },
          'messages were not acknowledged and are acknowledged again',
        )
      }
      if (this.#stopping.aborted) lastTries -= 1
      await clock.sleep(waitMs, this.#stopping.aborted ? undefined : this.#stopping)
      waitMs = this.#stopping.aborted ? FIRST_WAIT_MS : Math.min(MAX_WAIT_MS, waitMs * 2)
    }
    logger.warn({ messages: batch.length }, 'messages that were handled come again at the next start')
  }
}
