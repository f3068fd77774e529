import type { Clock } from '../ports/clock.ts'

/** One alarm: set again, it forgets the time before. */
export class WakeUp {
  readonly #clock: Clock
  readonly #ring: () => void
  #atMs: number | undefined
  #cancel: AbortController | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** @param atMs - monotonic; a time that is over rings on the next turn */
  at(atMs: number): void {
    if (this.#atMs === atMs) return
    this.cancel()
    const cancel = new AbortController()
    this.#atMs = atMs
    this.#cancel = cancel
    void this.#clock.sleep(atMs - this.#clock.monotonicMs(), cancel.signal).then(() => {
      if (cancel.signal.aborted) return
      this.#atMs = undefined
      this.#cancel = undefined
      this.#ring()
    })
  }

  cancel(): void {
    this.#cancel?.abort()
    this.#cancel = undefined
    this.#atMs = undefined
  }
}
