import {
  type Clock,
  type Delivery,
  EngineClosedError,
  InvalidOptionError,
  type Queue,
  type QueueMessage,
  type ReceiveRequest,
  type SendResult,
} from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import type { GroupCommitter } from '../store/group-commit.ts'
import { afterPrefix, uint32Key } from '../store/key-bytes.ts'
import { encodeMessage, messageKey, parseMessageKey, type StoredMessage } from './message-codec.ts'
import { QueueReceivers } from './queue-receivers.ts'
import { checkQueueName, type QueueRegistry } from './queue-registry.ts'
import type { InFlight, QueueState } from './queue-state.ts'

const MAX_BODY_BYTES = 64 * 1024
const MAX_DELAY_MS = 365 * 24 * 60 * 60 * 1_000
const MAX_RECEIVED = 1_000
const MESSAGES_AN_OPERATION = 1_000
const PURGED_AN_OPERATION = 5_000

export interface EmbeddedQueueParts {
  readonly registry: QueueRegistry
  readonly messages: ByteMap
  readonly committer: GroupCommitter
  readonly clock: Clock
  readonly closing: AbortSignal
}

/**
 * The `Queue` port over LMDB. What is in flight is known to this process alone: after a crash every message that was
 * not acknowledged is due again.
 */
export class EmbeddedQueue implements Queue {
  readonly #parts: EmbeddedQueueParts
  readonly #receivers = new Map<QueueState, QueueReceivers>()

  constructor(parts: EmbeddedQueueParts) {
    this.#parts = parts
  }

  async send(name: string, messages: readonly QueueMessage[]): Promise<readonly SendResult[]> {
    checkQueueName(name)
    const parts: Promise<SendResult[]>[] = []
    for (let from = 0; from < messages.length; from += MESSAGES_AN_OPERATION) {
      parts.push(this.#sendSome(name, messages.slice(from, from + MESSAGES_AN_OPERATION)))
    }
    return (await Promise.all(parts)).flat()
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    checkQueueName(request.queue)
    const { maxMessages, visibilityMs } = request
    if (!Number.isInteger(maxMessages) || maxMessages < 1 || maxMessages > MAX_RECEIVED) {
      throw new InvalidOptionError('maxMessages', `a whole number from 1 to ${MAX_RECEIVED}`, maxMessages)
    }
    if (!(visibilityMs >= 0)) throw new InvalidOptionError('visibilityMs', 'a number from 0 up', visibilityMs)
    if (this.#parts.closing.aborted) throw new EngineClosedError()
    const queue = this.#parts.registry.get(request.queue) ?? (await this.#create(request.queue))
    return this.#receiversOf(queue).receive(request)
  }

  async ack(name: string, receipts: readonly string[]): Promise<void> {
    const queue = this.#parts.registry.get(name)
    if (queue === undefined) return
    const deliveries = this.#claim(queue, receipts)
    if (deliveries.length === 0) return
    await this.#settle(queue, deliveries, (scope, delivery) => {
      scope.remove(this.#parts.messages, messageKey(queue.no, delivery))
      queue.depth--
      scope.onCommitted(() => queue.gone(delivery.no))
    })
  }

  async delay(name: string, receipt: string, delayMs: number): Promise<void> {
    if (!isDelay(delayMs)) throw new InvalidOptionError('delayMs', '0 to 365 days in milliseconds', delayMs)
    const queue = this.#parts.registry.get(name)
    if (queue === undefined) return
    const { messages, clock } = this.#parts
    // From the call on, not from when its commit comes round.
    const dueMs = dueAt(clock, delayMs)
    await this.#settle(queue, this.#claim(queue, [receipt]), (scope, delivery) => {
      const value = messages.getBinary(messageKey(queue.no, delivery))
      if (value === undefined) return
      const later = { dueMs, no: delivery.no }
      value.writeUInt32LE(delivery.receiveCount, 0)
      scope.remove(messages, messageKey(queue.no, delivery))
      scope.put(messages, messageKey(queue.no, later), value)
      scope.onCommitted(() => {
        queue.gone(later.no)
        this.#arrived(queue, [later])
      })
    })
  }

  async depth(name: string): Promise<number> {
    return this.#parts.registry.get(name)?.depth ?? 0
  }

  async purge(name: string): Promise<void> {
    const queue = this.#parts.registry.get(name)
    if (queue === undefined) return
    let from: Buffer | undefined = uint32Key(queue.no)
    let before = Number.MAX_SAFE_INTEGER
    while (from !== undefined) {
      const start: Buffer = from
      from = await this.#parts.committer.submit(PURGED_AN_OPERATION * 32, (scope) => {
        // Messages sent from here on stay.
        before = Math.min(before, this.#parts.registry.nextMessageNo(scope))
        return this.#purgeSome(scope, queue, start, before)
      })
    }
    this.#receiversOf(queue).changed()
  }

  async #sendSome(name: string, messages: readonly QueueMessage[]): Promise<SendResult[]> {
    const refused = messages.map(refuse)
    const bytes = messages.reduce((sum, message) => sum + 64 + message.body.length, 64)
    if (refused.every((result) => result !== undefined)) return refused as SendResult[]
    // From the call on, not from when its commit comes round.
    const due = messages.map((message) => dueAt(this.#parts.clock, message.delayMs))
    return this.#parts.committer.submit(bytes, (scope) => {
      const queue = this.#parts.registry.join(scope, name)
      const sent: StoredMessage[] = []
      const results = messages.map((message, i): SendResult => {
        const refusal = refused[i]
        if (refusal !== undefined) return refusal
        const stored = { dueMs: due[i] as number, no: this.#parts.registry.nextMessageNo(scope) }
        scope.put(this.#parts.messages, messageKey(queue.no, stored), encodeMessage(0, message.body))
        sent.push(stored)
        return { ok: true, messageId: stored.no.toString(36) }
      })
      queue.depth += sent.length
      scope.onCommitted(() => this.#arrived(queue, sent))
      return results
    })
  }

  #create(name: string): Promise<QueueState> {
    return this.#parts.committer.submit(128, (scope) => this.#parts.registry.join(scope, name))
  }

  #claim(queue: QueueState, receipts: readonly string[]): InFlight[] {
    const receivers = this.#receiversOf(queue)
    const claimed: InFlight[] = []
    for (const receipt of receipts) {
      const delivery = receivers.find(receipt)
      if (delivery === undefined) continue
      delivery.settling = true
      claimed.push(delivery)
    }
    return claimed
  }

  async #settle(
    queue: QueueState,
    deliveries: readonly InFlight[],
    write: (scope: CommitScope, delivery: InFlight) => void,
  ): Promise<void> {
    if (deliveries.length === 0) return
    const receivers = this.#receiversOf(queue)
    try {
      await this.#parts.committer.submit(deliveries.length * 64, (scope) => {
        this.#parts.registry.join(scope, queue.name)
        for (const delivery of deliveries) {
          // A purge may have taken it since.
          if (queue.inFlight.get(delivery.no) === delivery) write(scope, delivery)
        }
      })
      receivers.changed()
    } catch (error) {
      for (const delivery of deliveries) {
        if (queue.inFlight.get(delivery.no) === delivery) receivers.restore(delivery)
      }
      throw error
    }
  }

  #purgeSome(scope: CommitScope, queue: QueueState, start: Buffer, beforeNo: number): Buffer | undefined {
    const { messages, registry } = this.#parts
    registry.join(scope, queue.name)
    const range = { start, end: afterPrefix(uint32Key(queue.no)), limit: PURGED_AN_OPERATION }
    const keys = [...messages.getKeys(range)].map((key) => Buffer.from(key))
    for (const key of keys) {
      if (parseMessageKey(key).no >= beforeNo) continue
      scope.remove(messages, key)
      queue.depth--
    }
    scope.onCommitted(() => queue.clear())
    return keys.length === PURGED_AN_OPERATION ? keys.at(-1) : undefined
  }

  #arrived(queue: QueueState, messages: readonly StoredMessage[]): void {
    let earliestMs = Number.POSITIVE_INFINITY
    for (const message of messages) {
      queue.arrived(message)
      earliestMs = Math.min(earliestMs, message.dueMs)
    }
    this.#receivers.get(queue)?.arrived(earliestMs)
  }

  #receiversOf(queue: QueueState): QueueReceivers {
    let receivers = this.#receivers.get(queue)
    if (receivers === undefined) {
      receivers = new QueueReceivers(queue, this.#parts.clock, this.#parts.closing)
      this.#receivers.set(queue, receivers)
    }
    return receivers
  }
}

/** Rounded up to a whole millisecond, so that it is never early (I5). */
function dueAt(clock: Clock, delayMs: number): number {
  return Math.ceil(clock.now() + delayMs)
}

function isDelay(delayMs: number): boolean {
  return delayMs >= 0 && delayMs <= MAX_DELAY_MS
}

function refuse(message: QueueMessage): SendResult | undefined {
  if (typeof message.body !== 'string' || Buffer.byteLength(message.body) > MAX_BODY_BYTES) {
    return { ok: false, retryable: false, message: `body: expected text of at most ${MAX_BODY_BYTES} bytes` }
  }
  if (!isDelay(message.delayMs)) {
    return { ok: false, retryable: false, message: 'delayMs: expected 0 to 365 days in milliseconds' }
  }
  return undefined
}
