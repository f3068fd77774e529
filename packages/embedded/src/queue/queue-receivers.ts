import type { Clock, Delivery, ReceiveRequest } from '@eddy/core'
import { InFlightDeadlines } from './in-flight-deadlines.ts'
import { type InFlight, MAX_IN_FLIGHT, type QueueState } from './queue-state.ts'

/** The wall clock may jump, so nobody sleeps longer than this before looking at it again. */
const LONGEST_SLEEP_MS = 1_000

/** Large bodies are handed out a few at a time (I6). */
const MAX_RECEIVED_CHARACTERS = 8 * 1_048_576

interface Receiver {
  readonly request: ReceiveRequest
  readonly deadlineMonotonicMs: number
  readonly resolve: (deliveries: Delivery[]) => void
}

/**
 * Hands due messages to receivers. One loop a queue sleeps until the next due time, visibility end or receiver's
 * deadline; whatever may come earlier wakes it, so no wake-up is lost.
 */
export class QueueReceivers {
  readonly #queue: QueueState
  readonly #clock: Clock
  readonly #closing: AbortSignal
  readonly #deadlines: InFlightDeadlines
  readonly #waiting = new Set<Receiver>()
  #receipts = 0
  #wake: AbortController | undefined
  #sleepsUntilMs = 0
  #isPumping = false

  constructor(queue: QueueState, clock: Clock, closing: AbortSignal) {
    this.#queue = queue
    this.#clock = clock
    this.#closing = closing
    this.#deadlines = new InFlightDeadlines(queue)
    closing.addEventListener('abort', () => this.#wake?.abort(), { once: true })
  }

  receive(request: ReceiveRequest): Promise<Delivery[]> {
    const { signal, waitMs } = request
    const deliveries = this.#take(request)
    if (deliveries.length > 0 || waitMs <= 0 || signal?.aborted === true || this.#closing.aborted) {
      return Promise.resolve(deliveries)
    }
    return new Promise((resolve) => {
      const receiver: Receiver = {
        request,
        deadlineMonotonicMs: this.#clock.monotonicMs() + waitMs,
        resolve: (received) => {
          this.#waiting.delete(receiver)
          signal?.removeEventListener('abort', onAbort)
          resolve(received)
        },
      }
      const onAbort = (): void => receiver.resolve([])
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(receiver)
      if (this.#isPumping) this.#wake?.abort()
      else void this.#pump()
    })
  }

  /** A message due at `dueMs` was stored. */
  arrived(dueMs: number): void {
    if (dueMs < this.#sleepsUntilMs) this.#wake?.abort()
  }

  /** Room in flight, or a delivery that came back. */
  changed(): void {
    this.#wake?.abort()
  }

  /** The delivery that the receipt names, while it is valid and not being settled. */
  find(receipt: string): InFlight | undefined {
    const delivery = this.#queue.inFlight.get(Number.parseInt(receipt, 36))
    if (delivery === undefined || delivery.receipt !== receipt || delivery.settling) return undefined
    return delivery.visibleAtMonotonicMs > this.#clock.monotonicMs() ? delivery : undefined
  }

  /** The ack or delay of a delivery failed: it is visible again at its time. */
  restore(delivery: InFlight): void {
    delivery.settling = false
    this.#deadlines.add(delivery)
    this.changed()
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    try {
      while (this.#serve()) {
        this.#wake = new AbortController()
        await this.#clock.sleep(this.#sleepMs(), this.#wake.signal)
      }
    } finally {
      this.#isPumping = false
      this.#wake = undefined
      this.#sleepsUntilMs = 0
    }
  }

  /** True while somebody still waits. */
  #serve(): boolean {
    const monotonicMs = this.#clock.monotonicMs()
    let isDry = this.#closing.aborted
    for (const receiver of [...this.#waiting]) {
      const deliveries = isDry ? [] : this.#take(receiver.request)
      isDry = deliveries.length === 0
      const isOver = this.#closing.aborted || receiver.deadlineMonotonicMs <= monotonicMs
      if (deliveries.length > 0 || isOver) receiver.resolve(deliveries)
    }
    return this.#waiting.size > 0
  }

  #sleepMs(): number {
    const monotonicMs = this.#clock.monotonicMs()
    const nowMs = this.#clock.now()
    let sleepMs = LONGEST_SLEEP_MS
    for (const receiver of this.#waiting)
      sleepMs = Math.min(sleepMs, receiver.deadlineMonotonicMs - monotonicMs)
    const visibleMs = this.#deadlines.nextMonotonicMs()
    if (visibleMs !== undefined) sleepMs = Math.min(sleepMs, visibleMs - monotonicMs)
    const dueMs = this.#queue.inFlight.size >= MAX_IN_FLIGHT ? undefined : this.#queue.nextDueMs()
    if (dueMs !== undefined) sleepMs = Math.min(sleepMs, dueMs - nowMs)
    this.#sleepsUntilMs = nowMs + sleepMs
    return Math.ceil(sleepMs)
  }

  #take(request: ReceiveRequest): Delivery[] {
    const nowMs = this.#clock.now()
    const monotonicMs = this.#clock.monotonicMs()
    this.#deadlines.returnExpired(monotonicMs)
    const deliveries: Delivery[] = []
    let characters = 0
    while (
      deliveries.length < request.maxMessages &&
      characters < MAX_RECEIVED_CHARACTERS &&
      this.#queue.inFlight.size < MAX_IN_FLIGHT
    ) {
      const message = this.#queue.takeDue(nowMs)
      if (message === undefined) break
      const { dueMs, no, body, group } = message
      const receiveCount = message.receiveCount + 1
      // The number comes first, so that a receipt leads to its delivery: '.' ends what parseInt reads.
      const messageId = no.toString(36)
      const receipt = `${messageId}.${(++this.#receipts).toString(36)}`
      const visibleAtMonotonicMs = monotonicMs + request.visibilityMs
      const delivery = { dueMs, no, group, receipt, receiveCount, visibleAtMonotonicMs, settling: false }
      this.#queue.inFlight.set(no, delivery)
      this.#deadlines.add(delivery)
      const sentAtMs = message.sentAtMs ?? dueMs
      const delivered = { messageId, receipt, body, receiveCount, sequenceNumber: String(no), sentAtMs }
      deliveries.push(group === undefined ? delivered : { ...delivered, group })
      characters += body.length
    }
    return deliveries
  }
}
