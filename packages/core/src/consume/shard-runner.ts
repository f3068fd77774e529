import type { ReadPosition } from '../aggregate/read-position.ts'
import type { UserRecord } from '../aggregate/user-record.ts'
import { laneName, shardLaneName } from '../fail/lane.ts'
import type { EventMeta } from '../handle/context.ts'
import type { LastStop } from '../lease/owner.ts'
import type { Reading } from '../lease/reading.ts'
import type { EddyEvent } from '../model/event.ts'
import { type Position, positionOf } from '../model/position.ts'
import type { ShardInfo } from '../ports/log.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import { tellStopped } from '../runtime/tell-stopped.ts'
import { ChangeSignal } from './change-signal.ts'
import type { Checkpoints, StoredCheckpoint } from './checkpoint.ts'
import { CheckpointKeeper } from './checkpoint-keeper.ts'
import { Copies, type SavedProducer } from './copies.ts'
import type { EventMarker } from './crash-marker.ts'
import { MAX_RUNS, MAX_SPAN_RECORDS, MAX_UNSAVED_RECORDS, SAVE_EVERY_MS } from './intake-limits.ts'
import { enoughReady } from './live-lanes.ts'
import type { LiveTask } from './live-task.ts'
import { RecordSieve } from './record-sieve.ts'
import { decodeRuns, ResolvedMap } from './resolved-runs.ts'
import { ShardProgress } from './shard-progress.ts'
import type { ShardReader } from './shard-reader.ts'
import type { TaskLanes } from './task-lanes.ts'

export interface ShardTask {
  readonly runner: ShardRunner
  readonly ordinal: number
  readonly task: LiveTask
}

export interface ShardRunnerOptions {
  readonly shard: ShardInfo
  readonly streamId: string
  readonly retentionMs: number
  readonly start: StoredCheckpoint | undefined
  readonly from: ReadPosition
  /** What the parents' readers knew of marked records when they ended. */
  readonly copiesOfParents: readonly (readonly SavedProducer[] | undefined)[]
  readonly pass: number
  readonly reading: Reading
  /** Its events share one lane (`blocks: 'shard'`), for as long as this reading of it lasts. */
  readonly isSharded: boolean
  readonly lastStop: LastStop
  readonly filter: ((event: EddyEvent) => boolean) | undefined
  readonly marker: EventMarker
}

export type RunnerState = 'recovering' | 'reading' | 'ended' | 'stopped'

/** Records taken in at a time. Few: what waits in memory for long is what a garbage collector is slow with. */
const TAKE = 256

/**
 * One subscription's way through one shard: takes records in, hands them to the lanes, keeps the checkpoint.
 *
 * Intake stops at every bound (I6): buffered records and bytes, records not yet covered by a durable checkpoint, the
 * span and the runs above the lowest unresolved record.
 */
export class ShardRunner {
  readonly shard: ShardInfo
  readonly #parts: SubscriptionParts
  readonly #options: ShardRunnerOptions
  readonly #reader: ShardReader
  readonly #lanes: TaskLanes<ShardTask>
  readonly #progress: ShardProgress
  readonly #sieve: RecordSieve
  readonly #keeper: CheckpointKeeper
  readonly #changed = new ChangeSignal()
  readonly #stop = new AbortController()
  readonly #replayUntil: number
  readonly #takeAtMost: number
  #readFrom: ReadPosition
  #running = 0
  #millisBehindLatest = 0
  #isAtHead = false
  #isFirst = true
  #state: RunnerState = 'recovering'
  #failure: unknown

  constructor(
    parts: SubscriptionParts,
    options: ShardRunnerOptions,
    reader: ShardReader,
    lanes: TaskLanes<ShardTask>,
    checkpoints: Checkpoints,
  ) {
    this.shard = options.shard
    this.#parts = parts
    this.#options = options
    this.#reader = reader
    this.#lanes = lanes
    const before = options.start?.checkpoint
    const counts = { expiredRecords: before?.expiredRecords ?? 0, hasAggregates: before?.hasAggregates }
    this.#progress = new ShardProgress(this.#restoreMap(before?.runs), options.from, counts)
    const copies = new Copies(...options.copiesOfParents, before?.copies)
    this.#sieve = new RecordSieve(parts, options.shard.shardId, copies, options.filter)
    const place = { ...options, waitingSinceMs: () => this.#waitingSinceMs() }
    this.#keeper = new CheckpointKeeper(parts, checkpoints, place, this.#progress, copies, options.start)
    this.#readFrom = options.from
    // Half of the buffer at most: a batch of that size must find as much in it.
    this.#takeAtMost = Math.min(TAKE, Math.ceil(parts.definition.maxBufferedRecords / 2))
    // C3: nothing beyond was ever started.
    this.#replayUntil = options.lastStop === 'clean' ? 0 : this.#keeper.savedUpTo + MAX_UNSAVED_RECORDS
  }

  get state(): RunnerState {
    return this.#state === 'reading' && !this.isRecovered ? 'recovering' : this.#state
  }

  /** True once nothing is left that may have been running when the process died. */
  get isRecovered(): boolean {
    return (
      this.#progress.base >= this.#replayUntil ||
      this.#isIdle() ||
      this.#state === 'ended' ||
      this.#state === 'stopped'
    )
  }

  /** The durable checkpoint. */
  get stored(): StoredCheckpoint | undefined {
    return this.#keeper.stored
  }

  get retentionMs(): number {
    return this.#options.retentionMs
  }

  /** It ended since a later owner has written. */
  get isFenced(): boolean {
    return this.#failure instanceof Fenced
  }

  get buffered(): number {
    return this.#progress.unresolved
  }

  get expiredRecords(): number {
    return this.#progress.expiredRecords
  }

  /** The position that the next start would read from. */
  get checkpointFrom(): ReadPosition {
    return this.#progress.from()
  }

  /** Age of the oldest record that is not resolved; 0 when there is none. */
  lagMs(nowMs: number): number {
    const oldest = this.#progress.oldestArrivalMs
    if (oldest !== undefined) return Math.max(0, nowMs - oldest)
    return this.#isAtHead ? 0 : this.#millisBehindLatest
  }

  /** True when the durable checkpoint is past the position. */
  hasPassed(position: Position): boolean {
    return this.#keeper.hasPassed(position)
  }

  /** Reads until the end of the shard or `stop`. Never rejects. @returns true when the shard has ended and all of it is done */
  async run(): Promise<boolean> {
    const { priority } = this.#parts.definition
    const saver = this.#saveRegularly()
    try {
      this.#state = 'reading'
      for (;;) {
        await this.#room()
        const slice = await this.#reader.take(this.#readFrom, this.#takeAtMost, this.#stop.signal, priority)
        if (slice.expiredRecords > 0) await this.#onExpired(slice.expiredRecords)
        for (const record of slice.records) this.#admit(record)
        this.#millisBehindLatest = slice.millisBehindLatest
        this.#isAtHead = slice.millisBehindLatest === 0
        if (slice.next === undefined) return await this.#finish()
        this.#readFrom = slice.next
        if (slice.records.at(-1)?.subSequenceNumber !== undefined) this.#progress.readTo(slice.next)
        if (slice.records.length === 0 || this.#isIdle()) this.#progress.idleAt(slice.next)
      }
    } catch (error) {
      if (!(error instanceof Stopped)) this.#fail(error)
      return false
    } finally {
      this.#stop.abort()
      await saver
    }
  }

  /** Takes nothing more in. */
  stop(): void {
    this.#stop.abort()
    this.#changed.notify()
  }

  /** Reads no more and begins nothing more, for a reason that is told and shown (I9). */
  break(error: Error): void {
    this.#fail(error)
  }

  /** Records may be wanted again. */
  wake(): void {
    this.#changed.notify()
  }

  /** Resolves when no task of this shard is under way. */
  async idle(): Promise<void> {
    while (this.#running > 0) await this.#changed.next()
  }

  /** A task leaves its lane. Once the reading of this shard has broken, what comes after it stays unresolved too (I3). */
  begin(): boolean {
    if (this.#failure !== undefined || this.#stop.signal.aborted) return false
    if (this.#options.reading.isOver()) return false
    this.#running += 1
    return true
  }

  done({ ordinal, task }: ShardTask): void {
    this.#resolve(ordinal, task.bytes.length)
    this.#ended()
  }

  failed(error: unknown): void {
    if (!(error instanceof Stopped)) this.#fail(error)
    this.#ended()
  }

  putBack(): void {
    this.#ended()
  }

  /** Saves the checkpoint as of now. @throws when the table refuses */
  async save(ended = false): Promise<void> {
    await this.#keeper.save(ended)
    this.#changed.notify()
  }

  #waitingSinceMs(): number | undefined {
    const nowMs = this.#parts.engine.clock.now()
    const lagMs = this.lagMs(nowMs)
    return lagMs === 0 ? undefined : nowMs - lagMs
  }

  #restoreMap(runs: string | undefined): ResolvedMap {
    if (runs === undefined) return new ResolvedMap()
    try {
      return new ResolvedMap(decodeRuns(runs))
    } catch (error) {
      // Without it, resolved events come again: late, but nothing is lost (I2).
      this.#parts.logger.error(
        { shardId: this.shard.shardId, reason: String(error) },
        'the resolved map of a checkpoint is unreadable and ignored: events come again',
      )
      return new ResolvedMap()
    }
  }

  #admit(record: UserRecord): void {
    const ordinal = this.#progress.admit(record)
    const repeated = this.#sieve.repeats(record, this.#progress.admitted - 1)
    if (ordinal === undefined) return
    const passedOver = repeated ?? (this.#sieve.wants(record) ? undefined : 'filtered')
    if (passedOver === undefined) this.#handOn(record, ordinal)
    else {
      this.#parts.metrics[passedOver] += 1
      this.#resolve(ordinal, record.data.length)
    }
  }

  #handOn(record: UserRecord, ordinal: number): void {
    const { shard, pass, lastStop, isSharded, reading } = this.#options
    const { explicitHashKey, subSequenceNumber } = record
    // Written out: every record comes by here, and an object that is put together from others costs several times as much.
    const meta: EventMeta = {
      stream: this.#parts.definition.stream,
      shardId: shard.shardId,
      sequenceNumber: record.sequenceNumber,
      subSequenceNumber,
      position: positionOf(pass, shard.depth, record.sequenceNumber, subSequenceNumber),
      key: record.partitionKey,
      arrivedAtMs: record.arrivedAtMs,
    }
    const isReplay = lastStop !== 'clean' && ordinal < this.#replayUntil
    const task: LiveTask = {
      meta: explicitHashKey === undefined ? meta : { ...meta, explicitHashKey },
      bytes: record.data,
      isSharded,
      // The first one may have failed and held the shard, whatever the policy says now.
      isReplay: isReplay || this.#isFirst,
      marker: isReplay && lastStop === 'looping' ? this.#options.marker : undefined,
      reading,
      stop: this.#stop.signal,
    }
    this.#isFirst = false
    const lane = isSharded ? shardLaneName(shard.shardId) : laneName(task.meta)
    this.#lanes.add(lane, { runner: this, ordinal, task })
  }

  #ended(): void {
    this.#running -= 1
    this.#changed.notify()
  }

  #resolve(ordinal: number, bytes: number): void {
    this.#progress.resolve(ordinal, bytes)
    this.#changed.notify()
  }

  #isIdle(): boolean {
    return this.#isAtHead && this.#progress.unresolved === 0
  }

  async #onExpired(records: number): Promise<void> {
    // The gap gets no sequence numbers of its own: nothing may be open below it.
    await this.#allResolved()
    const { metrics, notify, logger, definition, engine } = this.#parts
    this.#progress.skipExpired(records)
    metrics.expired += records
    const about = {
      subscription: definition.name,
      stream: definition.stream,
      shardId: this.shard.shardId,
      records,
    }
    logger.error(about, 'records were removed by retention before this subscription had read them')
    notify({ kind: 'expired', ...about, atMs: engine.clock.now() })
  }

  async #room(): Promise<void> {
    const { definition, pause } = this.#parts
    for (;;) {
      if (this.#stop.signal.aborted) throw new Stopped()
      if (pause.isPaused) {
        // Until it goes on, or this shard's reading is to stop all the same (a seek of a paused subscription).
        await Promise.race([pause.wait(), this.#changed.next()])
        continue
      }
      const { admitted, base, unresolved, bufferedBytes, runCount } = this.#progress
      const unsaved = admitted - this.#keeper.savedUpTo
      if (unsaved > MAX_UNSAVED_RECORDS / 2) void this.save().catch((error) => this.#onSaveError(error))
      // Enough is ready, some of it from here: more would only wait.
      const isFed = unresolved >= this.#takeAtMost && this.#lanes.ready >= enoughReady(this.#parts)
      const isFull =
        isFed ||
        unsaved > MAX_UNSAVED_RECORDS - TAKE ||
        unresolved + this.#takeAtMost > definition.maxBufferedRecords ||
        bufferedBytes > definition.maxBufferedBytes ||
        admitted - base > MAX_SPAN_RECORDS ||
        runCount >= MAX_RUNS
      if (!isFull) return
      await this.#changed.next()
    }
  }

  async #finish(): Promise<boolean> {
    await this.#allResolved()
    const { engine, stopping, logger } = this.#parts
    await persist(engine.clock, stopping, logger, 'saving a checkpoint', () => this.save(true))
    this.#state = 'ended'
    return true
  }

  async #allResolved(): Promise<void> {
    while (this.#progress.unresolved > 0) {
      if (this.#stop.signal.aborted) throw new Stopped()
      await this.#changed.next()
    }
  }

  async #saveRegularly(): Promise<void> {
    const { engine, stopping } = this.#parts
    const signal = AbortSignal.any([stopping, this.#stop.signal])
    while (!signal.aborted) {
      await engine.clock.sleep(SAVE_EVERY_MS, signal)
      if (!this.#keeper.isDirty || signal.aborted) continue
      await this.save().catch((error) => this.#onSaveError(error))
    }
  }

  #onSaveError(error: unknown): void {
    if (error instanceof Fenced) this.#fail(error)
    else
      this.#parts.logger.warn(
        { shardId: this.shard.shardId, reason: String(error) },
        'a checkpoint was not saved and is tried again',
      )
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#state = 'stopped'
    this.#stop.abort()
    this.#changed.notify()
    if (!this.isFenced || !this.#parts.owner.isShared) tellStopped(this.#parts, [this.shard.shardId], error)
  }
}
