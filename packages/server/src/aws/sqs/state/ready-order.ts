import { LazyHeap } from './lazy-heap.ts'
import type { Message } from './message.ts'

/** In which order ready messages are handed out. Told of every change of a message's phase. */
export interface ReadyOrder {
  /** Entries held, stale ones too. */
  readonly size: number
  /** A message came into the queue, in whatever phase. */
  added(message: Message): void
  /** It may be received now. */
  becameReady(message: Message): void
  /** It was handed out. */
  becameInFlight(message: Message): void
  /** It was in flight and is hidden no more, or deleted: called after its phase changed. */
  leftFlight(message: Message): void
  /** It is in the queue no more. */
  removed(message: Message): void
  /** The next one to hand out, if any; handing it out is up to the caller. */
  next(): Message | undefined
  clear(): void
}

/** A standard queue's: about as sent. What comes back takes its old place. */
export class StandardOrder implements ReadyOrder {
  readonly #ready: LazyHeap<Message>
  #count = 0

  constructor(has: (message: Message) => boolean) {
    this.#ready = new LazyHeap(
      (a, b) => a.sequence < b.sequence,
      (message) => message.phase === 'ready' && has(message),
    )
  }

  get size(): number {
    return this.#ready.size
  }

  added(): void {
    this.#count++
  }

  becameReady(message: Message): void {
    this.#ready.push(message)
    this.#ready.trim(this.#count)
  }

  becameInFlight(): void {}

  leftFlight(): void {}

  removed(): void {
    this.#count--
    this.#ready.trim(this.#count)
  }

  next(): Message | undefined {
    return this.#ready.peek()
  }

  clear(): void {
    this.#ready.clear()
    this.#count = 0
  }
}
