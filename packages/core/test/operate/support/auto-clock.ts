import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../../src/ports/clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly order: number
  readonly wake: () => void
}

/** Virtual time that moves by itself: when nothing else is to be done, the earliest sleeper wakes. */
export class AutoClock implements Clock {
  #nowMs = 0
  #order = 0
  #sleepers: Sleeper[] = []
  #driving = false
  #seed = 42
  readonly startMs: number

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.startMs = startMs
  }

  now(): number {
    return this.startMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  random(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2 ** 31
    return this.#seed / 2 ** 31
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
      void this.#drive()
    })
  }

  /** Lets time pass without waking anybody. */
  pass(ms: number): void {
    this.#nowMs += ms
  }

  async #drive(): Promise<void> {
    if (this.#driving) return
    this.#driving = true
    while (this.#sleepers.length > 0) {
      // Everything that can go on without time goes on first.
      await turn()
      await turn()
      const [first] = this.#sleepers.toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order)
      if (first === undefined) break
      this.#nowMs = Math.max(this.#nowMs, first.dueMs)
      first.wake()
    }
    this.#driving = false
  }
}
