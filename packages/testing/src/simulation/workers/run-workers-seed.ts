import {
  type AppDefinition,
  defineApp,
  exponential,
  type HandlerContext,
  leases,
  outcome,
  type Runtime,
  startRuntime,
  stream,
  subscribe,
  type TableItem,
} from '@eddy/core'
import { Prng } from '../../clock/prng.ts'
import { quietFaults, roughFaults } from '../../sim/fault-plan.ts'
import type { SimEngine } from '../../sim/process/sim-engine.ts'
import { SimWorld } from '../../sim/sim-world.ts'
import { resolvedByCheckpoint } from '../checkpoint-view.ts'
import { checkEverythingEnded, checkNothingLost } from '../final-checks.ts'
import { isAtRest } from '../rest-checks.ts'
import { STREAM, type StoredCheckpoint, StoredView, SUBSCRIPTION } from '../stored-view.ts'
import { Violation } from '../violation.ts'
import { checkShared } from './check-shared.ts'
import { WorkersHistory } from './workers-history.ts'
import {
  MAX_WORKERS,
  type WorkersAction,
  type WorkersEvent,
  type WorkersScenario,
  workersScenarioOf,
} from './workers-scenario.ts'

export interface WorkersSeedResult {
  readonly scenario: WorkersScenario
  readonly violation: Violation | undefined
  /** The last port calls, when something broke. */
  readonly trace: readonly string[]
  readonly records: number
  readonly seen: {
    readonly kills: number
    /** Leases that went from one worker to another without a word. */
    readonly takenOver: number
    readonly handedOver: number
    readonly policyChanges: number
    /** Workers that handled something. */
    readonly workers: number
  }
}

interface Worker {
  readonly number: number
  readonly engine: SimEngine
  runtime: Runtime | undefined
  isStopping: boolean
}

const SECOND = 'second'
const REST_STEP_MS = 30_000
const REST_STEPS = 40
/** Until then nothing is healed: what keeps failing has come to its end by itself. */
const HEAL_AT_STEP = 3
const MAX_STEPS = 600_000

/** Plays one seed with several workers on one faulty engine: they die, stand still, come and go. */
export async function runWorkersSeed(seed: number): Promise<WorkersSeedResult> {
  const run = new WorkersSeedRun(workersScenarioOf(seed))
  try {
    await run.play()
  } catch (error) {
    run.note(error)
  }
  const { scenario, violation, world, seen, history, view } = run
  return {
    scenario,
    violation,
    trace: violation === undefined ? [] : world.trace.lines(),
    records: view.records().length,
    seen: { ...seen, workers: history.workersSeen.size },
  }
}

class WorkersSeedRun {
  readonly scenario: WorkersScenario
  readonly world: SimWorld
  readonly view: StoredView
  readonly history: WorkersHistory
  readonly seen = { kills: 0, takenOver: 0, handedOver: 0, policyChanges: 0 }
  violation: Violation | undefined
  readonly #dice: Prng
  readonly #events = new Map<string, WorkersEvent>()
  readonly #workers = new Map<number, Worker>()
  /** By the id that a worker has in the table. */
  readonly #numbers = new Map<string, number>()
  readonly #handledSecond = new Set<string>()
  #started = 0
  #isHealed = false

  constructor(scenario: WorkersScenario) {
    this.scenario = scenario
    const faults = scenario.isRough ? roughFaults : { ...quietFaults, callMs: { minMs: 0, maxMs: 5 } }
    this.world = new SimWorld({ seed: scenario.seed, faults, traceLength: 3_000 })
    this.view = new StoredView(this.world.store)
    this.history = new WorkersHistory(this.view, scenario.promised)
    this.#dice = new Prng(`play-workers/${scenario.seed}`)
    this.world.onCrash = () => this.#onCrash()
    this.world.store.table.onChange = (before, after) => this.#onChange(before, after)
  }

  async play(): Promise<void> {
    for (let count = this.scenario.workers; count > 0; count -= 1) this.#start()
    for (const { atMs, action } of this.scenario.actions) {
      await this.#runFor(atMs - this.world.clock.monotonicMs())
      this.#act(action)
    }
    await this.#runFor(500)
    this.world.faults = quietFaults
    this.world.crashAtCall(-1)
    await this.#comeToRest()
    checkEverythingEnded(this.view, this.history)
    this.#checkSecond()
    checkShared(this.world.store.allItems('lease'), this.#numbers, [...this.#workers.keys()])
  }

  note(error: unknown): void {
    this.violation ??=
      error instanceof Violation
        ? error
        : new Violation('crash', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  #start(): void {
    this.#started += 1
    const number = this.#started
    const engine = this.world.boot()
    const worker: Worker = { number, engine, runtime: undefined, isStopping: false }
    this.#workers.set(number, worker)
    const ownership = leases({ leaseMs: this.scenario.leaseMs, name: String(number) })
    startRuntime({ engine, app: this.#app(worker), ownership }).then(
      (runtime) => {
        worker.runtime = runtime
      },
      (error) => {
        if (!engine.isRunning) return
        // A start may meet a fault of the engine; a supervisor starts the process again.
        if ((error as { retryable?: boolean }).retryable === true) this.world.crash(engine)
        else this.note(error)
      },
    )
  }

  #app(worker: Worker): AppDefinition {
    const { shards, concurrency, timeoutMs, blocks, exhausted, maxAttempts, delayMs } = this.scenario
    const retry = exponential({ maxAttempts, initialMs: delayMs, maxMs: 5_000 })
    const source = stream(STREAM, { shards })
    return defineApp({
      subscriptions: [
        subscribe(SUBSCRIPTION, source, {
          concurrency,
          timeoutMs,
          failure: { blocks, exhausted, retry, maxCrashes: 2 } as never,
          handle: (event, ctx) => this.#handle(worker, event.id, ctx),
        }),
        // It lags: its parents are done with later, and other workers may have the children by then.
        subscribe(SECOND, source, {
          concurrency: 1,
          failure: { blocks: 'nothing' },
          handle: async (event) => {
            await worker.engine.clock.sleep(this.#isHealed ? 0 : 150)
            this.#handledSecond.add(event.id)
          },
        }),
      ],
    })
  }

  async #handle({ number, engine }: Worker, eventId: string, ctx: HandlerContext): Promise<void> {
    if (!engine.isRunning) return await new Promise(() => {})
    let call: ReturnType<WorkersHistory['started']>
    try {
      call = this.history.started(eventId, ctx, number, this.world.clock.now())
    } catch (error) {
      this.note(error)
      throw error
    }
    const behaviour = this.#isHealed ? 'ok' : (this.#events.get(eventId)?.script[call.number] ?? 'ok')
    await engine.clock.sleep(this.#dice.int(60))
    switch (behaviour) {
      case 'kill':
        this.#kill(number)
        return await new Promise(() => {})
      case 'hang':
        // Counts as failed from when its time is up.
        await engine.clock.sleep(this.scenario.timeoutMs)
        this.history.ended(call, 'failed')
        return await new Promise(() => {})
      case 'ok':
        this.history.ended(call, 'ok')
        return
      case 'fail':
        this.history.ended(call, 'failed')
        throw new Error('planned failure')
      case 'dead-letter':
        this.history.ended(call, 'failed')
        throw outcome.deadLetter('planned')
    }
  }

  #act(action: WorkersAction): void {
    switch (action.kind) {
      case 'append':
        this.#append(action.events)
        return
      case 'join':
        if (this.#workers.size < MAX_WORKERS) this.#start()
        return
      case 'leave':
        this.#leave()
        return
      case 'kill':
        if (this.#workers.size > 0) this.#kill(this.#dice.pick([...this.#workers.keys()]))
        return
      case 'kill-all-at-call':
        this.world.crashAtCall(this.world.callCount + action.inCalls)
        return
      case 'stall':
        this.#stall(action.forMs)
        return
      case 'redrive':
        this.#redrive()
        return
      case 'pause':
        this.#ask((operations) => operations.pauseSubscription(SUBSCRIPTION))
        return
      case 'resume':
        this.#resume()
        return
      case 'policy':
        this.#ask((operations) =>
          operations.changePolicy(SUBSCRIPTION, { set: { 'failure.blocks': action.blocks } }),
        )
        return
      case 'split':
      case 'merge': {
        const runtime = this.#any()
        // What it meets is the engine's: the next look shows what came of it.
        if (runtime !== undefined) this.#reshard(action.kind, runtime).catch(() => {})
      }
    }
  }

  #any(): Runtime | undefined {
    const running = [...this.#workers.values()].filter(
      ({ runtime, isStopping }) => runtime !== undefined && !isStopping,
    )
    return running.length === 0 ? undefined : this.#dice.pick(running).runtime
  }

  #append(events: readonly WorkersEvent[]): void {
    for (const event of events) this.#events.set(event.id, event)
    this.#any()
      ?.append(
        STREAM,
        events.map(({ id, key }) => ({ id, key, data: { id } })),
      )
      .catch(() => {})
  }

  #redrive(): void {
    for (const status of ['held', 'dead'] as const)
      this.#any()
        ?.operations.startRedrive({ subscription: SUBSCRIPTION, status }, { allowOutOfOrder: true })
        .catch(() => {})
  }

  #leave(): void {
    const worker = [...this.#workers.values()].find(
      ({ runtime, isStopping }) => runtime !== undefined && !isStopping,
    )
    if (worker?.runtime === undefined) return
    worker.isStopping = true
    const end = (): void => this.world.crash(worker.engine)
    worker.runtime.stop({ timeoutMs: 5_000 }).then(end, end)
  }

  #kill(number: number): void {
    const worker = this.#workers.get(number)
    if (worker === undefined) return
    this.seen.kills += 1
    this.world.crash(worker.engine)
  }

  #stall(forMs: number): void {
    const numbers = [...this.#workers.keys()]
    if (numbers.length === 0) return
    const number = this.#dice.pick(numbers)
    this.history.stalled(number)
    this.world.stall((this.#workers.get(number) as Worker).engine, forMs)
  }

  #resume(): void {
    this.#ask((operations) => operations.resumeSubscription(SUBSCRIPTION))
  }

  /** A person asks one of the workers; what they meet is the engine's. */
  #ask(ask: (operations: Runtime['operations']) => Promise<unknown>): void {
    const runtime = this.#any()
    if (runtime !== undefined) ask(runtime.operations).catch(() => {})
  }

  async #reshard(kind: 'split' | 'merge', { operations }: Runtime): Promise<void> {
    const { shards } = await operations.showStream(STREAM)
    const open = shards.filter((shard) => shard.open)
    if (open.length === 0) return
    const { shardId } = this.#dice.pick(open)
    if (kind === 'split' && open.length < 6) await operations.splitShard(STREAM, shardId)
    if (kind === 'merge' && open.length > 1) await operations.mergeShards(STREAM, shardId)
  }

  /** Whoever died is started again soon, as by a supervisor: not later than its lease is free. */
  #onCrash(): void {
    for (const [number, worker] of this.#workers) {
      if (worker.engine.isRunning) continue
      this.#workers.delete(number)
      this.history.died(number)
    }
    try {
      this.#checkNothingLost()
    } catch (error) {
      this.note(error)
    }
    this.world.clock.setTimer(1 + this.#dice.int(900), () => {
      if (this.#workers.size < this.scenario.workers) this.#start()
    })
  }

  #checkNothingLost(): void {
    const resolved = resolvedByCheckpoint(this.view)
    checkNothingLost(this.view, this.history, (shardId) => {
      const done = resolved.get(shardId)
      return done === undefined ? undefined : (_, name) => done.has(name)
    })
  }

  #onChange(before: TableItem | undefined, after: TableItem | undefined): void {
    const { partition, sort } = (after ?? before) as TableItem
    if (partition === 'lease') this.#leaseChanged(sort, before, after)
    if (partition === 'policy') this.seen.policyChanges += 1
    if (!partition.startsWith('checkpoint/') || before === undefined || after === undefined) return
    const [was, is] = [before.value, after.value] as unknown as [StoredCheckpoint, StoredCheckpoint]
    if (is.epoch < was.epoch)
      this.note(new Violation('I2', `a former reading wrote its checkpoint of ${sort} over a later one (C4)`))
  }

  #leaseChanged(sort: string, before: TableItem | undefined, after: TableItem | undefined): void {
    const [was, is] = [before?.value, after?.value] as unknown as (
      | { owner?: string; name?: string }
      | undefined
    )[]
    if (sort.startsWith('worker/') && is?.name !== undefined)
      this.#numbers.set(sort.slice('worker/'.length), Number(is.name))
    if (!sort.startsWith('shard/') || was?.owner === undefined || is?.owner === undefined) return
    if (was.owner === is.owner) return
    if (is.owner === '') this.seen.handedOver += 1
    if (was.owner === '' || is.owner === '') return
    this.seen.takenOver += 1
    // What runs there still is not known to its successor.
    const number = this.#numbers.get(was.owner)
    if (number !== undefined) this.history.stalled(number)
  }

  async #comeToRest(): Promise<void> {
    for (let step = 0; step < REST_STEPS; step += 1) {
      await this.#runFor(REST_STEP_MS)
      if (step < HEAL_AT_STEP) continue
      this.#isHealed = true
      if (step === HEAL_AT_STEP) this.#resume()
      if (step > HEAL_AT_STEP && isAtRest(this.view)) return
      // A person decides what is parked.
      this.#any()
        ?.operations.dropFailures({ subscription: SUBSCRIPTION, status: 'held' })
        .catch(() => {})
    }
  }

  /** I2, of the subscription that lags. */
  #checkSecond(): void {
    for (const { eventId } of this.view.records())
      if (!this.#handledSecond.has(eventId))
        throw new Violation('I2', `${eventId} was never handled by the second subscription`)
  }

  async #runFor(ms: number): Promise<void> {
    if (ms <= 0) return
    const untilMs = this.world.clock.now() + ms
    const { end } = await this.world.clock.runUntil(untilMs, { maxSteps: MAX_STEPS })
    if (this.violation !== undefined) throw this.violation
    if (end === 'max-steps')
      throw new Violation('I9', `${MAX_STEPS} timers fired within ${ms} ms: something spins`)
  }
}
