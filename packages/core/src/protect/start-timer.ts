import type { Clock } from '../ports/clock.ts'

/** Longer waits are cut into pieces: whoever is woken early looks and asks again. */
const MAX_SLEEP_MS = 60_000

/** One timer for all that wait for a start: it wakes them at the earliest time that any of them asked for. */
export class StartTimer {
  readonly #clock: Clock
  readonly #onTime: () => void
  #atMs = Number.POSITIVE_INFINITY
  #sleeping = new AbortController()
  #open = true

  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock
    this.#onTime = onTime
  }

  /** On the monotonic clock. What was asked for earlier stands. */
  wakeAt(atMs: number): void {
    if (!this.#open || atMs >= this.#atMs) return
    this.#atMs = atMs
    this.#sleeping.abort()
    this.#sleeping = new AbortController()
    void this.#sleep(this.#sleeping.signal)
  }

  close(): void {
    this.#open = false
    this.#sleeping.abort()
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const waitMs = Math.ceil(this.#atMs - this.#clock.monotonicMs())
    await this.#clock.sleep(Math.min(MAX_SLEEP_MS, Math.max(1, waitMs)), signal)
    if (signal.aborted) return
    this.#atMs = Number.POSITIVE_INFINITY
    this.#onTime()
  }
}
