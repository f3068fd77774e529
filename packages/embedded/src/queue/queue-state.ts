/**
 * What is kept in memory of a queue. Messages lie in LMDB in due order; memory holds a bounded page of those that are
 * due, the deliveries in flight, and the few that must be looked at again out of order.
 *
 * Q1. A stored message is on exactly one side of `cursor`: behind it (not looked at yet), or before it and then in
 *     `page`, in `early`, in flight, or being removed.
 * Q2. Nothing is handed out before its due time (I5).
 * Q3. `page`, `early` and `inFlight` are bounded (I6); at the bound of `inFlight` nothing is handed out, at the bound
 *     of `early` the cursor returns to the start and the messages are found again.
 */

import { asBuffer } from '../store/as-buffer.ts'
import type { ByteMap } from '../store/environment.ts'
import { afterPrefix, uint32Key } from '../store/key-bytes.ts'
import {
  compareMessages,
  decodeMessage,
  messageKey,
  parseMessageKey,
  type StoredMessage,
  type WaitingMessage,
} from './message-codec.ts'
import { MessageHeap } from './message-heap.ts'

const MAX_PAGE_MESSAGES = 1_000
const MAX_PAGE_BYTES = 4 * 1024 * 1024
const MAX_EARLY = 20_000
/** Beyond it counts are forgotten; a receive count is only as far as the engine knows. */
const MAX_COUNTS = 200_000
export const MAX_IN_FLIGHT = 120_000

export interface InFlight extends StoredMessage {
  readonly group: string | undefined
  readonly receipt: string
  readonly receiveCount: number
  /** On the monotonic clock. */
  readonly visibleAtMonotonicMs: number
  /** An ack or a delay is being committed: it must not be delivered again meanwhile. */
  settling: boolean
}

export class QueueState {
  readonly no: number
  readonly name: string
  /** Messages not yet acknowledged; runs inside a commit. */
  depth: number
  readonly inFlight: Map<number, InFlight> = new Map()
  readonly #messages: ByteMap
  #page: WaitingMessage[] = []
  #pageAt = 0
  readonly #early = new MessageHeap()
  /** Receive counts of messages that came back in this process, by message number. */
  readonly #counts = new Map<number, number>()
  #cursor: StoredMessage | undefined

  constructor(no: number, name: string, depth: number, messages: ByteMap) {
    this.no = no
    this.name = name
    this.depth = depth
    this.#messages = messages
  }

  /** A message was committed. One that lies before the cursor would otherwise never be seen. */
  arrived(message: StoredMessage): void {
    // A page read between the commit and this call may hold it already.
    if (this.#cursor === undefined || compareMessages(message, this.#cursor) > 0) return
    if (this.inFlight.has(message.no) || this.#isInPage(message)) return
    this.#lookAgainAt(message)
  }

  /** A delivery ended without an ack. */
  returned(message: InFlight): void {
    this.inFlight.delete(message.no)
    if (this.#counts.size >= MAX_COUNTS) this.#counts.clear()
    this.#counts.set(message.no, message.receiveCount)
    this.#lookAgainAt(message)
  }

  /** The message was removed. */
  gone(no: number): void {
    this.inFlight.delete(no)
    this.#counts.delete(no)
  }

  clear(): void {
    this.inFlight.clear()
    this.#counts.clear()
    this.#rescan()
  }

  /** Takes the next due message, or undefined when none is due at `nowMs`. */
  takeDue(nowMs: number): WaitingMessage | undefined {
    for (;;) {
      this.#fillPage(nowMs)
      const inPage = this.#page[this.#pageAt]
      const early = this.#early.peek()
      if (
        early !== undefined &&
        early.dueMs <= nowMs &&
        (inPage === undefined || compareMessages(early, inPage) < 0)
      ) {
        this.#early.pop()
        const message = this.#load(early)
        if (message !== undefined) return message
        continue
      }
      if (inPage === undefined || inPage.dueMs > nowMs) return undefined
      this.#pageAt++
      return this.#withCount(inPage)
    }
  }

  /** The due time of the next message that is not in flight, or undefined when there is none. */
  nextDueMs(): number | undefined {
    const inPage = this.#page[this.#pageAt]?.dueMs
    const early = this.#early.peek()?.dueMs
    const stored = inPage === undefined ? this.#nextStored()?.dueMs : inPage
    if (early === undefined) return stored
    return stored === undefined ? early : Math.min(early, stored)
  }

  #fillPage(nowMs: number): void {
    if (this.#pageAt < this.#page.length) return
    this.#page = []
    this.#pageAt = 0
    let bytes = 0
    for (const { key, value } of this.#messages.getRange(this.#rangeAfterCursor(nowMs))) {
      const message = parseMessageKey(key)
      this.#cursor = message
      // After the cursor went back, messages in flight are met again.
      if (this.inFlight.has(message.no)) continue
      this.#page.push(decodeMessage(message, asBuffer(value)))
      bytes += value.length
      if (this.#page.length >= MAX_PAGE_MESSAGES || bytes >= MAX_PAGE_BYTES) return
    }
  }

  #nextStored(): StoredMessage | undefined {
    for (const key of this.#messages.getKeys(this.#rangeAfterCursor(undefined))) {
      const message = parseMessageKey(key)
      if (!this.inFlight.has(message.no)) return message
    }
    return undefined
  }

  /** Behind the cursor, up to what is due at `nowMs`. */
  #rangeAfterCursor(nowMs: number | undefined): { start: Buffer; end: Buffer } {
    const prefix = uint32Key(this.no)
    const start =
      this.#cursor === undefined
        ? prefix
        : messageKey(this.no, { dueMs: this.#cursor.dueMs, no: this.#cursor.no + 1 })
    const end =
      nowMs === undefined
        ? afterPrefix(prefix)
        : messageKey(this.no, { dueMs: Math.max(0, Math.floor(nowMs) + 1), no: 0 })
    return { start, end }
  }

  #load(message: StoredMessage): WaitingMessage | undefined {
    if (this.inFlight.has(message.no)) return undefined
    const value = this.#messages.getBinary(messageKey(this.no, message))
    if (value === undefined) return undefined
    return this.#withCount(decodeMessage(message, value))
  }

  #withCount(message: WaitingMessage): WaitingMessage {
    const receiveCount = this.#counts.get(message.no)
    return receiveCount === undefined ? message : { ...message, receiveCount }
  }

  #isInPage(message: StoredMessage): boolean {
    for (let i = this.#pageAt; i < this.#page.length; i++) {
      if ((this.#page[i] as WaitingMessage).no === message.no) return true
    }
    return false
  }

  #lookAgainAt(message: StoredMessage): void {
    // Behind the cursor it will be found anyway (Q1).
    if (this.#cursor === undefined || compareMessages(message, this.#cursor) > 0) return
    if (this.#early.size >= MAX_EARLY) this.#rescan()
    else this.#early.push({ dueMs: message.dueMs, no: message.no })
  }

  /** Messages that are not due at `nowMs`, counted up to `limit`. */
  countDelayed(nowMs: number, limit: number): number {
    const { end } = this.#rangeAfterCursor(nowMs)
    const start = end
    return this.#messages.getKeysCount({ start, end: afterPrefix(uint32Key(this.no)), limit })
  }

  /** The due time of the message that is due longest at `nowMs`, those in flight included. */
  oldestDueMs(nowMs: number): number | undefined {
    const prefix = uint32Key(this.no)
    const range = { start: prefix, end: afterPrefix(prefix), limit: 1 }
    for (const key of this.#messages.getKeys(range)) {
      const { dueMs } = parseMessageKey(key)
      return dueMs <= nowMs ? dueMs : undefined
    }
    return undefined
  }

  /** Starts over: every stored message that is not in flight is found again. */
  #rescan(): void {
    this.#cursor = undefined
    this.#page = []
    this.#pageAt = 0
    this.#early.clear()
  }
}
