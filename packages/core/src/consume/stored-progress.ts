import { type Position, parsePosition } from '../model/position.ts'
import type { Clock } from '../ports/clock.ts'
import type { Checkpoints } from './checkpoint.ts'
import { passedBound } from './checkpoint-keeper.ts'

interface Known {
  /** Undefined: everything of the shard is done with. */
  readonly before: Position | undefined
  readonly isAll: boolean
  readonly atMs: number
}

/** A checkpoint is looked at again after this long: its owner saves about every second. */
const KNOWN_MS = 1_000
/** Shards (I6). */
const MAX_KNOWN = 1_000

/** Where one subscription stands in shards that other processes read, by their stored checkpoints. */
export class StoredProgress {
  readonly #checkpoints: Checkpoints
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(checkpoints: Checkpoints, clock: Clock) {
    this.#checkpoints = checkpoints
    this.#clock = clock
  }

  /** True when the stored checkpoint is past the position: a bound that was passed once stays so. */
  async hasPassed(shardId: string, position: Position): Promise<boolean> {
    const known = this.#known.get(shardId)
    if (known !== undefined) {
      if (isPast(known, position)) return true
      if (this.#clock.monotonicMs() - known.atMs < KNOWN_MS) return false
    }
    return isPast(await this.#look(shardId, position), position)
  }

  async #look(shardId: string, position: Position): Promise<Known> {
    const stored = await this.#checkpoints.load(shardId)
    const checkpoint = stored?.checkpoint
    const before =
      checkpoint === undefined
        ? undefined
        : passedBound({ pass: checkpoint.pass, shard: parsePosition(position) }, checkpoint.from)
    const known = { before, isAll: checkpoint?.ended === true, atMs: this.#clock.monotonicMs() }
    this.#known.delete(shardId)
    this.#known.set(shardId, known)
    const oldest = this.#known.keys().next().value
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    return known
  }
}

function isPast({ before, isAll }: Known, position: Position): boolean {
  return isAll || (before !== undefined && position < before)
}
