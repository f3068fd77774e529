/** Counters of one subscription since the process started; a retry's lateness in milliseconds by bucket. */
export class SubscriptionMetrics {
  readonly handled: { ok: number; retry: number; dead: number; held: number; dropped: number } = {
    ok: 0,
    retry: 0,
    dead: 0,
    held: 0,
    dropped: 0,
  }
  /** Handler calls that were not the first of their event. */
  retries = 0
  /** Events that went to wait behind a failing one. */
  diverted = 0
  /** Events found resolved when they were read again. */
  skipped = 0
  filtered = 0
  /** Records of aggregates outside their shard's hash range, which their producer sent again. */
  strays = 0
  /** Second sendings of a record that was here before. */
  copies = 0
  /** Results that came after somebody else had the event; ignored. */
  lateResults = 0
  /** Releases refused because the lane's tail had moved. */
  racedReleases = 0
  /** Records removed by retention before they were read. */
  expired = 0
  /** Events in a call of a batch handler, retries (batches of one) included. */
  readonly batchSize: Histogram = new Histogram([1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000])
  readonly retryLateness: Histogram = new Histogram([
    1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 5_000, 30_000, 120_000,
  ])
}

/** A cumulative histogram with fixed upper bounds. */
export class Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.sum += value
    this.count += 1
    for (let index = this.bounds.length - 1; index >= 0; index -= 1) {
      if (value > (this.bounds[index] as number)) break
      this.counts[index] = (this.counts[index] as number) + 1
    }
  }
}
