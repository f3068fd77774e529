import { Slots } from '../consume/slots.ts'
import { SubscriptionPlacement } from '../consume/subscription-placement.ts'
import { Holds } from '../fail/holds.ts'
import { Ledger } from '../fail/ledger.ts'
import { PayloadJanitor } from '../fail/payload-janitor.ts'
import type { SweepPlace } from '../fail/sweeper.ts'
import { Tokens } from '../fail/tokens.ts'
import { HandlerRunner } from '../handle/handler-runner.ts'
import { Steps } from '../handle/steps.ts'
import type { Owner } from '../lease/owner.ts'
import { LivePolicy } from '../live-policy/live-policy.ts'
import { PolicyStore } from '../live-policy/policy-store.ts'
import type { Notice, SubscriptionDefinition } from '../model/app.ts'
import type { Logger } from '../observe/logger.ts'
import { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import type { Engine } from '../ports/engine.ts'
import type { StreamInfo } from '../ports/log.ts'
import type { Producer } from '../produce/producer.ts'
import type { Sender } from '../produce/sender.ts'
import { BreakerStore } from '../protect/breaker-store.ts'
import { Protection } from '../protect/protection.ts'
import { CurrentPolicy } from '../runtime/current-policy.ts'
import { requireKeys } from '../runtime/keys-watch.ts'
import { Mutex } from '../runtime/mutex.ts'
import { PauseGate } from '../runtime/pause-gate.ts'
import { steadyEngine } from '../runtime/steady-engine.ts'
import { persist } from '../runtime/stop-signal.ts'
import { EventMarkers } from './event-markers.ts'
import { Invocation, RESERVE_MS } from './invocation.ts'
import { InvokedOwner } from './invoked-owner.ts'

export interface InvokedSubscriptionOptions {
  readonly definition: SubscriptionDefinition
  readonly engine: Engine
  readonly producer: Producer
  readonly sender: Sender
  readonly logger: Logger
  readonly notify: (notice: Notice) => void
  /** No record comes (again) that is older. */
  readonly maxRecordAgeMs: number
  /** Names the process among all that are invoked: neither a number nor with a colon. */
  readonly processId: string
  /** Greater than that of every invocation before it, here and as far as clocks agree elsewhere. */
  readonly nextEpoch: () => number
}

/** What a person changes elsewhere (the policy, a pause) counts here after so long. */
const LOOK_EVERY_MS = 5_000
const DESCRIBE_EVERY_MS = 60_000

/**
 * One subscription in a process that is invoked, and frozen in between. What depends on what others may have done
 * meanwhile (holds, epoch, the ledger's versions) is made anew for every invocation; what guards the downstream stays.
 */
export class InvokedSubscription {
  readonly definition: SubscriptionDefinition
  readonly policy: LivePolicy
  readonly current: CurrentPolicy
  readonly metrics: SubscriptionMetrics = new SubscriptionMetrics()
  readonly protection: Protection
  readonly placement: SubscriptionPlacement
  readonly runner: HandlerRunner
  readonly janitor: PayloadJanitor
  /** Where the sweeper is, from one of its rounds to the next. */
  readonly sweepPlace: SweepPlace = {}
  /** When its payloads were, on the monotonic clock. */
  lookedThroughAtMs: number | undefined
  readonly #options: InvokedSubscriptionOptions
  readonly #slots: Slots
  readonly #owner: Owner
  readonly #tokens: Tokens
  readonly #pause = new PauseGate()
  readonly #suspects = new Mutex()
  /** Of what outlives invocations; never aborted. */
  readonly #lasting = new AbortController().signal
  #pass = 0
  #pausedBy: string | undefined
  #lookedAtMs: number | undefined
  #hasLooked = false
  #breakerResets = 0
  #stream: StreamInfo | undefined
  #describedAtMs: number | undefined

  constructor(options: InvokedSubscriptionOptions) {
    const { definition, engine, logger, notify } = options
    this.#options = options
    this.definition = definition
    this.current = new CurrentPolicy(definition)
    this.protection = new Protection({
      subscription: definition.name,
      policy: this.current,
      clock: engine.clock,
      store: new BreakerStore(engine, definition.name, this.#lasting, logger),
      logger,
      notify,
    })
    this.#owner = new InvokedOwner(options.processId, options.nextEpoch)
    this.#slots = new Slots(this.current.concurrency, this.protection)
    this.#tokens = new Tokens(engine.queue, engine.clock, definition.name)
    this.placement = new SubscriptionPlacement(engine, definition.name, async () => options.nextEpoch())
    const steps = new Steps(engine, definition.name, definition.ledgerRetentionMs)
    const { producer, sender } = options
    const md5Hex = (text: string): string => engine.md5Hex(text)
    this.runner = new HandlerRunner(
      definition,
      this.current,
      engine.clock,
      { steps, producer, sender, md5Hex },
      { onBatch: (events) => this.metrics.batchSize.observe(events) },
    )
    this.policy = new LivePolicy({
      subscription: definition.name,
      file: definition,
      store: new PolicyStore(engine, definition.name),
      nowMs: () => engine.clock.now(),
      persist: (_what, step) => step(),
      apply: (policy, version) => {
        this.current.replace(policy, version)
        this.#slots.resize(policy.concurrency)
        this.protection.policyChanged()
      },
      onRejected: (rejected) => {
        const reason = rejected.map((part) => part.reason).join('; ')
        logger.error(
          { subscription: definition.name, reason },
          'changes of the policy do not fit the application file any more',
        )
      },
    })
    const ledger = new Ledger(engine, definition.name, definition.ledgerRetentionMs)
    this.janitor = new PayloadJanitor({
      engine,
      ledger,
      definition,
      logger,
      stopping: this.#lasting,
      owner: this.#owner,
    })
  }

  get isPaused(): boolean {
    return this.#pause.isPaused
  }

  get pausedBy(): string | undefined {
    return this.#pausedBy
  }

  get slots(): Slots {
    return this.#slots
  }

  /**
   * Looks at what others may have changed, and begins an invocation.
   * @param deadlineMs - on the monotonic clock: the process may be ended then
   * @throws KeysIgnoredError; Stopped when storage did not answer in time
   */
  async begin(deadlineMs: number): Promise<Invocation> {
    await this.#lookInTime(deadlineMs)
    const { definition, logger, notify, maxRecordAgeMs, nextEpoch } = this.#options
    const over = new AbortController()
    const engine = steadyEngine(this.#options.engine, over.signal, logger)
    const ledger = new Ledger(engine, definition.name, definition.ledgerRetentionMs, (item) =>
      this.#tokens.cancel(item),
    )
    const parts = {
      definition,
      policy: this.current,
      engine,
      owner: this.#owner,
      claims: this.#owner.claims,
      ledger,
      holds: new Holds(engine, definition.name, undefined),
      tokens: this.#tokens,
      runner: this.runner,
      slots: this.#slots,
      protection: this.protection,
      metrics: this.metrics,
      logger,
      notify,
      stopping: over.signal,
      suspects: this.#suspects,
      crashMarker: new EventMarkers(engine, definition.ledgerRetentionMs).always(),
      pause: this.#pause,
      // Who reads keeps its own place, and tells nobody. A record may come again as long as it is not too old.
      checkpointPassed: (_shardId: string, _position: string, sinceMs: number) =>
        engine.clock.now() - sinceMs > maxRecordAgeMs,
    }
    return new Invocation(parts, { over, deadlineMs, pass: this.#pass, epoch: nextEpoch() })
  }

  /** An invocation that fails at once uses up the tries that its service has for the records: it waits while it can (I9). */
  async #lookInTime(deadlineMs: number): Promise<void> {
    const { engine, logger } = this.#options
    const { clock } = engine
    const late = new AbortController()
    const over = new AbortController()
    const waiting = clock
      .sleep(Math.max(0, deadlineMs - RESERVE_MS - clock.monotonicMs()), over.signal)
      .then(() => late.abort())
    try {
      await persist(clock, late.signal, logger, 'looking at a subscription', () => this.look())
    } finally {
      over.abort()
      await waiting
    }
  }

  /** @param isFresh - now, however short ago the last look was */
  async look(isFresh = false): Promise<void> {
    const { definition, engine } = this.#options
    const nowMs = engine.clock.monotonicMs()
    if (!isFresh && this.#lookedAtMs !== undefined && nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return
    const source = await this.#source(nowMs)
    const state = await this.placement.beginUnplaced(source)
    await this.policy.load()
    if (!this.#hasLooked) await this.protection.load()
    this.#pass = state.pass
    this.#pausedBy = state.isPaused ? state.pausedBy : undefined
    if (state.isPaused && !this.#pause.isPaused) this.#pause.pause()
    if (!state.isPaused && this.#pause.isPaused) this.#pause.resume()
    const { breakerResets = 0 } = state
    if (this.#hasLooked && breakerResets > this.#breakerResets) this.protection.closeBreaker()
    this.#breakerResets = breakerResets
    if (this.#stream !== undefined) requireKeys({ definition, policy: this.current }, this.#stream)
    this.#hasLooked = true
    this.#lookedAtMs = nowMs
  }

  /** What names the stream or queue for good. Whether a stream's keys count may change at any time. */
  async #source(nowMs: number): Promise<string> {
    const { definition, engine } = this.#options
    if (definition.queue !== undefined) return definition.stream
    const isDue = this.#describedAtMs === undefined || nowMs - this.#describedAtMs >= DESCRIBE_EVERY_MS
    if (this.#stream === undefined || (isDue && engine.log.mayIgnoreKeys === true)) {
      this.#stream = await engine.log.describeStream(definition.stream)
      this.#describedAtMs = nowMs
    }
    return this.#stream.streamId
  }
}
