/** Of one producer in one shard. Its sequences follow each other there, but for what is on its way (I6). */
const MAX_RUNS = 64

/** A set of whole numbers as runs of neighbours. At its limit the lowest run is forgotten; nothing is ever added by itself. */
export class SequenceRuns {
  /** First and last of each run, ascending; runs do not touch. */
  readonly #bounds: number[] = []

  has(sequence: number): boolean {
    const at = this.#runAtOrAfter(sequence)
    return at < this.#bounds.length && (this.#bounds[at] as number) <= sequence
  }

  add(sequence: number): void {
    this.addRun(sequence, sequence)
  }

  addRun(first: number, last: number): void {
    const bounds = this.#bounds
    // Mostly it is the next one.
    const end = bounds.length - 1
    if (end > 0 && bounds[end] === first - 1) {
      bounds[end] = last
      return
    }
    const from = this.#runAtOrAfter(first - 1)
    let to = from
    let low = first
    let high = last
    while (to < bounds.length && (bounds[to] as number) <= last + 1) {
      low = Math.min(low, bounds[to] as number)
      high = Math.max(high, bounds[to + 1] as number)
      to += 2
    }
    bounds.splice(from, to - from, low, high)
    if (bounds.length > 2 * MAX_RUNS) bounds.splice(0, 2)
  }

  bounds(): readonly number[] {
    return this.#bounds
  }

  /** Index of the first run that ends at or after the sequence. */
  #runAtOrAfter(sequence: number): number {
    let low = 0
    let high = this.#bounds.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#bounds[2 * middle + 1] as number) < sequence) low = middle + 1
      else high = middle
    }
    return 2 * low
  }
}
