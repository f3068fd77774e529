import { MessageHeap } from './message-heap.ts'
import type { InFlight, QueueState } from './queue-state.ts'

const SLACK = 1_000

/** When deliveries become visible again. Entries of settled deliveries are left behind and cleared now and then. */
export class InFlightDeadlines {
  readonly #queue: QueueState
  readonly #heap = new MessageHeap()

  constructor(queue: QueueState) {
    this.#queue = queue
  }

  add(delivery: InFlight): void {
    if (this.#heap.size > 2 * this.#queue.inFlight.size + SLACK) {
      this.#heap.clear()
      for (const other of this.#queue.inFlight.values()) this.#push(other)
    }
    this.#push(delivery)
  }

  /** Puts back what was not settled in time. */
  returnExpired(monotonicMs: number): void {
    for (;;) {
      const top = this.#heap.peek()
      if (top === undefined || top.dueMs > monotonicMs) return
      this.#heap.pop()
      const delivery = this.#queue.inFlight.get(top.no)
      if (delivery !== undefined && delivery.visibleAtMonotonicMs === top.dueMs && !delivery.settling) {
        this.#queue.returned(delivery)
      }
    }
  }

  /** On the monotonic clock; may name a delivery that was settled since. */
  nextMonotonicMs(): number | undefined {
    return this.#heap.peek()?.dueMs
  }

  #push(delivery: InFlight): void {
    this.#heap.push({ dueMs: delivery.visibleAtMonotonicMs, no: delivery.no })
  }
}
