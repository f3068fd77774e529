/**
 * Of one producer in one shard (I6). Its sequences follow each other there, but for what is on its way; those of a producer
 * that numbers its records over all shards do not.
 */
const MAX_RUNS = 16_384
/** Forgotten at a time: each time moves all the others. */
const FORGET_RUNS = 1_024

/** A set of whole numbers as runs of neighbours. At its limit the lowest are forgotten; nothing is ever added by itself. */
export class SequenceRuns {
  /** First and last of each run, ascending; runs do not touch. */
  readonly #bounds: number[] = []

  get count(): number {
    return this.#bounds.length / 2
  }

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
    if (bounds.length > 2 * MAX_RUNS) bounds.splice(0, 2 * FORGET_RUNS)
  }

  /** The highest runs: first, last, first, last, … */
  highest(runs: number): readonly number[] {
    return this.#bounds.slice(-2 * runs)
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
