/** Emptied places at the front are kept up to here, and up to half of the list. */
const COMPACT_AT = 1_024

/** A queue in which taking from the front costs nothing, however long it is. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    // Not kept alive by the empty place.
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Puts items before all others, in their order. */
  putFirst(items: readonly T[]): void {
    if (items.length <= this.#head) {
      this.#head -= items.length
      for (const [offset, item] of items.entries()) this.#items[this.#head + offset] = item
      return
    }
    this.#items = [...items, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  /** All, in order. */
  list(): T[] {
    return this.#items.slice(this.#head) as T[]
  }

  /** Takes out what is withdrawn; both parts keep their order. */
  withdraw(isWithdrawn: (item: T) => boolean): T[] {
    const kept: T[] = []
    const withdrawn: T[] = []
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const item = this.#items[at] as T
      if (isWithdrawn(item)) withdrawn.push(item)
      else kept.push(item)
    }
    this.#items = kept
    this.#head = 0
    return withdrawn
  }
}
