import type { ReadPosition } from '../aggregate/read-position.ts'
import { keys } from '../fail/keys.ts'
import type { Table, TableValue, WriteResult } from '../ports/table.ts'
import { Fenced } from '../runtime/fenced.ts'
import type { SavedProducer } from './copies.ts'

/**
 * Where a subscription stands in a shard.
 *
 * - C1 Every record before `from` is resolved, or in the failure ledger (I2).
 * - C2 `runs` says which records from `from` on are resolved too: alternating run lengths, unresolved first.
 * - C3 No record more than `MAX_UNSAVED_RECORDS` after the first `upTo` ones was ever started.
 * - C4 Only the newest epoch writes.
 */
export interface Checkpoint {
  readonly streamId: string
  readonly pass: number
  readonly from: ReadPosition
  readonly runs: string
  /** Records from `from` on that had been taken in when this was saved. */
  readonly upTo: number
  /** Records within aggregates count one by one in `runs` and `upTo`. Absent: none were taken in from this shard. */
  readonly hasAggregates?: true
  /** Marked records before `from`: what a copy is known by. Absent: none. */
  readonly copies?: readonly SavedProducer[]
  /** The shard is closed and everything in it is resolved or in the ledger. */
  readonly ended: boolean
  readonly expiredRecords: number
  readonly epoch: number
  readonly savedAtMs: number
  /** Arrival of the oldest record that was not resolved then, for other processes. Absent: none was. */
  readonly waitingSinceMs?: number
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint
  readonly version: number
}

export class Checkpoints {
  readonly #table: Table
  readonly #subscription: string

  constructor(table: Table, subscription: string) {
    this.#table = table
    this.#subscription = subscription
  }

  async load(shardId: string): Promise<StoredCheckpoint | undefined> {
    const item = await this.#table.get({ partition: keys.checkpoint(this.#subscription), sort: shardId })
    return item === undefined
      ? undefined
      : { checkpoint: item.value as unknown as Checkpoint, version: item.version }
  }

  /**
   * Puts a subscription at another place, unless something was written since `before` was read.
   * @returns false when that is so: look again
   * @throws Fenced when a later epoch wrote
   */
  async place(
    shardId: string,
    before: StoredCheckpoint | undefined,
    checkpoint: Checkpoint,
  ): Promise<boolean> {
    if (before !== undefined && before.checkpoint.epoch > checkpoint.epoch)
      throw new Fenced(`shard ${shardId}`)
    return (await this.#put(shardId, before, checkpoint)).ok
  }

  /** @throws Fenced when a later epoch wrote (C4) */
  async save(
    shardId: string,
    before: StoredCheckpoint | undefined,
    checkpoint: Checkpoint,
  ): Promise<StoredCheckpoint> {
    // Read anew (a seek, a change of the policy) by a former owner that goes on beside its successor.
    if (before !== undefined && before.checkpoint.epoch > checkpoint.epoch)
      throw new Fenced(`shard ${shardId}`)
    let expected: StoredCheckpoint | undefined = before
    for (;;) {
      const written = await this.#put(shardId, expected, checkpoint)
      if (written.ok) return { checkpoint, version: written.version }
      const current =
        written.current === undefined
          ? undefined
          : { checkpoint: written.current.value as unknown as Checkpoint, version: written.current.version }
      if (current !== undefined && current.checkpoint.epoch > checkpoint.epoch)
        throw new Fenced(`shard ${shardId}`)
      // A former owner's last save came late, or the answer to our own was lost: ours is the truth.
      expected = current
    }
  }

  #put(shardId: string, before: StoredCheckpoint | undefined, checkpoint: Checkpoint): Promise<WriteResult> {
    return this.#table.put(
      {
        partition: keys.checkpoint(this.#subscription),
        sort: shardId,
        value: checkpoint as unknown as TableValue,
      },
      before === undefined ? 'absent' : before.version,
    )
  }
}
