/** What a full bucket holds: this long's worth of its rate. */
const WINDOW_MS = 1_000
/** Sums of fractions of a millisecond are not exact; a microsecond is nothing. */
const TOLERANCE_MS = 0.001

/**
 * A rate with one second's worth of room: after a calm that much may be taken at once, and over any time no more than
 * `rate × (its length + 1 s)`. Kept by one number, the time at which the bucket will be full again. Times are monotonic.
 *
 * An amount over what a full bucket holds goes once the bucket is full, and what is over is owed: others wait until it
 * is paid back. So nothing is refused for ever, and the rate is kept all the same.
 *
 * Amazon documents the rates of Kinesis and not how it measures them; this is the simplest measure that keeps both "1,000
 * records a second" and a second's burst.
 */
export class TokenBucket {
  /** Over 0. May change at any time; what is owed keeps its length in time. */
  ratePerSecond: number
  #fullAtMs = Number.NEGATIVE_INFINITY

  constructor(ratePerSecond: number) {
    this.ratePerSecond = ratePerSecond
  }

  /** Whole milliseconds until the amount may be taken; 0: now. */
  waitMs(amount: number, nowMs: number): number {
    const owedMs = Math.max(0, this.#fullAtMs - nowMs)
    const waitMs = owedMs + Math.min(WINDOW_MS, this.#lengthMs(amount)) - WINDOW_MS
    return waitMs > TOLERANCE_MS ? Math.ceil(waitMs - TOLERANCE_MS) : 0
  }

  /** Takes the amount, whether or not the bucket has room for it. */
  take(amount: number, nowMs: number): void {
    this.#fullAtMs = Math.max(nowMs, this.#fullAtMs) + this.#lengthMs(amount)
  }

  /** Takes the amount if it may be taken. @returns 0 when it was, else the wait in whole milliseconds */
  tryTake(amount: number, nowMs: number): number {
    const waitMs = this.waitMs(amount, nowMs)
    if (waitMs === 0) this.take(amount, nowMs)
    return waitMs
  }

  /** What was taken and came to nothing. */
  giveBack(amount: number): void {
    this.#fullAtMs -= this.#lengthMs(amount)
  }

  /** Nothing is owed: like a new one. */
  isFull(nowMs: number): boolean {
    return this.#fullAtMs <= nowMs
  }

  #lengthMs(amount: number): number {
    return (amount * 1_000) / this.ratePerSecond
  }
}
