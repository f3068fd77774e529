import { logPosition } from '../aggregate/read-position.ts'
import { type Checkpoint, Checkpoints } from '../consume/checkpoint.ts'
import type { Intake } from '../consume/intake.ts'
import { retryAfterMsOf } from '../errors/stream-errors.ts'
import type { StartPosition } from '../ports/log.ts'
import type { SubscriptionParts } from './subscription-parts.ts'

/** Looks at a shard's records are at least this far apart, however often somebody asks. */
const LOOK_EVERY_MS = 1_000

interface Look {
  readonly atMs: number
  /** Undefined: nothing waits. */
  readonly arrivedAtMs: Promise<number | undefined>
}

/**
 * How far a subscription is behind in each shard. A shard that is read knows itself; one that is not (its subscription
 * is paused or has stopped, or its parents are not done) is looked at, since its records grow old all the same.
 */
export class ShardLag {
  static readonly #known = new WeakMap<Intake, ShardLag>()
  readonly #parts: SubscriptionParts
  readonly #intake: Intake
  readonly #looks = new Map<string, Look>()
  readonly #waitingFrom = new Map<string, StartPosition>()

  /** The one of an intake, so that all who ask share its looks. */
  static of(parts: SubscriptionParts, intake: Intake): ShardLag {
    const known = ShardLag.#known.get(intake) ?? new ShardLag(parts, intake)
    ShardLag.#known.set(intake, known)
    return known
  }

  constructor(parts: SubscriptionParts, intake: Intake) {
    this.#parts = parts
    this.#intake = intake
  }

  /** Age of the oldest record that is not resolved; 0 when there is none, or none can be seen. Never rejects. */
  async lagMs(shardId: string): Promise<number> {
    if (this.#intake.hasEnded(shardId)) return 0
    const { clock } = this.#parts.engine
    const runner = this.#intake.runnerOf(shardId)
    const isRead = runner !== undefined && runner.state !== 'stopped' && !this.#parts.pause.isPaused
    // What was taken in before is older than what was not.
    if (runner !== undefined && (isRead || runner.buffered > 0)) return runner.lagMs(clock.now())
    const arrivedAtMs = await this.#look(shardId)
    return arrivedAtMs === undefined ? 0 : Math.max(0, clock.now() - arrivedAtMs)
  }

  /** By what another process stored, which reads the shard: its records are not looked at. */
  storedMs(stored: Checkpoint | undefined): number {
    const { ended, waitingSinceMs } = stored ?? {}
    if (ended === true || waitingSinceMs === undefined) return 0
    return Math.max(0, this.#parts.engine.clock.now() - waitingSinceMs)
  }

  /** Records of the shard that are not resolved; undefined when the engine does not know, or does not answer. Never rejects. */
  async lagRecords(shardId: string): Promise<number | undefined> {
    const { engine, definition } = this.#parts
    if (engine.log.countRecords === undefined || this.#intake.hasEnded(shardId)) return undefined
    try {
      return await engine.log.countRecords(definition.stream, shardId, await this.#fromOf(shardId))
    } catch {
      return undefined
    }
  }

  #look(shardId: string): Promise<number | undefined> {
    const nowMs = this.#parts.engine.clock.monotonicMs()
    const last = this.#looks.get(shardId)
    if (last !== undefined && nowMs - last.atMs < LOOK_EVERY_MS) return last.arrivedAtMs
    const arrivedAtMs = this.#firstArrival(shardId, last?.arrivedAtMs)
    this.#looks.set(shardId, { atMs: nowMs, arrivedAtMs })
    return arrivedAtMs
  }

  async #firstArrival(
    shardId: string,
    before: Promise<number | undefined> | undefined,
  ): Promise<number | undefined> {
    const { engine, definition } = this.#parts
    try {
      const { records, millisBehindLatest } = await engine.log.read({
        stream: definition.stream,
        shardId,
        from: await this.#fromOf(shardId),
        maxRecords: 1,
        maxBytes: 1,
        waitMs: 0,
      })
      if (records[0] !== undefined) return records[0].arrivedAtMs
      // An engine may answer early, with nothing, though something is stored.
      return millisBehindLatest > 0 ? engine.clock.now() - millisBehindLatest : undefined
    } catch (error) {
      // What was first a moment ago is still the best answer when the stream's limits allow no look now.
      if (retryAfterMsOf(error) !== undefined) return await before
      // A status is no place to fail in: whoever reads the shard tells of what is wrong with it.
      return undefined
    }
  }

  /** A shard that waits has the checkpoint it was placed at, if any, until it starts. */
  async #fromOf(shardId: string): Promise<StartPosition> {
    const runner = this.#intake.runnerOf(shardId)
    if (runner !== undefined) return logPosition(runner.checkpointFrom)
    const known = this.#waitingFrom.get(shardId)
    if (known !== undefined) return known
    const { engine, definition } = this.#parts
    const stored = await new Checkpoints(engine.table, definition.name).load(shardId)
    const from: StartPosition = logPosition(stored?.checkpoint.from ?? { at: 'trim_horizon' })
    this.#waitingFrom.set(shardId, from)
    return from
  }
}

/** What is listed, and what is still read though it is listed no more. */
export function shardIdsOf(intake: Intake): ReadonlySet<string> {
  return new Set(
    [...intake.shards, ...intake.runners.map((runner) => runner.shard)].map((shard) => shard.shardId),
  )
}
