import type { Clock } from '@eddy/core'

export interface WaitUntil {
  readonly untilMonotonicMs: number
  /** When the queue's next hidden message is due. */
  readonly nextDueInMs: number | undefined
  readonly signal: AbortSignal
}

export interface Waiter {
  /** Until woken, or the time is up, or, for the first in line, until the next hidden message is due. */
  wait(until: WaitUntil): Promise<void>
  leave(): void
}

/** Its controller aborts once, and is replaced then. */
interface Place {
  wakeUp: AbortController
}

/**
 * Long polls of one queue, in the order in which they came. Whatever may make a message ready wakes the first; it alone
 * looks when the next hidden message is due, and when it leaves, the next one is woken to look for what is left.
 */
export class Waiters {
  readonly #clock: Clock
  readonly #line = new Set<Place>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  join(): Waiter {
    const place: Place = { wakeUp: new AbortController() }
    this.#line.add(place)
    return {
      wait: (until) => this.#wait(place, until),
      leave: () => {
        const wasFirst = this.#first() === place
        this.#line.delete(place)
        if (wasFirst) this.wake()
      },
    }
  }

  /** To be called after every change that may let a message be received. */
  wake(): void {
    this.#first()?.wakeUp.abort()
  }

  wakeAll(): void {
    for (const { wakeUp } of this.#line) wakeUp.abort()
  }

  async #wait(place: Place, { untilMonotonicMs, nextDueInMs, signal }: WaitUntil): Promise<void> {
    const remainingMs = untilMonotonicMs - this.#clock.monotonicMs()
    const isFirst = this.#first() === place
    const ms = isFirst && nextDueInMs !== undefined ? Math.min(remainingMs, nextDueInMs) : remainingMs
    const wake = (): void => place.wakeUp.abort()
    if (signal.aborted) wake()
    signal.addEventListener('abort', wake, { once: true })
    // At least a millisecond: a due time that has come is no reason to spin.
    await this.#clock.sleep(Math.max(1, ms), place.wakeUp.signal)
    signal.removeEventListener('abort', wake)
    if (place.wakeUp.signal.aborted) place.wakeUp = new AbortController()
  }

  #first(): Place | undefined {
    return this.#line.values().next().value
  }
}
