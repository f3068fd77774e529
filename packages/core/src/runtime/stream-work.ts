import { Intake } from '../consume/intake.ts'
import type { LivePath } from '../consume/live-path.ts'
import type { ShardReaders } from '../consume/shard-readers.ts'
import type { SubscriptionPlacement, SubscriptionState } from '../consume/subscription-placement.ts'
import {
  InvalidOptionError,
  SeekAmongWorkersError,
  SubscriptionNotFoundError,
} from '../errors/request-errors.ts'
import { ShardNotFoundError } from '../errors/stream-errors.ts'
import type { HandOver } from '../fail/hand-over.ts'
import type { LeaseUser } from '../lease/owner.ts'
import { places, shardIdOf } from '../lease/places.ts'
import { MAX_PASS, type Position } from '../model/position.ts'
import type { StreamInfo } from '../ports/log.ts'
import { Fenced } from './fenced.ts'
import { requireKeys } from './keys-watch.ts'
import { Mutex } from './mutex.ts'
import { persist, Stopped } from './stop-signal.ts'
import type { SeekTarget } from './subscription-control.ts'
import type { SubscriptionParts } from './subscription-parts.ts'
import { tellStopped } from './tell-stopped.ts'

export interface StreamWorkOptions {
  readonly placement: SubscriptionPlacement
  readonly readers: ShardReaders
  readonly livePath: LivePath
  readonly handOver: HandOver
}

const PLACING = 'placing the subscription'

/** What a subscription reads of its stream in this process, over all its readings: seeks begin new ones. */
export class StreamWork implements LeaseUser {
  readonly #parts: SubscriptionParts
  readonly #options: StreamWorkOptions
  /** Seeks, and changes between reading by shard and by key: one at a time. */
  readonly #rereading = new Mutex()
  readonly #background = new Set<Promise<void>>()
  #intake: Intake | undefined
  #pass = 0
  #isStopping = false

  constructor(parts: SubscriptionParts, options: StreamWorkOptions) {
    this.#parts = parts
    this.#options = options
    const { definition, owner } = parts
    options.readers.join(definition.stream)
    owner.join(places.shardsOf(definition.stream), this)
  }

  get intake(): Intake | undefined {
    return this.#intake
  }

  async start(): Promise<SubscriptionState> {
    const { definition, engine } = this.#parts
    const stream = await this.#repeated('describing the stream', () =>
      engine.log.describeStream(definition.stream),
    )
    requireKeys(this.#parts, stream)
    const state = await this.#repeated(PLACING, () => this.#options.placement.begin(stream, definition.from))
    this.#intake = this.#newIntake(stream, state.pass)
    return state
  }

  /** Begins what may be read. */
  async begin(): Promise<void> {
    await this.#intake?.discover()
  }

  /** Takes nothing more in. */
  close(): void {
    this.#isStopping = true
    this.#intake?.close()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#intake?.idle()
  }

  async save(): Promise<void> {
    await this.#intake?.save()
  }

  /** Once everything is idle and saved. */
  async ended(): Promise<void> {
    await Promise.all(this.#background)
  }

  hasPassed(shardId: string, position: Position): boolean | Promise<boolean> {
    return this.#intake?.hasPassed(shardId, position) ?? false
  }

  /**
   * Where `blocks` has come to or gone from `shard`, reading begins again where it is. Called before anything new is
   * begun: what is not begun yet is taken in again, in the lanes of the new policy.
   *
   * @returns what does so once the rest of the policy counts
   */
  policyChanged(): () => void {
    const isSharded = this.#parts.policy.failure.blocks === 'shard'
    if (this.#intake === undefined || this.#intake.isSharded === isSharded) return () => {}
    this.#intake.close()
    return () => this.#rereadSoon()
  }

  /** Another process has begun a new pass, or finds that one was begun: this one's readings are of the one before. */
  passChanged(pass: number): void {
    if (this.#intake === undefined || this.#intake.isClosed || pass <= this.#pass) return
    this.#intake.close()
    this.#rereadSoon()
  }

  taken(): void {
    this.#inBackground(this.begin())
  }

  lost(place: string): void {
    this.#intake?.lost(shardIdOf(place))
  }

  async handOver(place: string): Promise<boolean> {
    return (await this.#intake?.handOver(shardIdOf(place))) ?? true
  }

  isRecovered(place: string): boolean {
    return this.#intake?.isRecoveredIn(shardIdOf(place)) ?? false
  }

  isWaiting(place: string): boolean {
    return this.#intake?.isWaitingIn(shardIdOf(place)) ?? false
  }

  isDone(place: string): boolean {
    return this.#intake?.hasEnded(shardIdOf(place)) ?? false
  }

  /** Begins a new pass. What is under way is finished first. One seek at a time. */
  async seek(to: SeekTarget, shardId: string | undefined): Promise<void> {
    if (to.at === 'at_sequence_number' && shardId === undefined) {
      throw new InvalidOptionError('shardId', 'a shard, since sequence numbers count within one', shardId)
    }
    const endTurn = await this.#rereading.acquire()
    try {
      await this.#seekNow(to, shardId)
    } finally {
      endTurn()
    }
  }

  async #seekNow(to: SeekTarget, shardId: string | undefined): Promise<void> {
    const { engine, definition, owner } = this.#parts
    const others = owner.workers().length - 1
    if (others > 0) throw new SeekAmongWorkersError(definition.name, others)
    const stream = await engine.log.describeStream(definition.stream)
    requireKeys(this.#parts, stream)
    const shards = await engine.log.listShards(stream.name)
    if (shardId !== undefined && !shards.some((shard) => shard.shardId === shardId)) {
      throw new ShardNotFoundError(stream.name, shardId)
    }
    const old = this.#intake
    if (old === undefined) throw new SubscriptionNotFoundError(definition.name)
    const { pass } = await this.#options.placement.current()
    if (pass >= MAX_PASS)
      throw new InvalidOptionError('seek', `at most ${MAX_PASS} seeks of a subscription`, pass + 1)
    old.close()
    await old.idle()
    await old.save()
    await this.#repeated(PLACING, () => this.#options.placement.seek(stream, to, shardId))
    this.#intake = this.#newIntake(stream, pass + 1, true)
    await this.#intake.discover()
  }

  #rereadSoon(): void {
    this.#inBackground(this.#reread())
  }

  async #reread(): Promise<void> {
    const { engine, owner } = this.#parts
    const endTurn = await this.#rereading.acquire()
    try {
      const old = this.#intake
      if (old === undefined || !old.isClosed || this.#isStopping) return
      await old.idle()
      await this.#repeated('saving checkpoints', () => old.save()).catch((error: unknown) => {
        // What another process has placed anew is not to be saved over.
        if (!owner.isShared || !(error instanceof Fenced)) throw error
      })
      const stream = await this.#repeated('describing the stream', () =>
        engine.log.describeStream(this.#parts.definition.stream),
      )
      requireKeys(this.#parts, stream)
      const { pass } = await this.#repeated('reading the subscription', () =>
        this.#options.placement.current(),
      )
      if (this.#isStopping) return
      this.#intake = this.#newIntake(stream, pass, old.isRecovered)
      await this.#intake.discover()
    } finally {
      endTurn()
    }
  }

  #inBackground(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error) => this.#onError(error))
      .finally(() => this.#background.delete(settled))
    this.#background.add(settled)
  }

  #onError(error: unknown): void {
    if (error instanceof Stopped) return
    const shards = this.#intake?.shards ?? []
    tellStopped(
      this.#parts,
      shards.map((shard) => shard.shardId),
      error,
    )
  }

  #repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.#parts
    return persist(engine.clock, stopping, logger, what, step)
  }

  /** @param isRecovered - nothing is left that may have been running at the last death */
  #newIntake(stream: StreamInfo, pass: number, isRecovered = false): Intake {
    const { readers, livePath, handOver } = this.#options
    this.#pass = pass
    return new Intake(this.#parts, { stream, pass, isRecovered, readers }, livePath, handOver)
  }
}
