import type { ReadPosition } from '../aggregate/read-position.ts'
import type { Reading } from '../lease/reading.ts'
import { afterPosition, type Position, positionOf } from '../model/position.ts'
import type { ShardInfo } from '../ports/log.ts'
import { Fenced } from '../runtime/fenced.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { Checkpoints, StoredCheckpoint } from './checkpoint.ts'
import type { Copies } from './copies.ts'
import { encodeRuns } from './resolved-runs.ts'
import type { ShardProgress } from './shard-progress.ts'

interface PassedPlace {
  readonly shard: Pick<ShardInfo, 'depth'>
  readonly pass: number
}

export interface CheckpointPlace extends PassedPlace {
  readonly shard: ShardInfo
  readonly streamId: string
  readonly reading: Reading
  /** Arrival of the oldest record that is not resolved. */
  readonly waitingSinceMs: () => number | undefined
}

/** Saves a shard's progress, one write at a time, and knows what of it is durable. */
export class CheckpointKeeper {
  readonly #parts: SubscriptionParts
  readonly #checkpoints: Checkpoints
  readonly #place: CheckpointPlace
  readonly #progress: ShardProgress
  readonly #copies: Copies
  #stored: StoredCheckpoint | undefined
  #savedUpTo: number
  #savedChanges: number
  #passedBefore: Position | undefined
  #saving: Promise<void> = Promise.resolve()
  #nextSave: Promise<void> | undefined

  constructor(
    parts: SubscriptionParts,
    checkpoints: Checkpoints,
    place: CheckpointPlace,
    progress: ShardProgress,
    copies: Copies,
    start: StoredCheckpoint | undefined,
  ) {
    this.#parts = parts
    this.#checkpoints = checkpoints
    this.#place = place
    this.#progress = progress
    this.#copies = copies
    this.#stored = start
    this.#savedUpTo = start?.checkpoint.upTo ?? 0
    // A first checkpoint is worth saving even before there is a record.
    this.#savedChanges = start === undefined ? -1 : progress.changes
    this.#passedBefore = start === undefined ? undefined : passedBound(place, start.checkpoint.from)
  }

  /** The durable checkpoint. */
  get stored(): StoredCheckpoint | undefined {
    return this.#stored
  }

  /** Ordinals that the durable checkpoint knows of (C3). */
  get savedUpTo(): number {
    return this.#savedUpTo
  }

  get isDirty(): boolean {
    return this.#savedChanges !== this.#progress.changes
  }

  /** True when the durable checkpoint is past the position. */
  hasPassed(position: Position): boolean {
    return this.#passedBefore !== undefined && position < this.#passedBefore
  }

  /** @throws Fenced, or what the table throws: nothing is lost, save again */
  async save(ended = false): Promise<void> {
    // One under way, one waiting: the waiting one will see everything that came meanwhile.
    if (this.#nextSave !== undefined && !ended) return await this.#nextSave
    const save = this.#saving.then(() => {
      this.#nextSave = undefined
      return this.#saveNow(ended)
    })
    this.#nextSave = save
    this.#saving = save.catch(() => {})
    await save
  }

  async #saveNow(ended: boolean): Promise<void> {
    if (!this.isDirty && !ended) return
    const { shard, streamId, pass, reading } = this.#place
    if (reading.isOver()) throw new Fenced(`shard ${shard.shardId}`)
    const { admitted, base, changes, expiredRecords } = this.#progress
    const from = this.#progress.from()
    const copies = this.#copies.saved(base)
    const waitingSinceMs = this.#parts.owner.isShared ? this.#place.waitingSinceMs() : undefined
    this.#stored = await this.#checkpoints.save(shard.shardId, this.#stored, {
      streamId,
      pass,
      from,
      runs: encodeRuns(this.#progress.runs()),
      upTo: admitted - base,
      ...(this.#progress.hasAggregates && { hasAggregates: true }),
      ...(copies.length > 0 && { copies }),
      ended,
      expiredRecords,
      epoch: reading.epoch,
      ...(waitingSinceMs !== undefined && { waitingSinceMs }),
      savedAtMs: this.#parts.engine.clock.now(),
    })
    this.#savedChanges = changes
    this.#savedUpTo = Math.max(this.#savedUpTo, admitted)
    this.#passedBefore = passedBound(this.#place, from)
  }
}

/** What sorts after every position that `from` is past, and before every other; undefined where nothing was read yet. */
export function passedBound(place: PassedPlace, from: ReadPosition): Position | undefined {
  if (!('sequenceNumber' in from)) return undefined
  const sub = from.at === 'at_sub_sequence_number' ? from.subSequenceNumber : undefined
  const position = positionOf(place.pass, place.shard.depth, from.sequenceNumber, sub)
  return from.at === 'after_sequence_number' ? afterPosition(position) : position
}
