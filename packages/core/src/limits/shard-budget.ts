import type { ServiceLimits } from '../model/service-limits.ts'
import { TokenBucket } from './token-bucket.ts'

/** What is left of one shard's limits. Times are monotonic; the limits may be others at every call. */
export class ShardBudget {
  readonly #records = new TokenBucket(1)
  readonly #bytes = new TokenBucket(1)
  readonly #reads = new TokenBucket(1)
  readonly #readBytes = new TokenBucket(1)
  #noReadBeforeMs = Number.NEGATIVE_INFINITY

  /**
   * Spends one record of this size if there is room for it.
   * @param share - of the limits that the shard allows, 0 to 1
   */
  trySpendWrite(bytes: number, limits: ServiceLimits, share: number, nowMs: number): boolean {
    if (share <= 0) return false
    this.#setWriteRates(limits, share)
    if (this.#records.waitMs(1, nowMs) > 0 || this.#bytes.waitMs(bytes, nowMs) > 0) return false
    this.#records.take(1, nowMs)
    this.#bytes.take(bytes, nowMs)
    return true
  }

  /** Spends a record that was stored already, whether or not there is room: the next ones wait longer. */
  spendWrite(bytes: number, limits: ServiceLimits, nowMs: number): void {
    this.#setWriteRates(limits, 1)
    this.#records.take(1, nowMs)
    this.#bytes.take(bytes, nowMs)
  }

  /** A record that was spent and not stored. */
  giveBackWrite(bytes: number): void {
    this.#records.giveBack(1)
    this.#bytes.giveBack(bytes)
  }

  /** Spends one read. @returns 0, or the whole milliseconds until one may be made */
  trySpendRead(limits: ServiceLimits, nowMs: number): number {
    this.#reads.ratePerSecond = limits.readCallsPerSecond
    this.#readBytes.ratePerSecond = limits.readBytesPerSecond
    const waitMs = Math.max(
      this.#reads.waitMs(1, nowMs),
      this.#readBytes.waitMs(1, nowMs),
      Math.ceil(this.#noReadBeforeMs - nowMs),
      0,
    )
    if (waitMs === 0) this.#reads.take(1, nowMs)
    return waitMs
  }

  /**
   * What a read returned; what is over the bucket is owed.
   * @param isFull - it returned as much as a read may: then reads wait for the whole of it (with Kinesis 10 MiB at
   * 2 MiB/s, so "subsequent calls made within the next 5 seconds throw")
   */
  spendReadBytes(bytes: number, isFull: boolean, limits: ServiceLimits, nowMs: number): void {
    this.#readBytes.ratePerSecond = limits.readBytesPerSecond
    this.#readBytes.take(bytes, nowMs)
    if (!isFull) return
    this.#noReadBeforeMs = nowMs + (limits.maxReadBytes * 1_000) / limits.readBytesPerSecond
  }

  /** Like a new one. */
  isUntouched(nowMs: number): boolean {
    return (
      this.#noReadBeforeMs <= nowMs &&
      [this.#records, this.#bytes, this.#reads, this.#readBytes].every((bucket) => bucket.isFull(nowMs))
    )
  }

  #setWriteRates(limits: ServiceLimits, share: number): void {
    this.#records.ratePerSecond = limits.writeRecordsPerSecond * share
    this.#bytes.ratePerSecond = limits.writeBytesPerSecond * share
  }
}
