import type { Clock, PutItem, Table } from '@eddy/core'
import { Burials } from './burials.ts'
import { LiveQueue, type Tallies } from './live-queue.ts'
import { noSuchQueue, overLimit } from './sqs-errors.ts'
import type { SqsLimits } from './sqs-limits.ts'
import type { Journal } from './store/journal.ts'
import type { StoredMoveTask, StoredQueue } from './store/stored.ts'
import { SEQUENCES } from './store/table-keys.ts'

/** Sequences are written down so many at a time, before the first of them is given out. */
const RESERVED_SEQUENCES = 10_000

export interface WorldParts {
  readonly table: Table
  readonly clock: Clock
  readonly journal: Journal
  readonly limits: SqsLimits
  /** No move task goes on. */
  readonly readOnly: boolean
  /** Aborts when this world ends: the server stops, or what is in memory can no longer be trusted. */
  readonly signal: AbortSignal
}

/** All queues, as they were loaded and have become since. Synchronous but for its journal. */
export class SqsWorld {
  readonly table: Table
  readonly clock: Clock
  readonly journal: Journal
  readonly limits: SqsLimits
  readonly signal: AbortSignal
  readonly queues: Map<string, LiveQueue> = new Map()
  /** When queues were deleted, by name. */
  readonly deletedAtMs: Map<string, number> = new Map()
  /** By task handle. */
  readonly moveTasks: Map<string, StoredMoveTask> = new Map()
  readonly #tallies: Tallies = { messages: { used: 0 }, deduplicationIds: { used: 0 } }
  readonly #burials: Burials

  constructor(parts: WorldParts) {
    this.table = parts.table
    this.clock = parts.clock
    this.journal = parts.journal
    this.limits = parts.limits
    this.signal = parts.signal
    this.#burials = new Burials(this.journal)
  }

  addQueue(stored: StoredQueue): LiveQueue {
    const queue = new LiveQueue(stored, this.#tallies, this.clock)
    this.queues.set(stored.name, queue)
    return queue
  }

  /** @throws AwsError if there is none of this name */
  queue(name: string): LiveQueue {
    const queue = this.queues.get(name)
    if (queue === undefined) throw noSuchQueue()
    return queue
  }

  /** Lets time pass in a queue. What expired is removed from the table too. */
  settle(queue: LiveQueue): void {
    const expired = queue.state.settle(this.clock.now(), queue.retentionMs)
    this.#burials.add(queue, expired)
  }

  /** @throws AwsError if so many more messages would be too many for this process's memory (I6) */
  requireRoom(count: number): void {
    const { used } = this.#tallies.messages
    if (used + count <= this.limits.messages) return
    throw overLimit(
      `The queues of this endpoint hold ${used} messages, and at most ${this.limits.messages} are allowed.`,
    )
  }

  /** @throws AwsError if one more deduplication id would be one too many (I6) */
  requireRoomForDeduplication(): void {
    const ids = this.#tallies.deduplicationIds
    if (ids.used < this.limits.messages) return
    for (const queue of this.queues.values()) queue.deduplication.forget(this.clock.now())
    if (ids.used < this.limits.messages) return
    throw overLimit(
      `The queues of this endpoint remember ${ids.used} deduplication ids of the last five minutes.`,
    )
  }

  /** The next sequence of a queue, and what is to be written before it is given out. */
  nextSequence(queue: LiveQueue): { readonly sequence: number; readonly puts: readonly PutItem[] } {
    const sequence = queue.nextSequence++
    if (sequence < queue.reservedSequence) return { sequence, puts: [] }
    queue.reservedSequence = sequence + RESERVED_SEQUENCES
    return { sequence, puts: [sequenceItem(queue)] }
  }
}

function sequenceItem(queue: LiveQueue): PutItem {
  return { partition: SEQUENCES, sort: queue.id, value: { reserved: queue.reservedSequence } }
}
