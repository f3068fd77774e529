import { Intake } from '../consume/intake.ts'
import { lastTakenIn } from '../consume/last-taken-in.ts'
import { LivePath } from '../consume/live-path.ts'
import { QueueIntake } from '../consume/queue-intake.ts'
import { Slots } from '../consume/slots.ts'
import { SubscriptionPlacement, type SubscriptionState } from '../consume/subscription-placement.ts'
import { InvalidOptionError, SubscriptionNotFoundError } from '../errors/request-errors.ts'
import { ShardNotFoundError } from '../errors/stream-errors.ts'
import { HandOver } from '../fail/hand-over.ts'
import { Holds } from '../fail/holds.ts'
import { keys } from '../fail/keys.ts'
import { LaneDrain } from '../fail/lane-drain.ts'
import { Ledger, type LedgerEntry } from '../fail/ledger.ts'
import { PayloadJanitor } from '../fail/payload-janitor.ts'
import { Requeue } from '../fail/requeue.ts'
import { RetryConsumer } from '../fail/retry-consumer.ts'
import { RetryPath } from '../fail/retry-path.ts'
import { ShardGate } from '../fail/shard-gate.ts'
import { Sweeper } from '../fail/sweeper.ts'
import { TokenUse } from '../fail/token-use.ts'
import { Tokens } from '../fail/tokens.ts'
import { HandlerRunner } from '../handle/handler-runner.ts'
import { Steps } from '../handle/steps.ts'
import { places } from '../lease/places.ts'
import { LivePolicy } from '../live-policy/live-policy.ts'
import { PolicyStore } from '../live-policy/policy-store.ts'
import type { SubscriptionDefinition } from '../model/app.ts'
import type { LedgerItem } from '../model/ledger-item.ts'
import type { QueueDefinition } from '../model/message.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { RejectedPart } from '../model/policy-state.ts'
import { MAX_PASS } from '../model/position.ts'
import { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import type { SubscriptionStatus } from '../operate/operations.ts'
import type { StreamInfo } from '../ports/log.ts'
import { BreakerStore } from '../protect/breaker-store.ts'
import { Protection } from '../protect/protection.ts'
import { CurrentPolicy } from './current-policy.ts'
import { requireKeys } from './keys-watch.ts'
import { Mutex } from './mutex.ts'
import { PauseGate } from './pause-gate.ts'
import { steadyEngine } from './steady-engine.ts'
import { lastTry, persist, Stopped } from './stop-signal.ts'
import type {
  RequeueRequest,
  RequeueResult,
  SeekTarget,
  SubscriptionControl,
} from './subscription-control.ts'
import type { SubscriptionParts } from './subscription-parts.ts'
import type { SubscriptionRunnerOptions } from './subscription-runner-options.ts'
import { statusOf } from './subscription-status.ts'
import { tellStopped } from './tell-stopped.ts'

const PLACING = 'placing the subscription'

/** One subscription at work: its live path, its retries, and what operators may ask of it. */
export class SubscriptionRunner implements SubscriptionControl {
  readonly definition: SubscriptionDefinition
  readonly ledger: Ledger
  readonly policy: LivePolicy
  readonly parts: SubscriptionParts
  readonly #options: SubscriptionRunnerOptions
  readonly #stopping = new AbortController()
  readonly #livePath: LivePath
  readonly #gate: ShardGate
  readonly #consumer: RetryConsumer
  readonly #requeue: Requeue
  readonly #placement: SubscriptionPlacement
  readonly #handOver: HandOver
  /** Seeks, and changes between reading by shard and by key: one at a time. */
  readonly #rereading = new Mutex()
  readonly #background: Promise<void>[] = []
  #intake: Intake | undefined
  #queueIntake: QueueIntake | undefined
  #isStopping = false
  #pausedBy: string | undefined

  constructor(options: SubscriptionRunnerOptions) {
    const { definition, owner, logger, notify } = options
    const engine = steadyEngine(options.engine, this.#stopping.signal, logger)
    this.#options = { ...options, engine }
    this.definition = definition
    const tokens = new Tokens(engine.queue, engine.clock, definition.name)
    this.ledger = new Ledger(engine, definition.name, definition.ledgerRetentionMs, (item) =>
      tokens.cancel(item),
    )
    this.#placement = new SubscriptionPlacement(engine, definition.name, () => owner.nextEpoch())
    const steps = new Steps(engine, definition.name, definition.ledgerRetentionMs)
    const policy = new CurrentPolicy(definition)
    const protection = new Protection({
      subscription: definition.name,
      policy,
      clock: engine.clock,
      store: new BreakerStore(engine, definition.name, this.#stopping.signal, logger),
      logger,
      notify,
    })
    const metrics = new SubscriptionMetrics()
    this.policy = new LivePolicy({
      subscription: definition.name,
      file: definition,
      store: new PolicyStore(engine, definition.name),
      nowMs: () => engine.clock.now(),
      persist: (what, step) => this.#repeated(what, step),
      apply: (changed, version) => this.#setPolicy(changed, version),
      onRejected: (rejected) => this.#tellRejected(rejected),
    })
    this.parts = {
      definition,
      policy,
      engine,
      owner,
      claims: owner.claims,
      ledger: this.ledger,
      holds: new Holds(engine, definition.name, owner.fence),
      tokens,
      runner: new HandlerRunner(
        definition,
        policy,
        engine.clock,
        {
          steps,
          producer: options.producer,
          sender: options.sender,
          md5Hex: (text) => engine.md5Hex(text),
        },
        { threads: options.threads, onBatch: (events) => metrics.batchSize.observe(events) },
      ),
      slots: new Slots(policy.concurrency, protection),
      protection,
      metrics,
      logger,
      notify,
      stopping: this.#stopping.signal,
      suspects: options.suspects,
      crashMarker: options.crashMarker,
      pause: new PauseGate(),
      checkpointPassed: (shardId, position) =>
        this.#queueIntake?.hasPassed(position) ?? this.#intake?.hasPassed(shardId, position) ?? false,
    }
    const retryPath = new RetryPath(this.parts)
    const drain = new LaneDrain(this.parts, retryPath)
    this.#gate = new ShardGate(this.parts, drain)
    this.#handOver = new HandOver(this.parts)
    protection.onChange(() => this.#gate.wakeAll())
    this.#livePath = new LivePath(this.parts, this.#gate)
    this.#consumer = new RetryConsumer(this.parts, new TokenUse(this.parts, retryPath, drain))
    this.#requeue = new Requeue(this.parts, this.#gate, drain)
    if (definition.queue === undefined) options.readers.join(definition.stream)
  }

  get intake(): Intake | undefined {
    return this.#intake
  }

  /** Set instead of `intake` for a subscription of a queue. */
  get queueIntake(): QueueIntake | undefined {
    return this.#queueIntake
  }

  /** True once everything that may have been running at the last death is done. */
  get isRecovered(): boolean {
    return (this.#queueIntake ?? this.#intake)?.isRecovered === true
  }

  get pausedBy(): string | undefined {
    return this.#pausedBy
  }

  get gate(): ShardGate {
    return this.#gate
  }

  async start(): Promise<void> {
    await this.policy.load()
    await this.parts.holds.load()
    await this.parts.protection.load()
    await this.ledger.loadCounts(['retrying', 'held', 'dead'])
    if (this.definition.queue === undefined) await this.#startStream()
    else await this.#startQueue(this.definition.queue)
    this.#background.push(
      this.#consumer.run(),
      new Sweeper(this.parts, this.#handOver).run(),
      new PayloadJanitor(this.parts).run(),
    )
  }

  async #startStream(): Promise<void> {
    const { engine } = this.#options
    const stream = await engine.log.describeStream(this.definition.stream)
    requireKeys(this.parts, stream)
    const state = await this.#repeated(PLACING, () => this.#placement.begin(stream, this.definition.from))
    this.#pauseAs(state)
    this.#intake = this.#newIntake(stream, state.pass)
    await this.#intake.discover()
  }

  async #startQueue({ name }: QueueDefinition): Promise<void> {
    const state = await this.#repeated(PLACING, () => this.#placement.beginQueue(this.definition.stream))
    this.#pauseAs(state)
    const { pass, purgedUpTo } = state
    const lease = this.#options.owner.lease(places.queue(this.definition.name))
    if (lease === undefined) return
    const reading = await lease.begin()
    const options = { queueName: keys.queue(name), pass, lastStop: lease.lastStop, reading, purgedUpTo }
    this.#queueIntake = new QueueIntake(this.parts, options, this.#livePath)
    this.#queueIntake.start()
  }

  #pauseAs({ isPaused, pausedBy }: SubscriptionState): void {
    if (!isPaused) return
    this.#pausedBy = pausedBy
    this.parts.pause.pause()
  }

  /**
   * Stops intake, lets what runs finish for `timeoutMs`, gives the rest back, saves the checkpoints.
   * What was given back comes again at the next start.
   *
   * @returns false when a checkpoint was not saved: more comes again, some of which is in the ledger by now
   */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#isStopping = true
    this.#intake?.close()
    this.#queueIntake?.close()
    this.#consumer.close()
    this.parts.pause.close()
    this.parts.slots.close()
    this.parts.protection.close()
    const idle = Promise.all([this.#intake?.idle(), this.#queueIntake?.idle(), this.#consumer.idle()])
    const limit = new AbortController()
    await Promise.race([idle, this.#options.engine.clock.sleep(timeoutMs, limit.signal)])
    limit.abort()
    this.parts.runner.stop()
    this.#stopping.abort()
    await idle
    const { clock } = this.#options.engine
    const save = async (): Promise<void> => await this.#intake?.save()
    const isSaved = await lastTry(clock, this.parts.logger, 'saving checkpoints', save)
    await Promise.all(this.#background)
    return isSaved
  }

  async wouldRunOutOfOrder(item: LedgerItem): Promise<boolean> {
    return await this.#requeue.wouldRunOutOfOrder(item)
  }

  async requeue(entry: LedgerEntry, request: RequeueRequest): Promise<RequeueResult> {
    return await this.#requeue.requeue(entry, request)
  }

  async nudge(item: LedgerItem): Promise<void> {
    await this.#requeue.nudge(item)
  }

  async status(): Promise<SubscriptionStatus> {
    return await statusOf(this)
  }

  async pause(by: string): Promise<void> {
    await this.#placement.change({ isPaused: true, pausedBy: by })
    this.#pausedBy = by
    this.parts.pause.pause()
  }

  async resume(): Promise<void> {
    await this.#placement.change({ isPaused: false })
    this.#pausedBy = undefined
    this.parts.pause.resume()
  }

  resetBreaker(): boolean {
    return this.parts.protection.closeBreaker()
  }

  /**
   * Begins a new pass. What is under way is finished first; events that wait in the ledger keep their place, before
   * everything of the new pass. One seek at a time.
   */
  async seek(to: SeekTarget, shardId: string | undefined): Promise<void> {
    const { queue } = this.definition
    if (queue !== undefined) {
      const expected = `a subscription of a stream, since queue "${queue.name}" keeps nothing to go back to`
      throw new InvalidOptionError('seek', expected, this.definition.name)
    }
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

  /**
   * From here on every decision is made by this policy. Where `blocks` comes to or goes from `shard`, reading begins
   * again where it is: the handlers under way are waited for, at most their timeout, and nothing is begun meanwhile.
   */
  #setPolicy(policy: SubscriptionPolicy, version: number): void {
    this.parts.policy.replace(policy, version)
    const rereads = this.#intake !== undefined && !this.#readsAsPolicySays()
    // First of all: what is not begun yet is taken in again, in the lanes of the new policy.
    if (rereads) this.#intake?.close()
    this.parts.slots.resize(policy.concurrency)
    this.parts.protection.policyChanged()
    if (rereads) this.#background.push(this.#reread().catch((error) => this.#onRereadError(error)))
  }

  #tellRejected(rejected: readonly RejectedPart[]): void {
    const { logger, notify, engine, definition } = this.parts
    const reason = rejected.map((part) => part.reason).join('; ')
    const about = { subscription: definition.name, reason }
    logger.error(
      about,
      "changes of the policy do not fit the application file any more: the file's policy counts",
    )
    notify({ kind: 'policy-rejected', ...about, atMs: engine.clock.now() })
  }

  #readsAsPolicySays(): boolean {
    return this.#intake?.isSharded === (this.parts.policy.failure.blocks === 'shard')
  }

  async #reread(): Promise<void> {
    const endTurn = await this.#rereading.acquire()
    try {
      const old = this.#intake
      if (old === undefined || !old.isClosed || this.#isStopping) return
      await old.idle()
      await this.#repeated('saving checkpoints', () => old.save())
      const stream = await this.#repeated('describing the stream', () =>
        this.#options.engine.log.describeStream(this.definition.stream),
      )
      requireKeys(this.parts, stream)
      const { pass } = await this.#repeated('reading the subscription', () => this.#placement.current())
      if (this.#isStopping) return
      this.#intake = this.#newIntake(stream, pass, old.isRecovered)
      await this.#intake.discover()
    } finally {
      endTurn()
    }
  }

  #onRereadError(error: unknown): void {
    if (error instanceof Stopped) return
    const shards = this.#intake?.shards ?? []
    tellStopped(
      this.parts,
      shards.map((shard) => shard.shardId),
      error,
    )
  }

  async beforePurge(): Promise<void> {
    const intake = this.#queueIntake
    const upTo = await lastTakenIn(this.parts.holds, intake?.latest)
    if (intake === undefined || upTo === undefined) return
    await this.#repeated(PLACING, () => this.#placement.purged(upTo))
    intake.purged(upTo)
  }

  async #seekNow(to: SeekTarget, shardId: string | undefined): Promise<void> {
    const { engine } = this.#options
    const stream = await engine.log.describeStream(this.definition.stream)
    requireKeys(this.parts, stream)
    const shards = await engine.log.listShards(stream.name)
    if (shardId !== undefined && !shards.some((shard) => shard.shardId === shardId)) {
      throw new ShardNotFoundError(stream.name, shardId)
    }
    const old = this.#intake
    if (old === undefined) throw new SubscriptionNotFoundError(this.definition.name)
    const { pass } = await this.#placement.current()
    if (pass >= MAX_PASS)
      throw new InvalidOptionError('seek', `at most ${MAX_PASS} seeks of a subscription`, pass + 1)
    old.close()
    await old.idle()
    await old.save()
    await this.#repeated(PLACING, () => this.#placement.seek(stream, to, shardId))
    this.#intake = this.#newIntake(stream, pass + 1, true)
    await this.#intake.discover()
  }

  /** Placing is done again after a refused write: each of its steps is idempotent (P2). */
  #repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.parts
    return persist(engine.clock, stopping, logger, what, step)
  }

  /** @param isRecovered - nothing is left that may have been running at the last death */
  #newIntake(stream: StreamInfo, pass: number, isRecovered = false): Intake {
    const { readers } = this.#options
    const options = { stream, pass, isRecovered, readers }
    return new Intake(this.parts, options, this.#livePath, this.#handOver)
  }
}
