import type { Clock } from '@eddy/core'
import { wholeAttribute } from './attributes/attribute-rules.ts'
import { parseRedrivePolicy, type RedrivePolicy } from './attributes/redrive-policy.ts'
import { Deduplication } from './state/deduplication.ts'
import { QueueState } from './state/queue-state.ts'
import { ReceiveAttempts } from './state/receive-attempts.ts'
import type { Tally } from './state/tally.ts'
import type { StoredQueue } from './store/stored.ts'
import { Waiters } from './waiters.ts'

/** What all queues share the limits of. */
export interface Tallies {
  readonly messages: Tally
  readonly deduplicationIds: Tally
}

/** One queue in memory: what is stored of it, and what follows from that. */
export class LiveQueue {
  readonly state: QueueState
  readonly deduplication: Deduplication
  readonly attempts: ReceiveAttempts = new ReceiveAttempts()
  readonly waiters: Waiters
  /** Next one to give out. */
  nextSequence = 1
  /** Up to which this was written down that it may be given out. */
  reservedSequence = 1
  /** False once it was deleted: long polls that still know it look here. */
  isLive = true
  #stored: StoredQueue
  #redrive: RedrivePolicy | undefined

  constructor(stored: StoredQueue, tallies: Tallies, clock: Clock) {
    this.#stored = stored
    this.#redrive = parseRedrivePolicy(stored.attributes.RedrivePolicy)
    this.state = new QueueState(stored.fifo, tallies.messages)
    this.deduplication = new Deduplication(tallies.deduplicationIds)
    this.waiters = new Waiters(clock)
  }

  get id(): string {
    return this.#stored.id
  }

  get name(): string {
    return this.#stored.name
  }

  get fifo(): boolean {
    return this.#stored.fifo
  }

  get stored(): StoredQueue {
    return this.#stored
  }

  set stored(stored: StoredQueue) {
    this.#stored = stored
    this.#redrive = parseRedrivePolicy(stored.attributes.RedrivePolicy)
  }

  get redrive(): RedrivePolicy | undefined {
    return this.#redrive
  }

  get delayMs(): number {
    return 1_000 * wholeAttribute(this.#stored.attributes, 'DelaySeconds')
  }

  get retentionMs(): number {
    return 1_000 * wholeAttribute(this.#stored.attributes, 'MessageRetentionPeriod')
  }

  get visibilityMs(): number {
    return 1_000 * wholeAttribute(this.#stored.attributes, 'VisibilityTimeout')
  }

  get waitMs(): number {
    return 1_000 * wholeAttribute(this.#stored.attributes, 'ReceiveMessageWaitTimeSeconds')
  }

  get maxMessageBytes(): number {
    return wholeAttribute(this.#stored.attributes, 'MaximumMessageSize')
  }
}
