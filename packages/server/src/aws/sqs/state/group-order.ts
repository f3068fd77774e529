import { LazyHeap } from './lazy-heap.ts'
import type { Message } from './message.ts'
import type { ReadyOrder } from './ready-order.ts'

/** Removed messages at a group's head are let go in such steps. */
const MIN_COMPACT = 64

interface Group {
  /** As sent; those before `start`, and any that left the queue, are passed over. */
  messages: Message[]
  start: number
  /** In the queue. */
  count: number
  inFlight: number
}

/**
 * A FIFO queue's: groups in the order of their first messages, and a group's messages in theirs (I3). While one of a
 * group is in flight, only the receive that took it may take more of the group: `open` says which group that is.
 */
export class GroupOrder implements ReadyOrder {
  readonly #has: (message: Message) => boolean
  readonly #groups = new Map<string, Group>()
  readonly #heads: LazyHeap<Message>
  /** The group that the receive under way has begun to take. */
  #open: string | undefined

  constructor(has: (message: Message) => boolean) {
    this.#has = has
    this.#heads = new LazyHeap(
      (a, b) => a.sequence < b.sequence,
      (message) => this.#mayBegin(message),
    )
  }

  get size(): number {
    return this.#heads.size
  }

  added(message: Message): void {
    const group = this.#groups.get(groupOf(message))
    if (group === undefined) {
      this.#groups.set(groupOf(message), { messages: [message], start: 0, count: 1, inFlight: 0 })
      return
    }
    group.count++
    const last = group.messages.at(-1)
    if (last === undefined || last.sequence < message.sequence) group.messages.push(message)
    else throw new Error(`message ${message.sequence} is added after ${last.sequence}`)
  }

  becameReady(message: Message): void {
    this.#offer(groupOf(message))
  }

  becameInFlight(message: Message): void {
    const group = this.#groups.get(groupOf(message))
    if (group !== undefined) group.inFlight++
  }

  leftFlight(message: Message): void {
    const group = this.#groups.get(groupOf(message))
    if (group === undefined) return
    group.inFlight--
    this.#offer(groupOf(message))
  }

  removed(message: Message): void {
    const name = groupOf(message)
    const group = this.#groups.get(name)
    if (group === undefined) return
    group.count--
    if (group.count === 0) this.#groups.delete(name)
    else this.#offer(name)
    this.#heads.trim(this.#groups.size)
  }

  /** The next of the group that the receive has begun, else the first of the group that comes first. */
  next(): Message | undefined {
    const more = this.#open === undefined ? undefined : this.#firstNotInFlight(this.#open)
    if (more?.phase === 'ready') return more
    const head = this.#heads.peek()
    this.#open = head === undefined ? undefined : groupOf(head)
    return head
  }

  /** A receive is over: its groups are blocked until what it took is deleted or comes back. */
  endReceive(): void {
    this.#open = undefined
  }

  clear(): void {
    this.#groups.clear()
    this.#heads.clear()
    this.#open = undefined
  }

  #offer(name: string): void {
    const head = this.#head(name)
    if (head === undefined || !this.#mayBegin(head)) return
    this.#heads.push(head)
    this.#heads.trim(this.#groups.size)
  }

  #mayBegin(message: Message): boolean {
    if (message.phase !== 'ready' || !this.#has(message)) return false
    const name = groupOf(message)
    return this.#groups.get(name)?.inFlight === 0 && this.#head(name) === message
  }

  #head(name: string): Message | undefined {
    const group = this.#groups.get(name)
    if (group === undefined) return undefined
    while (group.start < group.messages.length && !this.#has(group.messages[group.start] as Message)) {
      group.start++
    }
    if (group.start >= MIN_COMPACT && group.start * 2 >= group.messages.length) {
      group.messages = group.messages.slice(group.start)
      group.start = 0
    }
    return group.messages[group.start]
  }

  #firstNotInFlight(name: string): Message | undefined {
    const head = this.#head(name)
    const group = this.#groups.get(name)
    if (head === undefined || group === undefined) return undefined
    for (let at = group.start; at < group.messages.length; at++) {
      const message = group.messages[at] as Message
      if (this.#has(message) && message.phase !== 'in-flight') return message
    }
    return undefined
  }
}

function groupOf(message: Message): string {
  return message.group ?? ''
}
