import type { Clock } from '../ports/clock.ts'

/** Something with a time limit. `expire` is called once, at or after its deadline, unless it was removed before. */
export interface Expirable {
  readonly deadlineMs: number
  expire(): void
}

/**
 * Deadlines that all lie the same time ahead, so that they expire in the order they were added: one sleeping loop
 * serves any number of running handlers, instead of a timer for each.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #running = new Set<Expirable>()
  readonly #closed = new AbortController()
  #watching = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(entry: Expirable): void {
    this.#running.add(entry)
    if (!this.#watching) void this.#watch()
  }

  remove(entry: Expirable): void {
    this.#running.delete(entry)
  }

  /** Nothing expires any more, and no timer is left that keeps a process alive. */
  close(): void {
    this.#closed.abort()
  }

  async #watch(): Promise<void> {
    this.#watching = true
    while (!this.#closed.signal.aborted) {
      const first = this.#running.values().next().value
      if (first === undefined) break
      const waitMs = first.deadlineMs - this.#clock.monotonicMs()
      if (waitMs > 0) {
        await this.#clock.sleep(waitMs, this.#closed.signal)
      } else {
        this.#running.delete(first)
        first.expire()
      }
    }
    this.#watching = false
  }
}
