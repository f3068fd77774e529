import type { Intake } from '../consume/intake.ts'
import { LivePath } from '../consume/live-path.ts'
import { maxTimeoutMsOn } from '../consume/message-hiding.ts'
import type { QueueIntake } from '../consume/queue-intake.ts'
import { Slots } from '../consume/slots.ts'
import { SubscriptionPlacement, type SubscriptionState } from '../consume/subscription-placement.ts'
import { InvalidOptionError } from '../errors/request-errors.ts'
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
import { LivePolicy } from '../live-policy/live-policy.ts'
import { PolicyStore } from '../live-policy/policy-store.ts'
import type { SubscriptionDefinition } from '../model/app.ts'
import type { FailureStatus, LedgerItem } from '../model/ledger-item.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { RejectedPart } from '../model/policy-state.ts'
import { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import type { SubscriptionStatus } from '../operate/operations.ts'
import { BreakerStore } from '../protect/breaker-store.ts'
import { Protection } from '../protect/protection.ts'
import { ControlWatch } from './control-watch.ts'
import { CurrentPolicy } from './current-policy.ts'
import { PauseGate } from './pause-gate.ts'
import { QueueWork } from './queue-work.ts'
import { steadyEngine } from './steady-engine.ts'
import { lastTry, persist } from './stop-signal.ts'
import { StreamWork } from './stream-work.ts'
import type {
  RequeueRequest,
  RequeueResult,
  SeekTarget,
  SubscriptionControl,
} from './subscription-control.ts'
import { figuresOf, type SubscriptionFigures } from './subscription-figures.ts'
import type { SubscriptionParts } from './subscription-parts.ts'
import type { SubscriptionRunnerOptions } from './subscription-runner-options.ts'
import { statusOf } from './subscription-status.ts'

/** Counts are asked for as often as somebody looks, and cost more the more there is to count. */
const RECOUNT_AFTER_MS = 30_000
const COUNTED: readonly FailureStatus[] = ['retrying', 'held', 'dead']

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
  readonly #background: Promise<void>[] = []
  /** One of the two. */
  readonly #stream: StreamWork | undefined
  readonly #queue: QueueWork | undefined
  #sweeper: Sweeper | undefined
  #hasStarted = false
  #countedMs = Number.NEGATIVE_INFINITY
  #breakerResets = 0
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
      file: { ...definition, maxTimeoutMs: maxTimeoutMsOn(engine.queue, definition) },
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
        this.#queue?.hasPassed(position) ?? this.#stream?.hasPassed(shardId, position) ?? false,
    }
    const retryPath = new RetryPath(this.parts)
    const drain = new LaneDrain(this.parts, retryPath)
    this.#gate = new ShardGate(this.parts, drain)
    this.#handOver = new HandOver(this.parts)
    protection.onChange(() => this.#gate.wakeAll())
    this.#livePath = new LivePath(this.parts, this.#gate)
    this.#consumer = new RetryConsumer(this.parts, new TokenUse(this.parts, retryPath, drain))
    this.#requeue = new Requeue(this.parts, this.#gate, drain)
    const { readers } = options
    const work = { placement: this.#placement, readers, livePath: this.#livePath, handOver: this.#handOver }
    const { queue } = definition
    if (queue === undefined) this.#stream = new StreamWork(this.parts, work)
    else this.#queue = new QueueWork(this.parts, keys.queue(queue.name), this.#placement, this.#livePath)
  }

  get intake(): Intake | undefined {
    return this.#stream?.intake
  }

  /** Set instead of `intake` for a subscription of a queue, while this process reads it. */
  get queueIntake(): QueueIntake | undefined {
    return this.#queue?.intake
  }

  get hasStarted(): boolean {
    return this.#hasStarted
  }

  /** True once everything that may have been running at the last death is done. */
  get isRecovered(): boolean {
    return (this.queueIntake ?? this.intake)?.isRecovered === true
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
    await this.ledger.loadCounts(COUNTED)
    const work = (this.#stream ?? this.#queue) as StreamWork | QueueWork
    const state = await work.start()
    this.#breakerResets = state.breakerResets ?? 0
    if (state.isPaused) this.#paused(state.pausedBy)
    await work.begin()
    this.#hasStarted = true
    this.#sweeper = new Sweeper(this.parts, this.#handOver)
    this.#background.push(
      this.#consumer.run(),
      new ControlWatch(this.parts, {
        stateChanged: (changed) => this.#stateChanged(changed),
        policyChanged: (version) => this.policy.adopt(version),
      }).run(),
      this.#sweeper.run(),
      new PayloadJanitor(this.parts).run(),
    )
  }

  #paused(by: string | undefined): void {
    this.#pausedBy = by
    this.parts.pause.pause()
  }

  /** By a person, through another process. */
  #stateChanged({ isPaused, pausedBy, breakerResets, pass, purgedUpTo, seek }: SubscriptionState): void {
    if (isPaused !== this.parts.pause.isPaused) {
      if (isPaused) this.#paused(pausedBy)
      else this.#resumed()
    }
    if ((breakerResets ?? 0) > this.#breakerResets) this.parts.protection.closeBreaker()
    this.#breakerResets = breakerResets ?? 0
    if (purgedUpTo !== undefined) this.#queue?.purged(purgedUpTo)
    if (seek === undefined) this.#stream?.passChanged(pass)
  }

  /**
   * Stops intake, lets what runs finish for `timeoutMs`, gives the rest back, saves the checkpoints.
   * What was given back comes again at the next start.
   *
   * @returns false when a checkpoint was not saved: more comes again, some of which is in the ledger by now
   */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stream?.close()
    this.#queue?.close()
    this.#consumer.close()
    this.parts.pause.close()
    this.parts.slots.close()
    this.parts.protection.close()
    const idle = Promise.all([this.#stream?.idle(), this.#queue?.idle(), this.#consumer.idle()])
    const limit = new AbortController()
    await Promise.race([idle, this.#options.engine.clock.sleep(timeoutMs, limit.signal)])
    limit.abort()
    this.parts.runner.stop()
    this.#stopping.abort()
    await idle
    const { clock } = this.#options.engine
    const save = async (): Promise<void> => await this.#stream?.save()
    const isSaved = await lastTry(clock, this.parts.logger, 'saving checkpoints', save)
    await Promise.all([...this.#background, this.#stream?.ended()])
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
    await this.#recount()
    return await statusOf(this)
  }

  async figures(): Promise<SubscriptionFigures> {
    return await figuresOf(this, this.#sweeper)
  }

  /** What other processes wrote is not counted here as it comes. */
  async #recount(): Promise<void> {
    const { owner, engine, holds } = this.parts
    const nowMs = engine.clock.monotonicMs()
    if (!owner.isShared || nowMs - this.#countedMs < RECOUNT_AFTER_MS) return
    this.#countedMs = nowMs
    await this.ledger.loadCounts(COUNTED)
    await holds.refresh()
  }

  async pause(by: string): Promise<void> {
    await this.#placement.change({ isPaused: true, pausedBy: by })
    this.#paused(by)
  }

  async resume(): Promise<void> {
    await this.#placement.change({ isPaused: false })
    this.#resumed()
  }

  #resumed(): void {
    this.#pausedBy = undefined
    this.parts.pause.resume()
  }

  async resetBreaker(): Promise<boolean> {
    const wasOpen = this.parts.protection.closeBreaker()
    if (!this.#options.owner.isShared) return wasOpen
    // Another worker's may be open, though this one's is not.
    this.#breakerResets = await this.#placement.breakerReset()
    return true
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
    await this.#stream?.seek(to, shardId)
  }

  /**
   * From here on every decision is made by this policy. Where `blocks` comes to or goes from `shard`, reading begins
   * again where it is: the handlers under way are waited for, at most their timeout, and nothing is begun meanwhile.
   */
  #setPolicy(policy: SubscriptionPolicy, version: number): void {
    this.parts.policy.replace(policy, version)
    const reread = this.#stream?.policyChanged()
    this.parts.slots.resize(policy.concurrency)
    this.parts.protection.policyChanged()
    reread?.()
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

  async beforePurge(): Promise<void> {
    await this.#queue?.beforePurge()
  }

  /** Placing is done again after a refused write: each of its steps is idempotent (P2). */
  #repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
    const { engine, stopping, logger } = this.parts
    return persist(engine.clock, stopping, logger, what, step)
  }
}
