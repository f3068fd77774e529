import { Fifo } from '../runtime/fifo.ts'
import type { Batch } from './batch.ts'
import type { PendingRecord } from './pending-record.ts'
import type { ShardQueue } from './shard-queue.ts'

/**
 * Records that must not change places, while one of them is under way: in a batch, or waiting to be sent again. At most one
 * batch has records of a lane (I3).
 */
export class Lane {
  /** Undefined: of a single record that nothing waits for, and that is to be sent again. */
  readonly name: string | undefined
  readonly queue: ShardQueue
  /** What comes next, in order. */
  readonly waiting: Fifo<PendingRecord> = new Fifo()
  /** The batch that has records of it. */
  batch: Batch | undefined

  constructor(name: string | undefined, queue: ShardQueue) {
    this.name = name
    this.queue = queue
  }
}
