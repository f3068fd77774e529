/** Values in order: found by binary search, put in place by moving the rest. */
export class SortedArray<T> {
  readonly #values: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get length(): number {
    return this.#values.length
  }

  at(index: number): T | undefined {
    return this.#values[index]
  }

  values(): readonly T[] {
    return this.#values
  }

  /** Index of the first value for which `isBefore` is false. It must be true for a first part, false for the rest. */
  firstNot(isBefore: (value: T) => boolean): number {
    let low = 0
    let high = this.#values.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(this.#values[middle] as T)) low = middle + 1
      else high = middle
    }
    return low
  }

  insert(value: T): void {
    const last = this.#values.at(-1)
    if (last === undefined || this.#compare(last, value) <= 0) this.#values.push(value)
    else
      this.#values.splice(
        this.firstNot((other) => this.#compare(other, value) <= 0),
        0,
        value,
      )
  }

  /** Removes the value that compares as equal. */
  remove(value: T): boolean {
    const index = this.firstNot((other) => this.#compare(other, value) < 0)
    const found = this.#values[index]
    if (found === undefined || this.#compare(found, value) !== 0) return false
    this.#values.splice(index, 1)
    return true
  }

  clear(): void {
    this.#values.length = 0
  }
}
