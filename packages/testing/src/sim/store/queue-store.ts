import type { Delivery } from '@eddy/core'
import { SortedArray } from './sorted-array.ts'

/** A message as the simulated queue holds it. */
export interface StoredMessage {
  readonly messageId: string
  readonly body: string
  readonly order: number
  /** When it may be delivered (again). */
  readonly dueAtMs: number
  readonly receiveCount: number
  /** Deliveries not yet answered: until when their receipts count. Empty: it waits for its due time. */
  readonly receipts: ReadonlyMap<string, number>
}

type MutableMessage = { -readonly [K in keyof StoredMessage]: StoredMessage[K] } & {
  receipts: Map<string, number>
}

/** One queue: messages by due time. */
export class QueueStore {
  readonly #messages = new Map<string, MutableMessage>()
  readonly #byDue = new SortedArray<MutableMessage>((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order)
  readonly #byReceipt = new Map<string, MutableMessage>()
  #order = 0

  get depth(): number {
    return this.#messages.size
  }

  messages(): readonly StoredMessage[] {
    return this.#byDue.values()
  }

  nextDueAtMs(): number | undefined {
    return this.#byDue.at(0)?.dueAtMs
  }

  send(body: string, dueAtMs: number): string {
    this.#order += 1
    const messageId = `m${this.#order}`
    const message = { messageId, body, order: this.#order, dueAtMs, receiveCount: 0, receipts: new Map() }
    this.#messages.set(messageId, message)
    this.#byDue.insert(message)
    return messageId
  }

  /** Due messages, oldest due time first. */
  due(nowMs: number, limit: number): StoredMessage[] {
    const end = this.#byDue.firstNot((message) => message.dueAtMs <= nowMs)
    return this.#byDue.values().slice(0, Math.min(end, limit))
  }

  /** Messages that a receiver has and has not answered for. */
  inFlight(nowMs: number): StoredMessage[] {
    const start = this.#byDue.firstNot((message) => message.dueAtMs <= nowMs)
    return this.#byDue
      .values()
      .slice(start)
      .filter((message) => message.receipts.size > 0)
  }

  /** Hands the message out until the given time. A repeat leaves the receipts that are out valid. */
  deliver(messageId: string, untilMs: number, repeat: boolean): Delivery {
    const message = this.#messages.get(messageId) as MutableMessage
    if (!repeat) this.#voidReceipts(message)
    const receiveCount = message.receiveCount + 1
    message.receiveCount = receiveCount
    const receipt = `${messageId}:${receiveCount}`
    message.receipts.set(receipt, untilMs)
    this.#byReceipt.set(receipt, message)
    this.#move(message, repeat ? Math.max(message.dueAtMs, untilMs) : untilMs)
    return { messageId, receipt, body: message.body, receiveCount }
  }

  /** False for a void receipt. */
  ack(receipt: string, nowMs: number): boolean {
    const message = this.#valid(receipt, nowMs)
    if (message === undefined) return false
    this.#voidReceipts(message)
    this.#byDue.remove(message)
    this.#messages.delete(message.messageId)
    return true
  }

  /** False for a void receipt. */
  delay(receipt: string, dueAtMs: number, nowMs: number): boolean {
    const message = this.#valid(receipt, nowMs)
    if (message === undefined) return false
    this.#voidReceipts(message)
    this.#move(message, dueAtMs)
    return true
  }

  purge(): void {
    this.#messages.clear()
    this.#byDue.clear()
    this.#byReceipt.clear()
  }

  #valid(receipt: string, nowMs: number): MutableMessage | undefined {
    const message = this.#byReceipt.get(receipt)
    const untilMs = message?.receipts.get(receipt)
    return untilMs !== undefined && untilMs > nowMs ? message : undefined
  }

  #voidReceipts(message: MutableMessage): void {
    for (const receipt of message.receipts.keys()) this.#byReceipt.delete(receipt)
    message.receipts.clear()
  }

  #move(message: MutableMessage, dueAtMs: number): void {
    this.#byDue.remove(message)
    message.dueAtMs = dueAtMs
    this.#byDue.insert(message)
  }
}
