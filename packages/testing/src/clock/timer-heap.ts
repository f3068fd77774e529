/** A timer of the virtual clock. */
export interface Timer {
  /** On the monotonic scale, milliseconds. */
  readonly dueMs: number
  /** Decides between timers of one due time; then `order` does. */
  readonly tie: number
  readonly order: number
  readonly fire: () => void
  state: 'pending' | 'cancelled' | 'fired'
}

/** Timers by due time, then tie, then the order they were scheduled in. Cancelled ones are left out. */
export class TimerHeap {
  readonly #timers: Timer[] = []
  #cancelledCount = 0

  /** Timers that will still fire. */
  get size(): number {
    return this.#timers.length - this.#cancelledCount
  }

  push(timer: Timer): void {
    this.#timers.push(timer)
    this.#siftUp(this.#timers.length - 1)
  }

  cancel(timer: Timer): void {
    if (timer.state !== 'pending') return
    timer.state = 'cancelled'
    this.#cancelledCount += 1
    // Cancelled long timers would stay until they are due: sweep once they are the majority.
    if (this.#cancelledCount > 64 && this.#cancelledCount * 2 > this.#timers.length) this.#sweep()
  }

  peek(): Timer | undefined {
    this.#dropCancelledHead()
    return this.#timers[0]
  }

  pop(): Timer | undefined {
    this.#dropCancelledHead()
    const head = this.#removeHead()
    if (head !== undefined) head.state = 'fired'
    return head
  }

  #dropCancelledHead(): void {
    while (this.#timers[0]?.state === 'cancelled') {
      this.#removeHead()
      this.#cancelledCount -= 1
    }
  }

  #removeHead(): Timer | undefined {
    const head = this.#timers[0]
    const last = this.#timers.pop()
    if (head !== undefined && last !== undefined && head !== last) {
      this.#timers[0] = last
      this.#siftDown(0)
    }
    return head
  }

  #sweep(): void {
    const kept = this.#timers.filter((timer) => timer.state === 'pending').sort(compare)
    this.#timers.length = 0
    // A sorted array is a heap.
    for (const timer of kept) this.#timers.push(timer)
    this.#cancelledCount = 0
  }

  #siftUp(start: number): void {
    const timers = this.#timers
    const moved = timers[start] as Timer
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (compare(timers[parent] as Timer, moved) <= 0) break
      timers[at] = timers[parent] as Timer
      at = parent
    }
    timers[at] = moved
  }

  #siftDown(start: number): void {
    const timers = this.#timers
    const moved = timers[start] as Timer
    let at = start
    for (;;) {
      let child = at * 2 + 1
      if (child >= timers.length) break
      if (child + 1 < timers.length && compare(timers[child + 1] as Timer, timers[child] as Timer) < 0) {
        child += 1
      }
      if (compare(moved, timers[child] as Timer) <= 0) break
      timers[at] = timers[child] as Timer
      at = child
    }
    timers[at] = moved
  }
}

function compare(a: Timer, b: Timer): number {
  return a.dueMs - b.dueMs || a.tie - b.tie || a.order - b.order
}
