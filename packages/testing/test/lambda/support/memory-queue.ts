import { createHash } from 'node:crypto'
import type { Clock } from '@eddy/core'
import type { SqsSource, SqsSourceMessage } from '@eddy/testing/lambda'

interface Waiting {
  readonly messageId: string
  readonly body: string
  visibleAtMs: number
  receives: number
}

/** A queue in memory with a visibility timeout: what a mapping polls. */
export class MemoryQueue implements SqsSource {
  readonly #clock: Clock
  readonly #visibilityMs: number
  readonly #messages: Waiting[] = []
  #sent = 0
  receives = 0

  constructor(clock: Clock, visibilityMs: number) {
    this.#clock = clock
    this.#visibilityMs = visibilityMs
  }

  get size(): number {
    return this.#messages.length
  }

  send(body: string): void {
    this.#sent += 1
    this.#messages.push({ messageId: `m-${this.#sent}`, body, visibleAtMs: 0, receives: 0 })
  }

  async receive(max: number): Promise<readonly SqsSourceMessage[]> {
    this.receives += 1
    const nowMs = this.#clock.monotonicMs()
    const due = this.#messages.filter((message) => message.visibleAtMs <= nowMs).slice(0, max)
    return due.map((message) => {
      message.visibleAtMs = nowMs + this.#visibilityMs
      message.receives += 1
      return {
        messageId: message.messageId,
        receiptHandle: message.messageId,
        body: message.body,
        attributes: { ApproximateReceiveCount: String(message.receives), SentTimestamp: '0' },
        md5OfBody: createHash('md5').update(message.body).digest('hex'),
      }
    })
  }

  async delete(receiptHandles: readonly string[]): Promise<void> {
    for (const handle of receiptHandles) {
      const index = this.#messages.findIndex((message) => message.messageId === handle)
      if (index >= 0) this.#messages.splice(index, 1)
    }
  }
}
