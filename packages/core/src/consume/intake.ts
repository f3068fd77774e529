import type { HandOver } from '../fail/hand-over.ts'
import type { LastStop, Lease } from '../lease/owner.ts'
import { places } from '../lease/places.ts'
import type { Reading } from '../lease/reading.ts'
import type { EddyEvent } from '../model/event.ts'
import type { Position } from '../model/position.ts'
import { compileFilter } from '../policies/filter.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import { Fenced } from '../runtime/fenced.ts'
import { lastTry, persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { type Checkpoint, Checkpoints, type StoredCheckpoint } from './checkpoint.ts'
import { enoughReady, liveLanes } from './live-lanes.ts'
import type { LivePath } from './live-path.ts'
import { afterLostTail } from './lost-tail.ts'
import type { ShardReaders } from './shard-readers.ts'
import { ShardRunner, type ShardTask } from './shard-runner.ts'
import { StoredProgress } from './stored-progress.ts'
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

/** A reading of a shard that is about to begin. */
interface Beginning {
  readonly shard: ShardInfo
  readonly lease: Lease
  readonly place: string
  readonly reading: Reading
  readonly stored: StoredCheckpoint | undefined
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
 * A child of a split or merge starts after all its parents are done (I3): here, or by their checkpoints elsewhere.
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
  readonly #stored: StoredProgress
  readonly #runners = new Map<string, ShardRunner>()
  readonly #running = new Map<ShardRunner, Promise<void>>()
  /** Their parents are not done with. */
  readonly #waiting = new Set<string>()
  readonly #ended = new Map<string, StoredCheckpoint | undefined>()
  #shards: readonly ShardInfo[] = []
  #looking: Promise<void> = Promise.resolve()
  /** Asked for, and not begun. */
  #nextLook: Promise<void> | undefined
  #listed: ReadonlySet<string> = new Set()
  #parents: ReadonlySet<string> = new Set()
  #open = true

  constructor(parts: SubscriptionParts, options: IntakeOptions, livePath: LivePath, handOver: HandOver) {
    this.#parts = parts
    this.#options = options
    this.#stream = options.stream
    this.isSharded = parts.policy.failure.blocks === 'shard'
    this.#handOver = handOver
    const { name, filter } = parts.definition
    this.#checkpoints = new Checkpoints(parts.engine.table, name)
    this.#stored = new StoredProgress(this.#checkpoints, parts.engine.clock)
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
  hasPassed(shardId: string, position: Position): boolean | Promise<boolean> {
    const runner = this.#runners.get(shardId)
    if (runner !== undefined) return runner.hasPassed(position)
    if (this.#ended.has(shardId)) return true
    const isListed = this.#listed.has(shardId)
    if (this.#parts.owner.isShared) return this.#hasPassedElsewhere(shardId, position, isListed)
    return this.#shards.length > 0 && !isListed
  }

  async #hasPassedElsewhere(shardId: string, position: Position, isListed: boolean): Promise<boolean> {
    if (await this.#stored.hasPassed(shardId, position)) return true
    if (isListed) return false
    // It may be a child that this process has not seen yet, or have expired.
    const { log } = this.#parts.engine
    const shards = await this.#persist('listing shards', () => log.listShards(this.#stream.name))
    return !shards.some((shard) => shard.shardId === shardId)
  }

  /** What is stored of a shard that is not read here. */
  async storedIn(shardId: string): Promise<Checkpoint | undefined> {
    return (this.#ended.get(shardId) ?? (await this.#checkpoints.load(shardId)))?.checkpoint
  }

  /** Nothing is left that may have been running when the shard's last owner died. */
  isRecoveredIn(shardId: string): boolean {
    const runner = this.#runners.get(shardId)
    return runner?.isRecovered ?? (this.#ended.has(shardId) || this.#waiting.has(shardId))
  }

  /** Its reading ends, and it is not known to have ended. */
  isWaitingIn(shardId: string): boolean {
    return this.#open && !this.#runners.has(shardId) && !this.#ended.has(shardId)
  }

  /** Ends the reading of a shard that goes to another process. @returns true when its checkpoint is saved */
  async handOver(shardId: string): Promise<boolean> {
    await this.#looking
    const runner = this.#runners.get(shardId)
    if (runner === undefined) return true
    runner.stop()
    await this.#running.get(runner)
    await runner.idle()
    const isSaved = await this.#saveLast(runner)
    this.#forget(runner)
    return isSaved
  }

  /** Another process may have the shard: nothing of its reading is saved any more. */
  lost(shardId: string): void {
    const runner = this.#runners.get(shardId)
    if (runner === undefined) return
    runner.stop()
    // What runs is waited for: should the shard come back, a key's next event must not start beside it (I3).
    void Promise.all([this.#running.get(runner), runner.idle()]).then(() => this.#forget(runner))
  }

  async #saveLast(runner: ShardRunner): Promise<boolean> {
    const { engine, logger } = this.#parts
    let isFenced = false
    const save = (): Promise<void> =>
      runner.save().catch((error: unknown) => {
        if (!(error instanceof Fenced)) throw error
        isFenced = true
      })
    return (await lastTry(engine.clock, logger, 'saving a checkpoint', save)) && !isFenced
  }

  #forget(runner: ShardRunner): void {
    const { shard } = runner
    if (this.#runners.get(shard.shardId) !== runner) return
    this.#runners.delete(shard.shardId)
    this.#dropReader(shard)
  }

  #dropReader(shard: ShardInfo): void {
    const { fanOut, name } = this.#parts.definition
    this.#options.readers.drop(this.#stream, shard, fanOut ? name : undefined)
  }

  /** Starts a runner for every shard that may be read: at the start, and whenever one has ended. */
  async discover(): Promise<void> {
    // One look after another: two at a time could start a shard twice. One that is to come serves all who asked for one:
    // whoever takes many shards asks for each, and so does, again and again, whoever waits for many.
    this.#nextLook ??= this.#looking.then(() => {
      this.#nextLook = undefined
      return this.#discover()
    })
    const look = this.#nextLook
    this.#looking = look.catch(() => {})
    await look
  }

  async #discover(): Promise<void> {
    const { log } = this.#parts.engine
    this.#shards = await this.#persist('listing shards', () => log.listShards(this.#stream.name))
    this.#listed = new Set(this.#shards.map(({ shardId }) => shardId))
    this.#parents = new Set(this.#shards.flatMap(({ parentShardIds }) => parentShardIds))
    const { owner } = this.#parts
    if (owner.isShared) await owner.listed(this.#stream.name, this.#listed)
    const begun: Beginning[] = []
    for (const shard of this.#shards) {
      if (!this.#open) return
      const beginning = await this.#lookAt(shard)
      if (beginning !== undefined) begun.push(beginning)
    }
    // Rule 1: what their last owners wrote, with one query.
    if (begun.length > 0 && owner.isShared) await this.#parts.holds.refresh()
    for (const beginning of begun) await this.#begin(beginning)
  }

  /** Undefined: there is nothing to be begun in the shard, or not here and now. */
  async #lookAt(shard: ShardInfo): Promise<Beginning | undefined> {
    const { shardId } = shard
    const { owner } = this.#parts
    const place = places.shard(this.#stream.name, shardId)
    if (this.#runners.has(shardId) || this.#ended.has(shardId)) return undefined
    // Its owner looks after it. Of parents it is asked whether they are done with.
    if (owner.isElsewhere(place) && !this.#parents.has(shardId)) return undefined
    const stored = await this.#load(shardId)
    if (stored?.checkpoint.ended === true) {
      this.#ended.set(shardId, stored)
      return undefined
    }
    if (!this.#mayStart(shard)) {
      this.#waiting.add(shardId)
      return undefined
    }
    this.#waiting.delete(shardId)
    const lease = owner.lease(place)
    if (lease === undefined) {
      await this.#persist('offering a shard', () => owner.offer(place))
      return undefined
    }
    try {
      return { shard, lease, place, reading: await lease.begin(), stored }
    } catch (error) {
      if (error instanceof Fenced) return undefined
      throw error
    }
  }

  async #begin({ shard, lease, place, reading, stored }: Beginning): Promise<void> {
    const { owner } = this.#parts
    // The last owner may have saved one more between the look and the lease.
    const last = owner.isShared ? await this.#load(shard.shardId) : stored
    if (last?.checkpoint.ended === true) return
    const start = await this.#withinLog(shard, last)
    if (!this.isSharded) await this.#handOver.letGo(shard.shardId, reading.epoch)
    // It is asked for, or lost, by now.
    if (!this.#open || owner.lease(place) !== lease) return
    this.#start(shard, start, reading, this.#options.isRecovered ? 'clean' : lease.lastStop)
  }

  #load(shardId: string): Promise<StoredCheckpoint | undefined> {
    return this.#persist('reading a checkpoint', () => this.#checkpoints.load(shardId))
  }

  #persist<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    return persist(engine.clock, stopping, logger, what, step)
  }

  async #withinLog(
    shard: ShardInfo,
    stored: StoredCheckpoint | undefined,
  ): Promise<StoredCheckpoint | undefined> {
    if (stored === undefined) return undefined
    const { engine, logger, definition } = this.#parts
    const moved = await this.#persist('looking for the end of a shard', () =>
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
    await Promise.all([...this.#running.values(), ...this.runners.map((runner) => runner.idle())])
  }

  /** Saves every checkpoint that has something new. @throws what kept the first one from it; the others are saved */
  async save(): Promise<void> {
    const failures: unknown[] = []
    for (const runner of this.#runners.values())
      await runner.save().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  #mayStart(shard: ShardInfo): boolean {
    return shard.parentShardIds.every((parent) => this.#ended.has(parent) || !this.#listed.has(parent))
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
    const running: Promise<void> = this.#follow(runner).finally(() => this.#running.delete(runner))
    this.#running.set(runner, running)
  }

  async #follow(runner: ShardRunner): Promise<void> {
    const ended = await runner.run()
    if (!ended) {
      // Another process has written since, and this one may go on, in another reading, if the shard is its own still.
      if (runner.isFenced && this.#parts.owner.isShared) this.lost(runner.shard.shardId)
      return
    }
    const { shardId } = runner.shard
    this.#runners.delete(shardId)
    this.#dropReader(runner.shard)
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
