import type { Message } from './message.ts'

const ATTEMPT_MS = 5 * 60_000
const MAX_ATTEMPTS = 1_000

interface Attempt {
  readonly taken: readonly { readonly message: Message; readonly receiveCount: number }[]
  readonly untilMs: number
}

/**
 * What a FIFO queue handed out under which `ReceiveRequestAttemptId`, so that a receive whose answer was lost can be
 * repeated: the same messages under the same receipts. In memory alone, the latest 1,000: after a restart a repeated
 * receive waits for the visibility timeout, as one without an id does.
 */
export class ReceiveAttempts {
  readonly #attempts = new Map<string, Attempt>()

  note(id: string, messages: readonly Message[], nowMs: number): void {
    this.#attempts.delete(id)
    this.#attempts.set(id, {
      taken: messages.map((message) => ({ message, receiveCount: message.receiveCount })),
      untilMs: nowMs + ATTEMPT_MS,
    })
    for (const [old, { untilMs }] of this.#attempts) {
      if (nowMs < untilMs && this.#attempts.size <= MAX_ATTEMPTS) break
      this.#attempts.delete(old)
    }
  }

  /** What this attempt took, if all of it is still in flight as it left it. */
  repeat(id: string, nowMs: number, has: (message: Message) => boolean): readonly Message[] | undefined {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined || nowMs >= attempt.untilMs) return undefined
    const isIntact = attempt.taken.every(
      ({ message, receiveCount }) =>
        has(message) && message.phase === 'in-flight' && message.receiveCount === receiveCount,
    )
    return isIntact ? attempt.taken.map(({ message }) => message) : undefined
  }
}
