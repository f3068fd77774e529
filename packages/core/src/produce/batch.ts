import type { Lane } from './lane.ts'
import type { PendingRecord, WriterCall } from './pending-record.ts'
import type { ShardQueue } from './shard-queue.ts'

/** What one `Log.append` takes, as PutRecords does. */
export const MAX_BATCH_ENTRIES = 500
export const MAX_BATCH_BYTES: number = 10 * 1024 * 1024

export interface BatchRecord {
  readonly record: PendingRecord
  /** Undefined: nothing waits for the record. */
  readonly lane: Lane | undefined
  readonly queue: ShardQueue
}

/** The records of one call of the log. */
export class Batch {
  readonly records: BatchRecord[] = []
  readonly #maxEntries: number
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get isEmpty(): boolean {
    return this.records.length === 0
  }

  /** A record that is too large for any batch goes alone: the log says so. */
  fits(record: PendingRecord): boolean {
    if (this.records.length === 0) return true
    return this.records.length < this.#maxEntries && this.#bytes + record.bytes <= this.#maxBytes
  }

  /** It is sent now. @returns the calls that have records in it */
  begin(sentMs: number): ReadonlySet<WriterCall> {
    const calls = new Set<WriterCall>()
    for (const { record } of this.records) {
      calls.add(record.call)
      if (record.firstSentMs === undefined) record.firstSentMs = sentMs
      else record.call.counts.resent += 1
      record.tries += 1
    }
    for (const call of calls) call.counts.batches += 1
    return calls
  }

  add(record: BatchRecord): void {
    this.records.push(record)
    this.#bytes += record.record.bytes
  }
}
