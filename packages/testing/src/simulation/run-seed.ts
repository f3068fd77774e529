import {
  defineApp,
  exponential,
  type HandleOptions,
  type Runtime,
  type SubscriptionDefinition,
  type SubscriptionStatus,
  startRuntime,
  stream,
  subscribe,
  type TableItem,
} from '@eddy/core'
import { Prng } from '../clock/prng.ts'
import type { PortCall } from '../sim/call-trace.ts'
import { type FaultPlan, quietFaults, roughFaults } from '../sim/fault-plan.ts'
import type { SimEngine } from '../sim/process/sim-engine.ts'
import { SimWorld } from '../sim/sim-world.ts'
import { resolvedByCheckpoint } from './checkpoint-view.ts'
import { checkEverythingEnded, checkNothingLost, checkRedrives } from './final-checks.ts'
import { History } from './history.ts'
import { Operator } from './operator.ts'
import { OrderPromises } from './order-promises.ts'
import { PolicyPlayer } from './policy-player.ts'
import { RareEventCounts } from './rare-events.ts'
import { seeCrash, seeOutcome } from './rare-sights.ts'
import { checkIsolation, checkReading, checkTokens, isAtRest } from './rest-checks.ts'
import { type Action, mostConcurrency, type Scenario, type ScriptedEvent, scenarioOf } from './scenario.ts'
import { scriptedBatch } from './scripted-batch.ts'
import { type HandlerWorld, scriptedHandler } from './scripted-handler.ts'
import { StoredChecks } from './stored-checks.ts'
import { failureOf, STREAM, StoredView, SUBSCRIPTION } from './stored-view.ts'
import { Violation } from './violation.ts'
import { watchedEngine } from './watched-engine.ts'
import { type CountedWrite, isWriteOf } from './write-kind.ts'

export interface SeedResult {
  readonly seed: number
  readonly scenario: Scenario
  readonly rare: RareEventCounts
  readonly violation: Violation | undefined
  /** The last port calls, when something broke. */
  readonly trace: readonly string[]
  readonly records: number
}

/** Virtual time for everything to come to rest once faults and crashes have ended. */
const REST_STEP_MS = 20_000
const REST_STEPS = 40
/** Shorter than a sweeper takes a token for lost. */
const FIRST_REST_MS = 12_000
/** Until then nobody decides what is parked, and other keys must get on without (I4). */
const DECIDE_AT_STEP = 4
const MAX_STEPS = 400_000

/** Plays one seed: an application on a faulty engine that crashes, and people at the controls. */
export async function runSeed(seed: number): Promise<SeedResult> {
  const run = new SeedRun(scenarioOf(seed))
  let violation: Violation | undefined
  try {
    await run.play()
  } catch (error) {
    violation =
      error instanceof Violation
        ? error
        : new Violation('crash', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  violation = run.firstViolation ?? violation
  return {
    seed,
    scenario: run.scenario,
    rare: run.rare,
    violation,
    trace: violation === undefined ? [] : run.world.trace.lines(),
    records: run.view.records().length,
  }
}

class SeedRun {
  readonly scenario: Scenario
  readonly world: SimWorld
  readonly view: StoredView
  readonly history: History
  readonly rare: RareEventCounts = new RareEventCounts()
  firstViolation: Violation | undefined
  readonly #stored: StoredChecks
  readonly #dice: Prng
  readonly #events = new Map<string, ScriptedEvent>()
  readonly #operator: Operator
  readonly #policy: PolicyPlayer
  readonly #promises: OrderPromises
  #engine: SimEngine | undefined
  #runtime: Runtime | undefined
  #isHealed = false
  #isCalm = false
  #isStopping = false
  #crashAtWrite: CountedWrite | undefined

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.world = new SimWorld({
      seed: scenario.seed,
      faults: faultsOf(scenario),
      traceLength: 2_000,
    })
    this.view = new StoredView(this.world.store)
    const promises = new OrderPromises(scenario.blocks)
    this.#promises = promises
    this.history = new History(this.view, promises, {
      ...scenario,
      concurrency: mostConcurrency(scenario),
    })
    this.#policy = new PolicyPlayer(this.view, promises, this.rare, scenario)
    this.#dice = new Prng(`play/${scenario.seed}`)
    this.#operator = new Operator(this.view, this.rare, scenario)
    this.#stored = new StoredChecks(this.view, this.history, promises)
    this.world.onCrash = () => this.#onCrash()
    this.world.onCall = (call) => this.#onCall(call)
    this.world.store.table.onChange = (before, after) => this.#onChange(before, after)
  }

  async play(): Promise<void> {
    this.#boot()
    for (const { atMs, action } of this.scenario.actions) {
      await this.#runFor(atMs - this.world.clock.monotonicMs())
      this.#act(action)
    }
    await this.#runFor(500)
    this.#becomeCalm()
    await this.#comeToRest()
    seeOutcome(this.view, this.rare, this.world)
    checkReading(await this.#status())
    checkEverythingEnded(this.view, this.history)
    checkRedrives(this.view)
  }

  #boot(): void {
    this.history.boot += 1
    this.#policy.booted()
    this.#engine = this.world.boot()
    for (const checkpoint of this.view.checkpoints().values())
      if (checkpoint.runs.length > 3) this.rare.saw('restoredHoles')
    const engine = watchedEngine(this.#engine, this.rare, this.history)
    const owner = this.#engine
    startRuntime({ engine, app: defineApp({ subscriptions: [this.#subscription()] }) }).then(
      (runtime) => {
        if (owner.isRunning) this.#runtime = runtime
      },
      (error) => this.#bootFailed(error, owner),
    )
  }

  /** A start may meet a fault of the engine; a supervisor starts the process again. */
  #bootFailed(error: unknown, owner: SimEngine): void {
    if (!owner.isRunning) return
    if ((error as { retryable?: boolean }).retryable === true) this.world.crash(owner)
    else this.#note(error)
  }

  #subscription(): SubscriptionDefinition {
    const { scenario } = this
    const engine = this.#engine as SimEngine
    const handlerWorld = {
      history: this.history,
      rare: this.rare,
      dice: this.#dice,
      timeoutMs: scenario.timeoutMs,
      eventOf: (id: string) => this.#events.get(id),
      isHealed: () => this.#isHealed,
      isGone: () => this.#engine !== engine,
      engine: () => engine,
      now: () => this.world.clock.now(),
      kill: () => this.world.crash(engine),
    }
    return subscribe(SUBSCRIPTION, stream(STREAM, { shards: scenario.shards, ...scenario.service }), {
      concurrency: scenario.concurrency,
      timeoutMs: scenario.timeoutMs,
      failure: {
        ...this.#policy.file,
        immediate: scenario.immediate,
        retry: exponential({ maxAttempts: scenario.maxAttempts, initialMs: scenario.delayMs, maxMs: 5_000 }),
        maxCrashes: 2,
      } as never,
      ...(scenario.protect !== undefined && { protect: scenario.protect }),
      ...this.#handlers(engine, handlerWorld),
    })
  }

  #handlers(engine: SimEngine, world: HandlerWorld): HandleOptions<unknown> {
    const { batch, blocks } = this.scenario
    const seen = async <T>(handle: () => Promise<T>): Promise<T> => {
      if (!engine.isRunning || this.#engine !== engine) await new Promise(() => {})
      try {
        return await handle()
      } catch (error) {
        if (error instanceof Violation) this.#note(error)
        throw error
      }
    }
    if (batch === undefined) return { handle: (event, ctx) => seen(() => scriptedHandler(world, event, ctx)) }
    const batchWorld = { ...world, view: this.view, blocks }
    return { batch, handleBatch: (items) => seen(() => scriptedBatch(batchWorld, items)) }
  }

  #act(action: Action): void {
    switch (action.kind) {
      case 'append':
        this.#append(action.events)
        break
      case 'crash':
        this.world.crash()
        break
      case 'linger':
        this.#linger(action.forMs)
        break
      case 'crash-at-call':
        this.world.crashAtCall(this.world.callCount + action.inCalls)
        break
      case 'crash-at-write':
        this.#crashAtWrite = { ...action }
        break
      case 'garbage':
        this.#engine?.log
          .append(STREAM, [{ partitionKey: action.key, data: new TextEncoder().encode('no event') }])
          .catch(() => {})
        break
      case 'stop':
        this.#stop()
        break
      case 'policy':
      case 'edit-file':
        this.#policy.act(action, this.#runtime)
        break
      default:
        if (this.#runtime !== undefined) this.#operator.act(action.kind, this.#runtime)
    }
  }

  #append(events: readonly ScriptedEvent[]): void {
    for (const event of events) this.#events.set(event.id, event)
    if (this.#runtime === undefined) return
    const list = events.map(({ id, key, explicitHashKey }) => ({
      id,
      key,
      // Every third payload is too large to lie in its ledger item.
      data: { id, ...(Number(id.slice(1)) % 3 === 0 && { filler: 'x'.repeat(1_100) }) },
      ...(explicitHashKey !== undefined && { explicitHashKey }),
    }))
    this.#runtime.append(STREAM, list, { aggregate: this.scenario.aggregate }).catch(() => {})
  }

  /** A graceful stop and a new start. */
  #stop(): void {
    const runtime = this.#runtime
    const engine = this.#engine
    if (runtime === undefined || engine === undefined || this.#isStopping) return
    this.#isStopping = true
    const done = this.history.again.doneIn(this.history.boot)
    runtime.stop({ timeoutMs: 2_000 }).then(
      () => {
        this.history.again.stoppedCleanly(done)
        this.world.crash(engine)
      },
      () => this.world.crash(engine),
    )
  }

  #onCrash(): void {
    this.#runtime = undefined
    this.#engine = undefined
    this.#isStopping = false
    seeCrash(this.view, this.rare, this.scenario.blocks)
    if (this.#operator.hasRunningRedrive()) this.rare.saw('crashDuringRedrive')
    try {
      this.#stored.ended()
      const resolved = resolvedByCheckpoint(this.view)
      checkNothingLost(this.view, this.history, (shardId) => {
        const done = resolved.get(shardId)
        return done === undefined ? undefined : (_, sequenceNumber) => done.has(sequenceNumber)
      })
      checkRedrives(this.view)
    } catch (error) {
      this.#note(error)
    }
    this.world.clock.setTimer(1 + this.#dice.int(500), () => {
      if (this.#engine === undefined) this.#boot()
    })
  }

  #onCall(call: PortCall): void {
    if (this.#crashAtWrite === undefined || !isWriteOf(this.#crashAtWrite.of, call)) return
    this.#crashAtWrite = { ...this.#crashAtWrite, inWrites: this.#crashAtWrite.inWrites - 1 }
    const { inWrites, end } = this.#crashAtWrite
    if (inWrites > 0) return
    this.#crashAtWrite = undefined
    if (end === 'linger') {
      this.#linger(2_000)
      return
    }
    const { faults } = this.world
    if (end === 'late') this.world.faults = { ...faults, crash: ALL_LATE }
    this.world.crash()
    this.world.faults = faults
  }

  /** The process is taken for dead, and goes on for so long, more or less slowly. */
  #linger(forMs: number): void {
    if (this.#engine === undefined || this.#runtime === undefined) return
    this.rare.saw('zombie')
    this.history.lingers(this.history.boot)
    this.history.protection.lingers()
    this.world.linger(this.#engine, forMs, { minMs: 0, maxMs: this.#dice.pick([20, 60, 300]) })
  }

  #onChange(before: TableItem | undefined, after: TableItem | undefined): void {
    try {
      this.#policy.changed(after)
      this.#stored.changed(before, after)
    } catch (error) {
      this.#note(error)
    }
    if (this.#isCalm || after?.partition.startsWith('ledger/') !== true) return
    const reaction = this.#operator.reaction(failureOf(after))
    if (reaction === undefined) return
    this.world.clock.setTimer(reaction.inMs, () => {
      if (this.#runtime !== undefined && !this.#isCalm) reaction.act(this.#runtime)
    })
  }

  #becomeCalm(): void {
    this.#isCalm = true
    this.world.faults = quietFaults
    this.world.crashAtCall(-1)
    this.#crashAtWrite = undefined
  }

  async #comeToRest(): Promise<void> {
    await this.#runFor(FIRST_REST_MS)
    const isAlwaysByKey = this.#promises.isAlways('key')
    // A former owner that goes on takes tokens of its successor's too, and leaves their lanes to the sweeper.
    const isAlone = this.world.counts.lingered === 0
    if (isAlwaysByKey && isAlone && this.#runtime !== undefined && !this.#operator.isPaused)
      checkTokens(this.view, this.world.clock.now())
    for (let step = 0; step < REST_STEPS; step += 1) {
      await this.#runFor(REST_STEP_MS)
      if (this.#runtime === undefined) continue
      if (step < DECIDE_AT_STEP) continue
      if (step === DECIDE_AT_STEP) {
        if (isAlwaysByKey && !this.#operator.isPaused) checkIsolation(this.view, this.history)
        this.#isHealed = true
        this.#operator.resume(this.#runtime)
        this.#operator.decideParked(this.#runtime)
        continue
      }
      if (isAtRest(this.view)) return
      // A person goes on deciding what is parked again.
      this.#operator.decideParked(this.#runtime)
    }
  }

  async #status(): Promise<SubscriptionStatus | undefined> {
    const status = this.#runtime?.operations.showSubscription(SUBSCRIPTION)
    await this.#runFor(1_000)
    return await status
  }

  async #runFor(ms: number): Promise<void> {
    if (ms <= 0) return
    const untilMs = this.world.clock.now() + ms
    const outcome = await this.world.clock.runUntil(untilMs, { maxSteps: MAX_STEPS })
    if (this.firstViolation !== undefined) throw this.firstViolation
    if (outcome.end === 'max-steps')
      throw new Violation(
        'I9',
        `${MAX_STEPS} timers fired within ${ms} ms: something spins (calm: ${this.#isCalm})`,
      )
  }

  #note(error: unknown): void {
    this.firstViolation ??=
      error instanceof Violation
        ? error
        : new Violation('crash', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

/** A former owner's last write may arrive long after its successor has begun to save checkpoints of its own. */
const LATE_WRITES = {
  tookEffectShare: 0.3,
  lateShare: 0.5,
  lateMs: { minMs: 0, maxMs: 4_000 },
  maxLateWrites: 10,
}

const ALL_LATE = { tookEffectShare: 0, lateShare: 1, lateMs: { minMs: 30, maxMs: 1_500 }, maxLateWrites: 10 }

function faultsOf({ isRough, seed }: Scenario): FaultPlan {
  if (!isRough) return { ...quietFaults, callMs: { minMs: 0, maxMs: 5 } }
  return seed % 3 === 0 ? { ...roughFaults, crash: LATE_WRITES } : roughFaults
}
