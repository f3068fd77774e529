/** Entries that grew stale are let go once there are more of them than live ones, and at least so many. */
const MIN_TRIM = 1_024

/**
 * A binary heap whose entries may go stale: whoever changes a thing pushes a new entry, and the old one is passed over
 * when it comes to the top. Bounded (I6): `trim` throws the stale ones out when they are the majority.
 */
export class LazyHeap<T> {
  readonly #before: (a: T, b: T) => boolean
  readonly #isLive: (entry: T) => boolean
  #entries: T[] = []

  constructor(before: (a: T, b: T) => boolean, isLive: (entry: T) => boolean) {
    this.#before = before
    this.#isLive = isLive
  }

  /** Stale ones included. */
  get size(): number {
    return this.#entries.length
  }

  push(entry: T): void {
    this.#entries.push(entry)
    this.#rise(this.#entries.length - 1)
  }

  /** The first live entry; stale ones before it are gone then. */
  peek(): T | undefined {
    for (;;) {
      const first = this.#entries[0]
      if (first === undefined || this.#isLive(first)) return first
      this.#removeFirst()
    }
  }

  pop(): T | undefined {
    const first = this.peek()
    if (first !== undefined) this.#removeFirst()
    return first
  }

  /** To be called with the number of things that an entry may stand for, whenever one of them goes. */
  trim(liveCount: number): void {
    if (this.#entries.length < MIN_TRIM || this.#entries.length <= 2 * liveCount) return
    // What was pushed twice is live twice.
    const live = new Set(this.#entries.filter((entry) => this.#isLive(entry)))
    this.#entries = []
    for (const entry of live) this.push(entry)
  }

  clear(): void {
    this.#entries = []
  }

  #removeFirst(): void {
    const last = this.#entries.pop() as T
    if (this.#entries.length === 0) return
    this.#entries[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    const entries = this.#entries
    const entry = entries[from] as T
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(entry, entries[parent] as T)) break
      entries[at] = entries[parent] as T
      at = parent
    }
    entries[at] = entry
  }

  #sink(from: number): void {
    const entries = this.#entries
    const entry = entries[from] as T
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && this.#before(entries[child + 1] as T, entries[child] as T)) child++
      if (!this.#before(entries[child] as T, entry)) break
      entries[at] = entries[child] as T
      at = child
    }
    entries[at] = entry
  }
}
