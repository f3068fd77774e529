import {
  type AppDefinition,
  defineApp,
  type EddyEvent,
  exponential,
  failed,
  type HandlerContext,
  type LedgerItem,
  outcome,
  queue,
  type Runtime,
  startRuntime,
  subscribe,
  succeeded,
} from '@eddy/core'
import { Prng } from '../../clock/prng.ts'
import { quietFaults, roughFaults } from '../../sim/fault-plan.ts'
import type { SimEngine } from '../../sim/process/sim-engine.ts'
import { SimWorld } from '../../sim/sim-world.ts'
import { StoredView, SUBSCRIPTION } from '../stored-view.ts'
import { Violation } from '../violation.ts'
import { nameOf, QueueHistory } from './queue-history.ts'
import { type QueueAction, type QueueScenario, queueScenarioOf, type ScriptedTask } from './queue-scenario.ts'

export interface QueueSeedResult {
  readonly scenario: QueueScenario
  readonly violation: Violation | undefined
  /** The last port calls, when something broke. */
  readonly trace: readonly string[]
  readonly accepted: number
  readonly seen: { readonly crashes: number; readonly diverted: number; readonly purged: number }
}

const QUEUE = 'tasks'
const PORT_QUEUE = `queue/${QUEUE}`
const REST_STEP_MS = 60_000
const REST_STEPS = 30
const MAX_STEPS = 400_000

/** Plays one seed with a queue: an application on a faulty engine that crashes, and people at the controls. */
export async function runQueueSeed(seed: number): Promise<QueueSeedResult> {
  const run = new QueueSeedRun(queueScenarioOf(seed))
  try {
    await run.play()
  } catch (error) {
    run.note(error)
  }
  const { scenario, violation, history, world, crashes } = run
  const { tasks } = history
  return {
    scenario,
    violation,
    trace: violation === undefined ? [] : world.trace.lines(),
    accepted: tasks.length,
    seen: {
      crashes,
      diverted: run.view.ledger().filter((item) => item.history[0]?.error === undefined).length,
      purged: tasks.filter((task) => task.isPurged).length,
    },
  }
}

class QueueSeedRun {
  readonly scenario: QueueScenario
  readonly world: SimWorld
  readonly view: StoredView
  readonly history: QueueHistory
  violation: Violation | undefined
  crashes = 0
  readonly #dice: Prng
  readonly #tasks = new Map<string, ScriptedTask>()
  #engine: SimEngine | undefined
  #runtime: Runtime | undefined
  #isHealed = false
  #isPaused = false

  constructor(scenario: QueueScenario) {
    this.scenario = scenario
    const faults = scenario.isRough ? roughFaults : { ...quietFaults, callMs: { minMs: 0, maxMs: 5 } }
    this.world = new SimWorld({ seed: scenario.seed, faults, traceLength: 2_000 })
    this.view = new StoredView(this.world.store)
    this.history = new QueueHistory(scenario.blocks, (sequenceNumber) => this.#inLedger(sequenceNumber))
    this.#dice = new Prng(`play-queue/${scenario.seed}`)
    this.world.onCrash = () => this.#onCrash()
    this.world.store.queue(PORT_QUEUE).onChange = (kind, message) => {
      try {
        this.history[kind](message)
      } catch (error) {
        this.note(error)
      }
    }
  }

  async play(): Promise<void> {
    this.#boot()
    for (const { atMs, action } of this.scenario.actions) {
      await this.#runFor(atMs - this.world.clock.monotonicMs())
      this.#act(action)
    }
    await this.#runFor(500)
    this.world.faults = quietFaults
    this.world.crashAtCall(-1)
    await this.#comeToRest()
    this.#checkEverythingEnded()
  }

  note(error: unknown): void {
    this.violation ??=
      error instanceof Violation
        ? error
        : new Violation('crash', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  #boot(): void {
    this.history.boot += 1
    const engine = this.world.boot()
    this.#engine = engine
    startRuntime({ engine, app: this.#app(engine) }).then(
      (runtime) => {
        if (engine.isRunning) this.#runtime = runtime
      },
      (error) => {
        if (!engine.isRunning) return
        // A start may meet a fault of the engine; a supervisor starts the process again.
        if ((error as { retryable?: boolean }).retryable === true) this.world.crash(engine)
        else this.note(error)
      },
    )
  }

  #app(engine: SimEngine): AppDefinition {
    const { isGrouped, isBatch, blocks, exhausted, immediate, maxAttempts, delayMs } = this.scenario
    const { concurrency, timeoutMs, maxBufferedRecords } = this.scenario
    const tasks = queue(QUEUE, isGrouped ? { group: 'group' } : {})
    const handle = (event: EddyEvent, ctx: HandlerContext): Promise<void> => this.#handle(engine, event, ctx)
    const handler = isBatch
      ? {
          handleBatch: (items: readonly { id: string; event: EddyEvent; ctx: HandlerContext }[]) =>
            Promise.all(
              items.map((item) =>
                handle(item.event, item.ctx).then(
                  () => succeeded(item),
                  (error: unknown) => failed(item, error),
                ),
              ),
            ),
        }
      : { handle }
    const retry = exponential({ maxAttempts, initialMs: delayMs, maxMs: 5_000 })
    const failure = { blocks, exhausted, immediate, retry, maxCrashes: 2 }
    return defineApp({
      subscriptions: [
        subscribe(SUBSCRIPTION, tasks, {
          concurrency,
          timeoutMs,
          maxBufferedRecords,
          failure: failure as never,
          ...handler,
        }),
      ],
    })
  }

  async #handle(engine: SimEngine, event: EddyEvent, ctx: HandlerContext): Promise<void> {
    const { clock } = this.world
    if (!engine.isRunning) return await new Promise(() => {})
    let task: ReturnType<QueueHistory['started']>
    try {
      task = this.history.started(ctx, clock.now())
    } catch (error) {
      this.note(error)
      throw error
    }
    const behaviour = this.#isHealed ? 'ok' : (this.#tasks.get(event.id)?.script[task.calls - 1] ?? 'ok')
    await engine.clock.sleep(this.#dice.int(20))
    if (behaviour === 'kill') {
      this.world.crash(engine)
      return await new Promise(() => {})
    }
    if (behaviour === 'hang' || behaviour === 'late') {
      await engine.clock.sleep(this.scenario.timeoutMs)
      this.history.ended(task, 'failed')
      if (behaviour === 'hang') return await new Promise(() => {})
      await engine.clock.sleep(1 + this.#dice.int(500))
      throw new Error('late')
    }
    this.history.ended(task, behaviour === 'ok' ? 'ok' : 'failed')
    if (behaviour === 'fail') throw new Error('planned failure')
    if (behaviour === 'dead-letter') throw outcome.deadLetter('planned')
  }

  #act(action: QueueAction): void {
    const runtime = this.#runtime
    switch (action.kind) {
      case 'send':
        for (const task of action.tasks) this.#tasks.set(task.id, task)
        runtime
          ?.send(
            QUEUE,
            action.tasks.map((task) => this.#messageOf(task)),
          )
          .catch(() => {})
        return
      case 'crash':
        this.world.crash()
        return
      case 'crash-at-call':
        this.world.crashAtCall(this.world.callCount + action.inCalls)
        return
      case 'stop':
        this.#stop()
        return
      case 'pause':
        if (runtime === undefined) return
        runtime.operations.pauseSubscription(SUBSCRIPTION).catch(() => {})
        this.#isPaused = true
        return
      case 'purge':
        if (runtime === undefined) return
        this.history.purging()
        runtime.operations.purgeQueue(QUEUE).catch(() => {})
    }
  }

  #messageOf({ id, group, delayMs }: ScriptedTask): {
    readonly id: string
    readonly data: unknown
    readonly delayMs?: number
  } {
    return { id, data: { group }, ...(delayMs > 0 && { delayMs }) }
  }

  #stop(): void {
    const engine = this.#engine
    if (this.#runtime === undefined || engine === undefined) return
    const end = (): void => this.world.crash(engine)
    this.#runtime.stop({ timeoutMs: 2_000 }).then(end, end)
    this.#runtime = undefined
  }

  #onCrash(): void {
    this.crashes += 1
    this.#runtime = undefined
    this.#engine = undefined
    this.world.clock.setTimer(1 + this.#dice.int(500), () => {
      if (this.#engine === undefined) this.#boot()
    })
  }

  async #comeToRest(): Promise<void> {
    for (let step = 0; step < REST_STEPS; step += 1) {
      await this.#runFor(REST_STEP_MS)
      const runtime = this.#runtime
      if (runtime === undefined) continue
      if (this.#isPaused) {
        this.#isPaused = false
        runtime.operations.resumeSubscription(SUBSCRIPTION).catch(() => {
          this.#isPaused = true
        })
        continue
      }
      if (step < 4) continue
      this.#isHealed = true
      if (this.#isAtRest()) return
      // A person decides what is parked.
      runtime.operations.dropFailures({ subscription: SUBSCRIPTION, status: 'held' }).catch(() => {})
    }
  }

  #isAtRest(): boolean {
    return (
      this.world.store.queue(PORT_QUEUE).depth === 0 &&
      this.view.holds().every((hold) => hold.state === 'open') &&
      this.view.ledger().every((item) => item.status !== 'retrying' && item.status !== 'held') &&
      this.view.queuedTokens().length === 0
    )
  }

  /** I2 and I9: every message ended well, or stands where a person sees it. */
  #checkEverythingEnded(): void {
    if (!this.#isAtRest())
      throw new Violation(
        'I9',
        `not at rest: ${JSON.stringify({
          queue: this.world.store.queue(PORT_QUEUE).messages(),
          holds: this.view.holds().filter((hold) => hold.state === 'held'),
          ledger: this.view.ledger().filter(({ status }) => status === 'retrying' || status === 'held'),
          tokens: this.view.queuedTokens(),
        })}`,
      )
    for (const task of this.history.tasks) {
      if (task.isPurged || task.successes > 0) continue
      const stored = this.#inLedger(String(task.message.order))
      if (stored === undefined)
        throw new Violation('I2', `${nameOf(task)} was never handled and is not in the ledger`)
      if (stored.item.status === 'resolved')
        throw new Violation('I2', `${nameOf(task)} is resolved and was never handled`)
      if (stored.item.status === 'dead' && !stored.hasPayload)
        throw new Violation('I2', `${nameOf(task)} is dead without its payload`)
    }
  }

  #inLedger(sequenceNumber: string): { readonly item: LedgerItem; readonly hasPayload: boolean } | undefined {
    const item = this.view.ledger().find((one) => one.sequenceNumber === sequenceNumber)
    return item === undefined ? undefined : { item, hasPayload: this.view.payloadOf(item) === 'kept' }
  }

  async #runFor(ms: number): Promise<void> {
    if (ms <= 0) return
    const untilMs = this.world.clock.now() + ms
    const end = await this.world.clock.runUntil(untilMs, { maxSteps: MAX_STEPS })
    if (this.violation !== undefined) throw this.violation
    if (end.end === 'max-steps')
      throw new Violation('I9', `${MAX_STEPS} timers fired within ${ms} ms: something spins`)
  }
}
