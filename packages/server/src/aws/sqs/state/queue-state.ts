import { GroupOrder } from './group-order.ts'
import { LazyHeap } from './lazy-heap.ts'
import type { Message } from './message.ts'
import { type ReadyOrder, StandardOrder } from './ready-order.ts'
import type { Tally } from './tally.ts'

interface HiddenUntil {
  readonly message: Message
  readonly atMs: number
}

export interface TakeRequest {
  /** At most so many. */
  readonly count: number
  readonly nowMs: number
  readonly visibilityMs: number
  /** A message that was received so often in this queue is given up on; undefined: never. */
  readonly maxReceives: number | undefined
}

export interface Taken {
  readonly messages: readonly Message[]
  /** Removed: to be moved to the dead-letter queue. */
  readonly givenUp: readonly Message[]
}

/**
 * The messages of one queue: what is hidden until when, what may be received next, what has expired. Pure: time is handed
 * in, and nothing is stored here. Every call but `settle` supposes that `settle` was called with the same time.
 */
export class QueueState {
  readonly fifo: boolean
  readonly #tally: Tally
  readonly #messages = new Map<number, Message>()
  readonly #order: ReadyOrder
  readonly #hidden: LazyHeap<HiddenUntil>
  readonly #oldest: LazyHeap<Message>
  readonly #counts = { delayed: 0, ready: 0, 'in-flight': 0 }

  constructor(fifo: boolean, tally: Tally = { used: 0 }) {
    this.fifo = fifo
    this.#tally = tally
    const has = (message: Message): boolean => this.#messages.get(message.sequence) === message
    this.#order = fifo ? new GroupOrder(has) : new StandardOrder(has)
    this.#hidden = new LazyHeap(
      (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.message.sequence < b.message.sequence),
      ({ message, atMs }) => message.phase !== 'ready' && message.visibleAtMs === atMs && has(message),
    )
    this.#oldest = new LazyHeap((a, b) => a.sentAtMs < b.sentAtMs, has)
  }

  get size(): number {
    return this.#messages.size
  }

  count(phase: Message['phase']): number {
    return this.#counts[phase]
  }

  get(sequence: number): Message | undefined {
    return this.#messages.get(sequence)
  }

  all(): IterableIterator<Message> {
    return this.#messages.values()
  }

  /** In the order of sequences. */
  add(message: Message): void {
    this.#messages.set(message.sequence, message)
    this.#tally.used++
    this.#counts[message.phase]++
    this.#order.added(message)
    this.#oldest.push(message)
    if (message.phase === 'in-flight') this.#order.becameInFlight(message)
    if (message.phase === 'ready') this.#order.becameReady(message)
    else this.#hidden.push({ message, atMs: message.visibleAtMs })
  }

  /** Lets time pass: what is due becomes ready. Returns what has expired, and is in the queue no more. */
  settle(nowMs: number, retentionMs: number): readonly Message[] {
    const expired: Message[] = []
    for (;;) {
      const oldest = this.#oldest.peek()
      if (oldest === undefined || nowMs < oldest.sentAtMs + retentionMs) break
      this.remove(oldest)
      expired.push(oldest)
    }
    for (;;) {
      const next = this.#hidden.peek()
      if (next === undefined || next.atMs > nowMs) return expired
      this.#hidden.pop()
      this.#toReady(next.message)
    }
  }

  /** Hands out what comes next, hidden from now on. */
  take(request: TakeRequest): Taken {
    const { count, nowMs, visibilityMs, maxReceives } = request
    const messages: Message[] = []
    const givenUp: Message[] = []
    while (messages.length < count) {
      const message = this.#order.next()
      if (message === undefined) break
      if (maxReceives !== undefined && message.receiveCount - message.earlierReceives >= maxReceives) {
        this.remove(message)
        givenUp.push(message)
        continue
      }
      message.receiveCount++
      message.firstReceivedAtMs ??= nowMs
      message.receivedAtMs = nowMs
      message.visibleAtMs = nowMs + visibilityMs
      this.#toInFlight(message)
      messages.push(message)
    }
    if (this.#order instanceof GroupOrder) this.#order.endReceive()
    return { messages, givenUp }
  }

  /** What would be handed out next, if it lies before `below`. */
  first(below: number): Message | undefined {
    const message = this.#order.next()
    if (this.#order instanceof GroupOrder) this.#order.endReceive()
    return message !== undefined && message.sequence < below ? message : undefined
  }

  /** Hides a message that is in flight for another while, from now; 0: it may be received at once. */
  hide(message: Message, untilMs: number, nowMs: number): void {
    message.visibleAtMs = untilMs
    if (untilMs <= nowMs) {
      this.#toReady(message)
      return
    }
    this.#hidden.push({ message, atMs: untilMs })
    this.#hidden.trim(this.#messages.size)
  }

  /** Delays anew what has never been received: a FIFO queue's delay counts for what is in it already. */
  delayAnew(delayMs: number, nowMs: number): void {
    for (const message of this.#messages.values()) {
      if (message.phase === 'in-flight' || message.receiveCount > message.earlierReceives) continue
      message.visibleAtMs = message.sentAtMs + delayMs
      const due = message.visibleAtMs <= nowMs
      if (due && message.phase === 'delayed') this.#toReady(message)
      if (due) continue
      if (message.phase === 'ready') this.#setPhase(message, 'delayed')
      this.#hidden.push({ message, atMs: message.visibleAtMs })
    }
    this.#hidden.trim(this.#messages.size)
  }

  remove(message: Message): void {
    if (!this.#messages.delete(message.sequence)) return
    this.#tally.used--
    const { phase } = message
    this.#counts[phase]--
    if (phase === 'in-flight') this.#order.leftFlight(message)
    this.#order.removed(message)
    this.#oldest.trim(this.#messages.size)
    this.#hidden.trim(this.#messages.size)
  }

  clear(): void {
    this.#tally.used -= this.#messages.size
    this.#messages.clear()
    this.#order.clear()
    this.#hidden.clear()
    this.#oldest.clear()
    for (const phase of ['delayed', 'ready', 'in-flight'] as const) this.#counts[phase] = 0
  }

  /** When the next hidden message becomes ready, if any is hidden. */
  nextDueMs(): number | undefined {
    return this.#hidden.peek()?.atMs
  }

  /** Entries in all heaps, stale ones too: bounded by the messages, but for a constant (I6). */
  heldEntries(): number {
    return this.#hidden.size + this.#oldest.size + this.#order.size
  }

  #toReady(message: Message): void {
    const wasInFlight = message.phase === 'in-flight'
    this.#setPhase(message, 'ready')
    if (wasInFlight) this.#order.leftFlight(message)
    this.#order.becameReady(message)
  }

  #toInFlight(message: Message): void {
    this.#setPhase(message, 'in-flight')
    this.#order.becameInFlight(message)
    this.#hidden.push({ message, atMs: message.visibleAtMs })
    this.#hidden.trim(this.#messages.size)
  }

  #setPhase(message: Message, phase: Message['phase']): void {
    this.#counts[message.phase]--
    message.phase = phase
    this.#counts[phase]++
  }
}
