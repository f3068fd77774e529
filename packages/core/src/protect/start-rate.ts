/** What may be started at once after a calm: this long's worth. */
const BURST_MS = 100

/**
 * A rate of starts, kept by one number (GCRA): in any stretch of time no more than `rate × (its length + 0.1 s) + 1`
 * are let through. All times are monotonic; the rate may be another at every call.
 */
export class StartRate {
  /** When the start after the last one would be, were they evenly spaced. */
  #nextMs = Number.NEGATIVE_INFINITY

  /** The earliest time of the next start; in the past: now. */
  startableAtMs(ratePerSecond: number): number {
    const spacingMs = 1_000 / ratePerSecond
    return this.#nextMs - Math.max(0, BURST_MS - spacingMs)
  }

  /** Counts a start, whether or not the rate has room for it. */
  take(nowMs: number, ratePerSecond: number): void {
    this.#nextMs = Math.max(nowMs, this.#nextMs) + 1_000 / ratePerSecond
  }

  /** A counted start that did not come about. */
  giveBack(ratePerSecond: number): void {
    this.#nextMs -= 1_000 / ratePerSecond
  }

  /** Waits that an earlier, lower rate has caused are void. */
  reset(): void {
    this.#nextMs = Number.NEGATIVE_INFINITY
  }
}
