import {
  type AppDefinition,
  type AppendOptions,
  type AppendOutcome,
  EngineClosedError,
  type FailureFilter,
  type LedgerItem,
  type NewEvent,
  type NewMessage,
  type Notice,
  type Operations,
  type QueueDefinition,
  type Runtime,
  type SendOutcome,
  type StreamDefinition,
  StreamNotFoundError,
  SubscriptionNotFoundError,
  startRuntime,
} from '@eddy/core'
import type { VirtualClock } from '../clock/virtual-clock.ts'
import type { SimEngine } from '../sim/process/sim-engine.ts'
import { SimWorld } from '../sim/sim-world.ts'
import { Driver } from './driver.ts'
import { type Duration, durationMs } from './duration.ts'
import { type HandlerCall, HandlerCalls } from './handler-calls.ts'
import type { Harness, HarnessOptions } from './harness.ts'
import { HarnessLogs, type LogLine } from './harness-logs.ts'
import { instrumentApp } from './instrument-app.ts'
import { type DelayOptions, type FailOptions, Interferences } from './interferences.ts'
import { NotSettledError } from './not-settled-error.ts'
import { lookAtRest } from './rest.ts'

const FIRST_STEP_MS = 10
const MAX_STEP_MS = 1_000

/** A process of the application, from its start to its stop or crash. */
interface Life {
  readonly engine: SimEngine
  readonly runtime: Runtime
}

/** The application, its simulated world, and what the test does to it. */
export class RunningHarness implements Harness {
  readonly world: SimWorld
  readonly operations: Operations
  readonly #driver: Driver
  readonly #calls: HandlerCalls
  readonly #interferences = new Interferences()
  readonly #logs = new HarnessLogs()
  readonly #notices: Notice[] = []
  #app: AppDefinition
  #lives = 0
  #crashed = false
  #life: Life | undefined

  constructor(app: AppDefinition, options: HarnessOptions) {
    const { seed = 1, faults, startMs } = options
    this.#app = app
    this.world = new SimWorld({
      seed,
      ...(faults !== undefined && { faults }),
      ...(startMs !== undefined && { startMs }),
      // However the process dies (`world.crashAtCall` too), its calls die with it.
      onCrash: () => this.#onCrash(),
    })
    this.#driver = new Driver(this.world.clock, () => this.#crashed)
    this.#calls = new HandlerCalls(() => this.world.clock.now())
    this.operations = this.#driver.driven(() => this.#running().operations)
  }

  get clock(): VirtualClock {
    return this.world.clock
  }

  get notices(): readonly Notice[] {
    return this.#notices
  }

  get logs(): readonly LogLine[] {
    return this.#logs.lines
  }

  async start(): Promise<void> {
    const engine = this.world.boot()
    this.#crashed = false
    this.#lives += 1
    const app = instrumentApp(this.#app, {
      calls: this.#calls,
      interferences: this.#interferences,
      sink: { name: 'harness', notify: (notice) => void this.#notices.push(notice) },
      clock: engine.clock,
      life: this.#lives,
    })
    const starting = startRuntime({ engine, app, logger: this.#logs.logger })
    try {
      const runtime = await this.#driver.settle('the start', starting)
      if (engine.isRunning) this.#life = { engine, runtime }
    } catch (error) {
      // A handler that takes the process down may do so before the start is through: that is a crash like others.
      if (engine.isRunning) throw error
    }
  }

  async append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]> {
    const name = typeof stream === 'string' ? stream : stream.name
    if (!this.#app.streams.some((known) => known.name === name)) throw new StreamNotFoundError(name)
    return await this.#driver.settle('append', this.#running().append(name, events, options))
  }

  async send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]> {
    return await this.#driver.settle('send', this.#running().send(queue, messages))
  }

  fail(subscription: string, options: FailOptions = {}): () => void {
    return this.#interferences.fail(this.#known(subscription), options)
  }

  delay(subscription: string, options: DelayOptions): () => void {
    return this.#interferences.delay(this.#known(subscription), options)
  }

  heal(subscription: string): void {
    this.#interferences.heal(this.#known(subscription))
  }

  async advance(duration: Duration): Promise<void> {
    await this.clock.advance(durationMs('advance()', duration))
  }

  async settle(within: Duration = '1h'): Promise<void> {
    const limitMs = this.clock.monotonicMs() + durationMs('settle()', within)
    await this.clock.advance(0)
    for (let stepMs = FIRST_STEP_MS; ; stepMs = Math.min(MAX_STEP_MS, stepMs * 2)) {
      const rest = await lookAtRest(this.operations, (queue) => this.#nextDueAtMs(queue))
      if (rest.kind === 'rest') return
      if (rest.kind === 'stuck') throw new NotSettledError(rest.why)
      const leftMs = limitMs - this.clock.monotonicMs()
      const dueInMs = rest.kind === 'due' ? rest.atMs - this.clock.now() : 0
      if (dueInMs > leftMs) return
      if (leftMs <= 0) throw new NotSettledError(rest.kind === 'busy' ? rest.why : 'a retry is overdue')
      await this.clock.advance(Math.min(leftMs, Math.max(dueInMs, stepMs)))
    }
  }

  calls(subscription: string): readonly HandlerCall[] {
    return this.#calls.of(this.#known(subscription))
  }

  attempts(subscription: string, eventId: string): number {
    return this.calls(subscription).filter((call) => call.eventId === eventId).length
  }

  order(subscription: string, key: string): readonly string[] {
    return this.#calls.handled(this.#known(subscription), key).map((call) => call.eventId)
  }

  async failures(filter: FailureFilter = {}): Promise<readonly LedgerItem[]> {
    if (filter.subscription !== undefined) this.#known(filter.subscription)
    const items: LedgerItem[] = []
    let after: string | undefined
    do {
      const page = await this.operations.listFailures(filter, {
        limit: 1_000,
        ...(after !== undefined && { after }),
      })
      items.push(...page.items)
      after = page.next
    } while (after !== undefined)
    return items
  }

  async deadLetters(subscription: string): Promise<readonly LedgerItem[]> {
    return await this.failures({ subscription, status: 'dead' })
  }

  async retrying(subscription: string): Promise<readonly LedgerItem[]> {
    return await this.failures({ subscription, status: 'retrying' })
  }

  async held(subscription: string): Promise<readonly LedgerItem[]> {
    return await this.failures({ subscription, status: 'held' })
  }

  async resolved(subscription: string): Promise<readonly LedgerItem[]> {
    return await this.failures({ subscription, status: 'resolved' })
  }

  async dropped(subscription: string): Promise<readonly LedgerItem[]> {
    return await this.failures({ subscription, status: 'dropped' })
  }

  async crash(options: { readonly restart?: boolean } = {}): Promise<void> {
    this.world.crash()
    if (options.restart !== false) await this.start()
  }

  async restart(options: { readonly timeoutMs?: number; readonly app?: AppDefinition } = {}): Promise<void> {
    await this.#stop(options)
    this.#app = options.app ?? this.#app
    await this.start()
  }

  async close(): Promise<void> {
    await this.#stop({})
  }

  async #stop(options: { readonly timeoutMs?: number }): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    await this.#driver.settle('the stop', life.runtime.stop(options))
    await life.engine.close()
    this.#life = undefined
  }

  #onCrash(): void {
    this.#life = undefined
    this.#crashed = true
    this.#calls.crashed()
  }

  #nextDueAtMs(queue: string): number | undefined {
    return this.world.store.queue(`queue/${queue}`).nextDueAtMs()
  }

  #running(): Runtime {
    if (this.#life === undefined) throw new EngineClosedError()
    return this.#life.runtime
  }

  #known(subscription: string): string {
    if (this.#app.subscriptions.some((known) => known.name === subscription)) return subscription
    throw new SubscriptionNotFoundError(subscription)
  }
}
