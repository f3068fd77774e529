import type { HandOver } from '../fail/hand-over.ts'
import type { LastStop } from '../lease/owner.ts'
import { places } from '../lease/places.ts'
import type { Reading } from '../lease/reading.ts'
import type { EddyEvent } from '../model/event.ts'
import type { Position } from '../model/position.ts'
import { compileFilter } from '../policies/filter.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { Checkpoints, type StoredCheckpoint } from './checkpoint.ts'
import { enoughReady, liveLanes } from './live-lanes.ts'
import type { LivePath } from './live-path.ts'
import { afterLostTail } from './lost-tail.ts'
import type { ShardReaders } from './shard-readers.ts'
import { ShardRunner, type ShardTask } from './shard-runner.ts'
import type { TaskLanes } from './task-lanes.ts'
import type { TaskOwner } from './task-owner.ts'

export interface IntakeOptions {
  readonly stream: StreamInfo
  /** Of the subscription: the least that a shard without a checkpoint begins in. */
  readonly pass: number
  /** Nothing is left that may have been running at the last death. */
  readonly isRecovered: boolean
  readonly readers: ShardReaders
}

/** Every task knows the shard that it is of. */
const OWNER: TaskOwner<ShardTask> = {
  begin: ({ runner }) => runner.begin(),
  done: (entry) => entry.runner.done(entry),
  failed: ({ runner }, error) => runner.failed(error),
  putBack: ({ runner }) => runner.putBack(),
}

/**
 * The live path of one subscription over all shards of its stream, from one start to one stop.
 *
 * A child of a split or merge starts after all its parents are done (I3).
 */
export class Intake {
  /** Each shard is one lane: `blocks` was `shard` when this began. */
  readonly isSharded: boolean
  readonly #parts: SubscriptionParts
  readonly #options: IntakeOptions
  readonly #stream: StreamInfo
  readonly #handOver: HandOver
  readonly #stopListening: () => void
  readonly #checkpoints: Checkpoints
  readonly #lanes: TaskLanes<ShardTask>
  readonly #filter: ((event: EddyEvent) => boolean) | undefined
  readonly #runners = new Map<string, ShardRunner>()
  readonly #running = new Set<Promise<void>>()
  readonly #ended = new Map<string, StoredCheckpoint | undefined>()
  #shards: readonly ShardInfo[] = []
  #looking: Promise<void> = Promise.resolve()
  #open = true

  constructor(parts: SubscriptionParts, options: IntakeOptions, livePath: LivePath, handOver: HandOver) {
    this.#parts = parts
    this.#options = options
    this.#stream = options.stream
    this.isSharded = parts.policy.failure.blocks === 'shard'
    this.#handOver = handOver
    const { name, filter } = parts.definition
    this.#checkpoints = new Checkpoints(parts.engine.table, name)
    // A held shard's task is under way for as long as the shard is held: it must not keep other shards from theirs.
    this.#lanes = liveLanes<ShardTask>(parts, livePath, OWNER, !this.isSharded)
    this.#lanes.onHungry(
      () => enoughReady(parts),
      () => {
        for (const runner of this.#runners.values()) runner.wake()
      },
    )
    this.#filter = filter === undefined ? undefined : compileFilter(filter)
    this.#stopListening = parts.pause.onChange(() => this.#lanes.pump())
  }

  get isClosed(): boolean {
    return !this.#open
  }

  get runners(): readonly ShardRunner[] {
    return [...this.#runners.values()]
  }

  get shards(): readonly ShardInfo[] {
    return this.#shards
  }

  /** True once no shard has events left that may have been running at the last death. */
  get isRecovered(): boolean {
    return this.#shards.length > 0 && this.runners.every((runner) => runner.isRecovered)
  }

  hasEnded(shardId: string): boolean {
    return this.#ended.has(shardId)
  }

  runnerOf(shardId: string): ShardRunner | undefined {
    return this.#runners.get(shardId)
  }

  /** A shard that is not listed any more has expired: nothing of it is to come. */
  hasPassed(shardId: string, position: Position): boolean {
    const runner = this.#runners.get(shardId)
    if (runner !== undefined) return runner.hasPassed(position)
    return (
      this.#ended.has(shardId) ||
      (this.#shards.length > 0 && !this.#shards.some((shard) => shard.shardId === shardId))
    )
  }

  /** Starts a runner for every shard that may be read: at the start, and whenever one has ended. */
  async discover(): Promise<void> {
    // One look after another: two at a time could start a shard twice.
    const look = this.#looking.then(() => this.#discover())
    this.#looking = look.catch(() => {})
    await look
  }

  async #discover(): Promise<void> {
    const { engine, stopping, logger } = this.#parts
    this.#shards = await persist(engine.clock, stopping, logger, 'listing shards', () =>
      engine.log.listShards(this.#stream.name),
    )
    for (const shard of this.#shards) {
      if (!this.#open) return
      if (this.#runners.has(shard.shardId) || this.#ended.has(shard.shardId)) continue
      const stored = await persist(engine.clock, stopping, logger, 'reading a checkpoint', () =>
        this.#checkpoints.load(shard.shardId),
      )
      if (stored?.checkpoint.ended === true) {
        this.#ended.set(shard.shardId, stored)
        continue
      }
      if (!this.#mayStart(shard)) continue
      const start = await this.#withinLog(shard, stored)
      const lease = this.#parts.owner.lease(places.shard(this.#stream.name, shard.shardId))
      if (lease === undefined) continue
      const reading = await lease.begin()
      if (!this.isSharded) await this.#handOver.letGo(shard.shardId, reading.epoch)
      if (!this.#open) return
      this.#start(shard, start, reading, this.#options.isRecovered ? 'clean' : lease.lastStop)
    }
  }

  async #withinLog(
    shard: ShardInfo,
    stored: StoredCheckpoint | undefined,
  ): Promise<StoredCheckpoint | undefined> {
    if (stored === undefined) return undefined
    const { engine, stopping, logger, definition } = this.#parts
    const moved = await persist(engine.clock, stopping, logger, 'looking for the end of a shard', () =>
      afterLostTail(engine.log, this.#stream, shard, stored, engine.clock.now()),
    )
    if (moved === undefined) return stored
    logger.error(
      {
        subscription: definition.name,
        shardId: shard.shardId,
        checkpoint: stored.checkpoint.from,
        end: moved.checkpoint.from,
      },
      'a checkpoint is ahead of its shard, whose tail is lost: reading goes on at the end of the shard',
    )
    return moved
  }

  /** Takes nothing more in and starts no more handlers; what runs goes on. */
  close(): void {
    this.#open = false
    this.#stopListening()
    this.#lanes.close()
    for (const runner of this.#runners.values()) runner.stop()
  }

  /** Resolves when the readers have stopped and no task is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running, ...this.runners.map((runner) => runner.idle())])
  }

  /** Saves every checkpoint that has something new. */
  async save(): Promise<void> {
    for (const runner of this.#runners.values()) await runner.save()
  }

  #mayStart(shard: ShardInfo): boolean {
    return shard.parentShardIds.every(
      (parent) => this.#ended.has(parent) || !this.#shards.some((listed) => listed.shardId === parent),
    )
  }

  #start(shard: ShardInfo, stored: StoredCheckpoint | undefined, reading: Reading, lastStop: LastStop): void {
    const { streamId, retentionMs } = this.#stream
    const { fanOut, name } = this.#parts.definition
    const runner = new ShardRunner(
      this.#parts,
      {
        shard,
        streamId,
        retentionMs,
        start: stored,
        from: stored?.checkpoint.from ?? { at: 'trim_horizon' },
        pass: stored?.checkpoint.pass ?? this.#inheritedPass(shard),
        copiesOfParents: shard.parentShardIds.map((parent) => this.#ended.get(parent)?.checkpoint.copies),
        isSharded: this.isSharded,
        reading,
        lastStop,
        filter: this.#filter,
        marker: this.#parts.crashMarker,
      },
      this.#options.readers.get(this.#stream, shard, fanOut ? name : undefined),
      this.#lanes,
      this.#checkpoints,
    )
    this.#runners.set(shard.shardId, runner)
    const running: Promise<void> = this.#follow(runner).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #follow(runner: ShardRunner): Promise<void> {
    const ended = await runner.run()
    if (!ended) return
    const { shardId } = runner.shard
    this.#runners.delete(shardId)
    this.#ended.set(shardId, runner.stored)
    try {
      await this.discover()
    } catch (error) {
      if (!(error instanceof Stopped))
        this.#parts.logger.error({ reason: String(error) }, 'the children of a shard were not started')
    }
  }

  /** A key moves from parent to child: its positions must go on growing. */
  #inheritedPass(shard: ShardInfo): number {
    return Math.max(
      this.#options.pass,
      ...shard.parentShardIds.map((parent) => this.#ended.get(parent)?.checkpoint.pass ?? 0),
    )
  }
}
