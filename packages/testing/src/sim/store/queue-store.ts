import { DEDUPLICATION_WINDOW_MS, type Delivery, type QueueMessage, type QueueStats } from '@eddy/core'
import { SortedArray } from './sorted-array.ts'

/** A message as the simulated queue holds it. */
export interface StoredMessage {
  readonly messageId: string
  readonly body: string
  readonly group: string | undefined
  readonly order: number
  readonly sentAtMs: number
  /** Since when it may be delivered: what `dueAtMs` is before a delivery moves it. */
  readonly dueSinceMs: number
  /** When it may be delivered (again). */
  readonly dueAtMs: number
  readonly receiveCount: number
  /** Deliveries not yet answered: until when their receipts count. Empty: it waits for its due time. */
  readonly receipts: ReadonlyMap<string, number>
}

type MutableMessage = { -readonly [K in keyof StoredMessage]: StoredMessage[K] } & {
  receipts: Map<string, number>
}

/** One queue: messages by due time. Of a group only the first one is among them; the others wait for its ack. */
export class QueueStore {
  readonly #messages = new Map<string, MutableMessage>()
  readonly #byDue = new SortedArray<MutableMessage>((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order)
  readonly #byReceipt = new Map<string, MutableMessage>()
  /** A group's messages in the order they were sent, the first one included. */
  readonly #groups = new Map<string, MutableMessage[]>()
  readonly #sentBefore = new Map<string, { readonly messageId: string; readonly untilMs: number }>()
  #order = 0
  /** Sees every message that is accepted, acknowledged or purged: past all ports and faults. */
  onChange: ((kind: 'accepted' | 'acknowledged' | 'purged', message: StoredMessage) => void) | undefined

  get depth(): number {
    return this.#messages.size
  }

  messages(): readonly StoredMessage[] {
    return [...this.#messages.values()].sort((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order)
  }

  stats(nowMs: number): QueueStats {
    const all = this.messages()
    const inFlight = all.filter((message) => message.receipts.size > 0 && message.dueAtMs > nowMs).length
    const due = all.filter((message) => message.dueSinceMs <= nowMs)
    return {
      messages: all.length,
      inFlight,
      delayed: all.length - due.length,
      oldestDueAtMs: due.length === 0 ? undefined : Math.min(...due.map((message) => message.dueSinceMs)),
    }
  }

  nextDueAtMs(): number | undefined {
    return this.#byDue.at(0)?.dueAtMs
  }

  send(
    { body, group, deduplicationId, deduplicationWindowMs }: QueueMessage,
    dueAtMs: number,
    nowMs: number,
  ): { readonly messageId: string; readonly duplicate?: boolean } {
    const first = deduplicationId === undefined ? undefined : this.#sentBefore.get(deduplicationId)
    if (first !== undefined && first.untilMs > nowMs) return { messageId: first.messageId, duplicate: true }
    this.#order += 1
    const messageId = `m${this.#order}`
    const message: MutableMessage = {
      messageId,
      body,
      group,
      order: this.#order,
      sentAtMs: nowMs,
      dueAtMs,
      dueSinceMs: dueAtMs,
      receiveCount: 0,
      receipts: new Map(),
    }
    this.#messages.set(messageId, message)
    this.onChange?.('accepted', message)
    if (deduplicationId !== undefined) {
      const untilMs = nowMs + (deduplicationWindowMs ?? DEDUPLICATION_WINDOW_MS)
      this.#sentBefore.set(deduplicationId, { messageId, untilMs })
    }
    const waiting = group === undefined ? undefined : this.#groups.get(group)
    if (waiting !== undefined) {
      waiting.push(message)
      return { messageId }
    }
    if (group !== undefined) this.#groups.set(group, [message])
    this.#byDue.insert(message)
    return { messageId }
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
    const { body, group, order, sentAtMs } = message
    return {
      messageId,
      receipt,
      body,
      receiveCount,
      ...(group !== undefined && { group }),
      sequenceNumber: String(order),
      sentAtMs,
    }
  }

  /** False for a void receipt. */
  ack(receipt: string, nowMs: number): boolean {
    const message = this.#valid(receipt, nowMs)
    if (message === undefined) return false
    this.#voidReceipts(message)
    this.#byDue.remove(message)
    this.#messages.delete(message.messageId)
    this.onChange?.('acknowledged', message)
    if (message.group !== undefined) this.#followInGroup(message.group)
    return true
  }

  /** False for a void receipt. */
  delay(receipt: string, dueAtMs: number, nowMs: number): boolean {
    const message = this.#valid(receipt, nowMs)
    if (message === undefined) return false
    this.#voidReceipts(message)
    message.dueSinceMs = dueAtMs
    this.#move(message, dueAtMs)
    return true
  }

  purge(): void {
    for (const message of this.#messages.values()) this.onChange?.('purged', message)
    this.#messages.clear()
    this.#byDue.clear()
    this.#byReceipt.clear()
    this.#groups.clear()
  }

  #followInGroup(group: string): void {
    const messages = this.#groups.get(group)
    messages?.shift()
    const next = messages?.[0]
    if (next === undefined) this.#groups.delete(group)
    else this.#byDue.insert(next)
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
