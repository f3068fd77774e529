import { TokenBucket } from './token-bucket.ts'

/** Buckets in use at a time (I6); beyond it those that are full again go, and a full one is like a new one. */
const MAX_BUCKETS = 10_000

/** Token buckets by name, such as one a shard: made when they are first asked for. */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>()

  /**
   * Takes the amount from the bucket of this name, if it has room.
   * @param nowMs - monotonic
   * @returns 0 when it was taken, else the whole milliseconds until it may be
   */
  tryTake(
    name: string,
    { amount, ratePerSecond }: { readonly amount: number; readonly ratePerSecond: number },
    nowMs: number,
  ): number {
    const bucket = this.#buckets.get(name) ?? this.#add(name, ratePerSecond, nowMs)
    bucket.ratePerSecond = ratePerSecond
    return bucket.tryTake(amount, nowMs)
  }

  get size(): number {
    return this.#buckets.size
  }

  #add(name: string, ratePerSecond: number, nowMs: number): TokenBucket {
    if (this.#buckets.size >= MAX_BUCKETS) this.#forget(nowMs)
    const bucket = new TokenBucket(ratePerSecond)
    this.#buckets.set(name, bucket)
    return bucket
  }

  #forget(nowMs: number): void {
    for (const [name, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(name)
    // All in use within one second: the oldest goes, so that there is a limit.
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size >= MAX_BUCKETS && oldest !== undefined) this.#buckets.delete(oldest)
  }
}
