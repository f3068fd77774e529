import type { ServiceLimits } from '../model/service-limits.ts'
import type { Clock } from '../ports/clock.ts'

/** Of the shard's reads this reader takes four fifths at most: others of the shard need not fight for theirs. */
const SHARE = 0.8
/** When others read too, up to this many times slower: with Kinesis one read a second, as its own library reads. */
const MAX_STRETCH = 4
const RELAX = 0.9
/** Bytes of a read, as time at the shard's rate: large reads would keep others waiting. */
const MAX_READ_SECONDS = 0.5

/** Reads at the head one after another while reads of history wait; then it is one of theirs (nobody starves). */
const MAX_HEADS_IN_A_ROW = 3
/** Whoever is not first when a read may be made looks again after this long. */
const LOOK_AGAIN_MS = 1

/** Who wants to read. */
export interface ReadRank {
  readonly isHead: boolean
  /** Of the subscription that reads history: higher ones first. */
  readonly priority: number
}

export const HEAD: ReadRank = { isHead: true, priority: 0 }

/**
 * How often one shard of a stream with limits is read by this process, for all its subscriptions: alone it is rarely
 * throttled, and beside others it gives way. Of its reads the head's come first; what they leave is for subscriptions that
 * lag, by their priority, and within one in the order of asking. Times are monotonic.
 */
export class ReadPace {
  readonly limits: ServiceLimits
  #nextAtMs = Number.NEGATIVE_INFINITY
  #stretch = 1
  #headsInARow = 0
  readonly #waiting: ReadRank[] = []

  constructor(limits: ServiceLimits) {
    this.limits = limits
  }

  get maxReadBytes(): number {
    return Math.max(1, Math.floor(this.limits.readBytesPerSecond * MAX_READ_SECONDS))
  }

  /** Waits for the next time a read may be made, and takes it; returns early when `signal` aborts. */
  async turn(clock: Clock, signal: AbortSignal, rank: ReadRank): Promise<void> {
    // One of its own: who waits is known by it.
    const waiter = { ...rank }
    this.#waiting.push(waiter)
    try {
      while (!signal.aborted) {
        const nowMs = clock.monotonicMs()
        if (nowMs >= this.#nextAtMs && this.#first() === waiter) {
          this.#take(nowMs, waiter)
          return
        }
        await clock.sleep(Math.max(LOOK_AGAIN_MS, this.#nextAtMs - nowMs), signal)
      }
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
    }
  }

  #take(nowMs: number, { isHead }: ReadRank): void {
    this.#headsInARow = isHead ? this.#headsInARow + 1 : 0
    this.#nextAtMs = nowMs + (1_000 / (this.limits.readCallsPerSecond * SHARE)) * this.#stretch
  }

  #first(): ReadRank | undefined {
    const head = this.#waiting.find(({ isHead }) => isHead)
    if (head !== undefined && this.#headsInARow < MAX_HEADS_IN_A_ROW) return head
    let first: ReadRank | undefined
    for (const waiter of this.#waiting)
      if (!waiter.isHead && (first === undefined || waiter.priority > first.priority)) first = waiter
    return first ?? head
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
