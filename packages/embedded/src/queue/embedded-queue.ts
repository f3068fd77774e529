import {
  type Clock,
  DEDUPLICATION_WINDOW_MS,
  type Delivery,
  EngineClosedError,
  InvalidOptionError,
  MAX_MESSAGE_DELAY_MS,
  messageProblem,
  type Queue,
  type QueueMessage,
  type QueueStats,
  type ReceiveRequest,
  type SendResult,
} from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import type { GroupCommitter } from '../store/group-commit.ts'
import { afterPrefix, uint32Key } from '../store/key-bytes.ts'
import {
  encodeMessage,
  messageKey,
  parseMessageKey,
  type StoredMessage,
  setReceiveCount,
} from './message-codec.ts'
import type { MessageGroups } from './message-groups.ts'
import { QueueReceivers } from './queue-receivers.ts'
import { checkQueueName, type QueueRegistry } from './queue-registry.ts'
import type { InFlight, QueueState } from './queue-state.ts'
import type { SentBefore } from './sent-before.ts'

const MAX_RECEIVED = 1_000
const MESSAGES_AN_OPERATION = 1_000
const PURGED_AN_OPERATION = 5_000
const MAX_COUNTED_DELAYED = 10_000

export interface EmbeddedQueueParts {
  readonly registry: QueueRegistry
  readonly messages: ByteMap
  readonly groups: MessageGroups
  readonly sentBefore: SentBefore
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
      const { no, group } = delivery
      const next = group === undefined ? undefined : this.#parts.groups.leave(scope, queue.no, no, group)
      scope.onCommitted(() => {
        queue.gone(no)
        if (next !== undefined) this.#arrived(queue, [next])
      })
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
      setReceiveCount(value, delivery.receiveCount)
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

  async stats(name: string): Promise<QueueStats> {
    const queue = this.#parts.registry.get(name)
    if (queue === undefined) return { messages: 0, inFlight: 0, delayed: 0, oldestDueAtMs: undefined }
    const nowMs = this.#parts.clock.now()
    return {
      messages: queue.depth,
      inFlight: queue.inFlight.size,
      delayed: queue.countDelayed(nowMs, MAX_COUNTED_DELAYED),
      oldestDueAtMs: queue.oldestDueMs(nowMs),
    }
  }

  async purge(name: string): Promise<void> {
    const queue = this.#parts.registry.get(name)
    if (queue === undefined) return
    let before = Number.MAX_SAFE_INTEGER
    // What waits in groups goes first: an ack in between lets nothing of it move to where was looked already.
    for (let waiting: Buffer | undefined, isFirst = true; isFirst || waiting !== undefined; isFirst = false) {
      const start: Buffer | undefined = waiting
      waiting = await this.#parts.committer.submit(PURGED_AN_OPERATION * 64, (scope) => {
        this.#parts.registry.join(scope, queue.name)
        before = Math.min(before, this.#parts.registry.nextMessageNo(scope))
        const { groups } = this.#parts
        const { removed, next } = groups.removeSome(scope, queue.no, start, before, PURGED_AN_OPERATION)
        queue.depth -= removed
        return next
      })
    }
    let from: Buffer | undefined = uint32Key(queue.no)
    while (from !== undefined) {
      const start: Buffer = from
      from = await this.#parts.committer.submit(PURGED_AN_OPERATION * 32, (scope) =>
        this.#purgeSome(scope, queue, start, before),
      )
    }
    this.#receiversOf(queue).changed()
  }

  async #sendSome(name: string, messages: readonly QueueMessage[]): Promise<SendResult[]> {
    const refused = messages.map(refuse)
    if (refused.every((result) => result !== undefined)) return refused as SendResult[]
    const bytes = messages.reduce(
      (sum, { body }, i) => sum + 64 + (refused[i] === undefined ? body.length : 0),
      64,
    )
    // From the call on, not from when its commit comes round.
    const nowMs = this.#parts.clock.now()
    return this.#parts.committer.submit(bytes, (scope) => {
      const queue = this.#parts.registry.join(scope, name)
      const depthBefore = queue.depth
      const arrived: StoredMessage[] = []
      const results = messages.map(
        (message, i): SendResult => refused[i] ?? this.#sendOne(scope, queue, message, nowMs, arrived),
      )
      if (queue.depth > depthBefore) scope.onCommitted(() => this.#arrived(queue, arrived))
      return results
    })
  }

  /** @param arrived - takes the message, if it may be delivered when it is due */
  #sendOne(
    scope: CommitScope,
    queue: QueueState,
    message: QueueMessage,
    nowMs: number,
    arrived: StoredMessage[],
  ): SendResult {
    const { registry, messages, groups, sentBefore } = this.#parts
    const { body, group, delayMs, deduplicationId } = message
    const first =
      deduplicationId === undefined ? undefined : sentBefore.find(queue.no, deduplicationId, nowMs)
    if (first !== undefined) return { ok: true, messageId: messageIdOf(first), duplicate: true }
    // Rounded up to a whole millisecond, so that it is never early (I5).
    const stored = { dueMs: Math.ceil(nowMs + delayMs), no: registry.nextMessageNo(scope) }
    const content = encodeMessage({ sentAtMs: Math.ceil(nowMs), group, body })
    if (group === undefined || groups.join(scope, queue.no, stored.no, group, content)) {
      scope.put(messages, messageKey(queue.no, stored), content)
      arrived.push(stored)
    }
    queue.depth++
    if (deduplicationId !== undefined) {
      const untilMs = Math.ceil(nowMs + (message.deduplicationWindowMs ?? DEDUPLICATION_WINDOW_MS))
      sentBefore.remember(scope, queue.no, deduplicationId, { no: stored.no, nowMs, untilMs })
    }
    return { ok: true, messageId: messageIdOf(stored.no) }
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
  return delayMs >= 0 && delayMs <= MAX_MESSAGE_DELAY_MS
}

function messageIdOf(no: number): string {
  return no.toString(36)
}

function refuse(message: QueueMessage): SendResult | undefined {
  const { body } = message
  const problem = messageProblem(message, typeof body === 'string' ? Buffer.byteLength(body) : 0)
  return problem === undefined ? undefined : { ok: false, retryable: false, message: problem }
}
