import type { ServiceLimits } from '../model/service-limits.ts'
import type { Clock } from '../ports/clock.ts'

/** Of the shard's reads this reader takes four fifths at most: others of the shard need not fight for theirs. */
const SHARE = 0.8
/** When others read too, up to this many times slower: with Kinesis one read a second, as its own library reads. */
const MAX_STRETCH = 4
const RELAX = 0.9
/** Bytes of a read, as time at the shard's rate: large reads would keep others waiting. */
const MAX_READ_SECONDS = 0.5

/**
 * How often one shard of a stream with limits is read by this process, for all its subscriptions: alone it is rarely
 * throttled, and beside others it gives way. Times are monotonic.
 */
export class ReadPace {
  readonly limits: ServiceLimits
  #nextAtMs = Number.NEGATIVE_INFINITY
  #stretch = 1

  constructor(limits: ServiceLimits) {
    this.limits = limits
  }

  get maxReadBytes(): number {
    return Math.max(1, Math.floor(this.limits.readBytesPerSecond * MAX_READ_SECONDS))
  }

  /** Waits for the next time a read may be made, and takes it; returns early when `signal` aborts. */
  async turn(clock: Clock, signal: AbortSignal): Promise<void> {
    const nowMs = clock.monotonicMs()
    const atMs = Math.max(nowMs, this.#nextAtMs)
    this.#nextAtMs = atMs + (1_000 / (this.limits.readCallsPerSecond * SHARE)) * this.#stretch
    if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal)
  }

  answered(bytes: number, nowMs: number): void {
    this.#stretch = Math.max(1, this.#stretch * RELAX)
    const bytesMs = (bytes * 1_000) / (this.limits.readBytesPerSecond * SHARE)
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs + bytesMs)
  }

  /**
   * @param refusals - of the same read, this one included
   * @param chance - 0 to 1
   * @returns how long to wait before it is made again
   */
  throttled(retryAfterMs: number, refusals: number, chance: number): number {
    if (refusals === 1) this.#stretch = Math.min(MAX_STRETCH, this.#stretch * 2)
    // All who were refused together would come again together. But who always comes late, beside readers that come at
    // the first moment, never reads: each refusal halves the politeness.
    return retryAfterMs + (chance * 1_000) / this.limits.readCallsPerSecond / 2 ** (refusals - 1)
  }
}
