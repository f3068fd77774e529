import { checkHiding, maxTimeoutMsOn } from '../consume/message-hiding.ts'
import { ShardReaders } from '../consume/shard-readers.ts'
import { InvalidOptionError } from '../errors/request-errors.ts'
import type { HandlerThreads } from '../handle/handler-threads.ts'
import type { Ownership } from '../lease/leases.ts'
import type { Owner } from '../lease/owner.ts'
import type {
  AppDefinition,
  Notice,
  NotifySink,
  StreamDefinition,
  SubscriptionDefinition,
} from '../model/app.ts'
import type { AppendMarks } from '../model/append-marks.ts'
import { isApp } from '../model/define-app.ts'
import type { NewEvent } from '../model/event.ts'
import type { NewMessage, QueueDefinition, SendOutcome } from '../model/message.ts'
import type { Logger } from '../observe/logger.ts'
import { silentLogger } from '../observe/logger.ts'
import { Notifier } from '../observe/notifier.ts'
import { renderMetrics } from '../observe/render-metrics.ts'
import { createOperations, type RunningOperations } from '../operate/create-operations.ts'
import type { AppendOptions, AppendOutcome, Operations } from '../operate/operations.ts'
import type { Engine } from '../ports/engine.ts'
import { appendOnce } from '../produce/append-once.ts'
import type { ProduceOptions, ProduceReport } from '../produce/produce-options.ts'
import { Producer } from '../produce/producer.ts'
import { Sender } from '../produce/sender.ts'
import { ensureStream } from './ensure-stream.ts'
import { watchJobs } from './job-watch.ts'
import { KeysWatch } from './keys-watch.ts'
import { Mutex } from './mutex.ts'
import { ownEngine } from './own-engine.ts'
import type { ProcessState } from './process-state.ts'
import { RetentionWatch } from './retention-watch.ts'
import { lastTry, persist } from './stop-signal.ts'
import type { SubscriptionFigures } from './subscription-figures.ts'
import { SubscriptionRunner } from './subscription-runner.ts'

export interface RuntimeOptions {
  readonly engine: Engine
  readonly app: AppDefinition
  readonly logger?: Logger
  /** Refuse every change asked for through `operations`; subscriptions run all the same. */
  readonly readOnly?: boolean
  /** How this process shares the engine with others: `leases()`. Default: it owns all of it, and no other may run. */
  readonly ownership?: Ownership | undefined
  readonly backup?: (target: string) => Promise<{ readonly bytes: number }>
  /** Starts the threads of a subscription that asks for some. Without it every handler runs on this one. */
  readonly startThreads?: (subscription: SubscriptionDefinition) => Promise<HandlerThreads>
}

export interface Runtime {
  readonly operations: Operations
  append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]>
  /** Appends what a source gives, however long it is. @throws ProduceError, InvalidOptionError */
  produce(
    stream: string | StreamDefinition,
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options?: ProduceOptions<NewEvent>,
  ): Promise<ProduceReport<NewEvent>>
  /** Sends to a queue of the application. @throws QueueNotFoundError */
  send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]>
  /** For streams and shards that were made, closed or removed otherwise than through `operations`: readers look at once. */
  streamsChanged(): Promise<void>
  /** What this process has to tell of each subscription, for whoever publishes it regularly. */
  figures(): Promise<readonly SubscriptionFigures[]>
  /** Stops within about `timeoutMs` (default 25,000): finishes or gives back what is in flight, saves checkpoints. The engine stays open. */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>
}

/**
 * Runs an application on an engine: creates its streams, starts its subscriptions.
 * @throws InvalidOptionError for an application that `defineApp` did not make, and for a `timeoutMs` beyond what the engine's
 * queues can hide a message for
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  if (!isApp(options.app))
    throw new InvalidOptionError('the application', 'one made with defineApp()', options.app)
  const running = new RunningApp(options)
  await running.start()
  return running
}

const RECOVERY_LOOK_MS = 200
const DRAIN_NOTICES_MS = 2_000
/** Calls of the log for one stream: an engine that commits many at once is given many (I6). */
const MAX_APPENDS_IN_FLIGHT = 64

class RunningApp implements Runtime {
  readonly #options: RuntimeOptions
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  readonly #subscriptions = new Map<string, SubscriptionRunner>()
  readonly #listeners = new Set<(notice: Notice) => void>()
  readonly #appended = new Map<string, { records: number; failed: number }>()
  readonly #sent = new Map<string, { records: number; failed: number }>()
  readonly #notifier: Notifier
  readonly #producer: Producer
  readonly #sender: Sender
  readonly #readers: ShardReaders
  readonly #background: Promise<void>[] = []
  readonly #threads: HandlerThreads[] = []
  #process: ProcessState | undefined
  #owner: Owner | undefined
  #operations: RunningOperations | undefined
  #stopped: Promise<void> | undefined

  constructor(options: RuntimeOptions) {
    const { engine, app } = options
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    const streams = new Map(app.streams.map((stream) => [stream.name, stream]))
    this.#producer = new Producer({
      log: engine.log,
      clock: engine.clock,
      md5Hex: (text) => engine.md5Hex(text),
      md5: (bytes) => engine.md5(bytes),
      maxInFlight: MAX_APPENDS_IN_FLIGHT,
      schemaOf: (stream) => streams.get(stream)?.schema,
    })
    this.#sender = new Sender(engine, new Map(app.queues.map((queue) => [queue.name, queue])))
    this.#readers = new ShardReaders(engine, this.#logger, this.#stopping.signal)
    const listeners: NotifySink = {
      name: 'watchers',
      notify: (notice) => {
        for (const listener of this.#listeners) listener(notice)
      },
    }
    this.#notifier = new Notifier({
      sinks: [...app.notify, listeners],
      clock: engine.clock,
      logger: this.#logger,
    })
  }

  get operations(): Operations {
    return this.#operations as Operations
  }

  async streamsChanged(): Promise<void> {
    for (const runner of this.#subscriptions.values()) await runner.intake?.discover()
  }

  async start(): Promise<void> {
    const { engine, app, readOnly, backup } = this.#options
    for (const { name, timeoutMs, ...definition } of app.subscriptions)
      checkHiding(`subscribe("${name}").timeoutMs`, timeoutMs, maxTimeoutMsOn(engine.queue, definition))
    const suspects = new Mutex()
    const { owner, crashMarker, process } = await ownEngine({
      engine,
      ownership: this.#options.ownership,
      logger: this.#logger,
      suspects,
      stopping: this.#stopping.signal,
    })
    this.#owner = owner
    this.#process = process
    // What a service that many start on at once refuses for a moment makes a start wait, and does not end it (I9).
    for (const stream of app.streams)
      await this.#repeated('looking for a stream', () => ensureStream(engine.log, stream, this.#logger))
    const notify = (notice: Notice): void => this.#notifier.notify(notice)
    for (const definition of app.subscriptions) {
      const runner = new SubscriptionRunner({
        definition,
        engine,
        owner,
        readers: this.#readers,
        producer: this.#producer,
        sender: this.#sender,
        suspects,
        crashMarker,
        logger: this.#logger,
        notify,
        threads: await this.#startThreads(definition),
      })
      this.#subscriptions.set(definition.name, runner)
    }
    this.#operations = createOperations({
      engine,
      streams: new Map(app.streams.map((stream) => [stream.name, stream])),
      queues: new Map(app.queues.map((queue) => [queue.name, queue])),
      subscriptions: this.#subscriptions,
      producer: {
        append: (stream, events, appendOptions) => this.append(stream, events, appendOptions),
        appendOnce: (stream, events, marks) => this.#appendOnce(stream, events, marks),
        send: (queue, messages) => this.send(queue, messages),
      },
      logger: this.#logger,
      readOnly: readOnly ?? false,
      metrics: () => this.#metrics(),
      ready: () => this.#isReady(),
      onStreamsChanged: () => this.streamsChanged(),
      notices: (listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      ...(backup !== undefined && { backup }),
    })
    // Both may be done again: a storage that fails for a moment makes the start wait, and does not end it (I9).
    const operations = this.#operations
    await this.#repeated('finishing edits', () => operations.completeEdits())
    for (const runner of this.#subscriptions.values()) await runner.start()
    await owner.start()
    // Several processes: those of dead ones are found by one that lives.
    if (!owner.isShared) await this.#repeated('going on with redrives', () => operations.resumeRedrives())
    const { clock } = engine
    const stopping = this.#stopping.signal
    this.#background.push(
      this.#watchRecovery(process),
      watchJobs({ owner, operations, clock, logger: this.#logger, stopping }),
      new RetentionWatch([...this.#subscriptions.values()], engine, notify, this.#stopping.signal).run(),
      new KeysWatch([...this.#subscriptions.values()], engine, this.#stopping.signal).run(),
    )
  }

  #repeated<T>(what: string, step: () => Promise<T>): Promise<T> {
    return persist(this.#options.engine.clock, this.#stopping.signal, this.#logger, what, step)
  }

  async #startThreads(definition: SubscriptionDefinition): Promise<HandlerThreads | undefined> {
    if (definition.threads === 0) return undefined
    const threads = await this.#options.startThreads?.(definition)
    if (threads !== undefined) this.#threads.push(threads)
    return threads
  }

  async append(
    stream: string | StreamDefinition,
    events: NewEvent | readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]> {
    const name = typeof stream === 'string' ? stream : stream.name
    const list: readonly NewEvent[] = Array.isArray(events) ? events : [events as NewEvent]
    const outcomes = await this.#producer.append(name, list, options)
    this.#count(name, outcomes, () => true)
    return outcomes
  }

  /** What fails retryably is another process's to send again: it has not failed yet. */
  async #appendOnce(
    stream: string,
    events: readonly NewEvent[],
    marks: AppendMarks | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const { engine, app } = this.#options
    const schema = app.streams.find(({ name }) => name === stream)?.schema
    const outcomes = await appendOnce({ log: engine.log, clock: engine.clock, schema }, stream, events, marks)
    this.#count(stream, outcomes, (outcome) => !outcome.retryable)
    return outcomes
  }

  #count(
    stream: string,
    outcomes: readonly AppendOutcome[],
    isFailed: (outcome: AppendOutcome & { readonly ok: false }) => boolean,
  ): void {
    const counts = this.#appendCounts(stream)
    for (const outcome of outcomes) {
      if (outcome.ok) counts.records += 1
      else if (isFailed(outcome)) counts.failed += 1
    }
  }

  async produce(
    stream: string | StreamDefinition,
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options: ProduceOptions<NewEvent> = {},
  ): Promise<ProduceReport<NewEvent>> {
    const name = typeof stream === 'string' ? stream : stream.name
    const counts = this.#appendCounts(name)
    return await this.#producer.produce(name, events, {
      ...options,
      onOutcome: (outcome, index, event) => {
        if (outcome.ok) counts.records += 1
        else counts.failed += 1
        return options.onOutcome?.(outcome, index, event)
      },
    })
  }

  #appendCounts(stream: string): { records: number; failed: number } {
    let counts = this.#appended.get(stream)
    if (counts === undefined) {
      counts = { records: 0, failed: 0 }
      this.#appended.set(stream, counts)
    }
    return counts
  }

  async send(
    queue: string | QueueDefinition,
    messages: NewMessage | readonly NewMessage[],
  ): Promise<readonly SendOutcome[]> {
    const name = typeof queue === 'string' ? queue : queue.name
    const list: readonly NewMessage[] = Array.isArray(messages) ? messages : [messages as NewMessage]
    const outcomes = await this.#sender.send(name, list)
    const counts = this.#sent.get(name) ?? { records: 0, failed: 0 }
    for (const outcome of outcomes) {
      if (!outcome.ok) counts.failed += 1
      else if (!outcome.duplicate) counts.records += 1
    }
    this.#sent.set(name, counts)
    return outcomes
  }

  figures(): Promise<readonly SubscriptionFigures[]> {
    return Promise.all([...this.#subscriptions.values()].map((runner) => runner.figures()))
  }

  stop(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(options.timeoutMs ?? 25_000)
    return this.#stopped
  }

  async #stop(timeoutMs: number): Promise<void> {
    await this.#operations?.stop()
    this.#owner?.close()
    const runners = [...this.#subscriptions.values()]
    const saved = await Promise.all(runners.map((runner) => runner.stop(timeoutMs)))
    await this.#owner?.end(saved.every((isSaved) => isSaved))
    this.#stopping.abort()
    await Promise.all(this.#threads.map((threads) => threads.close()))
    await Promise.all(this.#background)
    await this.#notifier.drain(DRAIN_NOTICES_MS)
    const { clock } = this.#options.engine
    // A replay looks into the ledger, and only after a stop that was not clean: of what is there already (I2).
    if (!saved.every((isSaved) => isSaved)) return
    await lastTry(clock, this.#logger, 'noting the end', async () => await this.#process?.end())
  }

  /** Once everything that was running at the last death is done, the next death counts as a first one. */
  async #watchRecovery(process: ProcessState | undefined): Promise<void> {
    if (process === undefined || process.lastStop === 'clean') return
    const { clock } = this.#options.engine
    while (!this.#stopping.signal.aborted) {
      if ([...this.#subscriptions.values()].every((runner) => runner.isRecovered)) {
        // Should it never be written, the next stop only looks worse than it was.
        await persist(clock, this.#stopping.signal, this.#logger, 'noting the recovery', () =>
          process.recovered(),
        ).catch(() => {})
        return
      }
      await clock.sleep(RECOVERY_LOOK_MS, this.#stopping.signal)
    }
  }

  #isReady(): boolean {
    return [...this.#subscriptions.values()].every((runner) => runner.hasStarted)
  }

  async #metrics(): Promise<string> {
    const subscriptions = await Promise.all(
      [...this.#subscriptions.values()].map(async (runner) => ({
        status: await runner.status(),
        metrics: runner.parts.metrics,
        abandoned: runner.parts.runner.stats.abandoned,
        refused: runner.parts.protection.refused,
      })),
    )
    return renderMetrics({
      subscriptions,
      appended: this.#appended,
      sent: this.#sent,
      queues: (await this.#operations?.listQueues()) ?? [],
      logReads: this.#readers.readCalls,
      throttledReads: this.#readers.throttledReads,
      throttled: this.#options.engine.log.throttled?.() ?? [],
      engine: this.#options.engine.stats?.() ?? {},
    })
  }
}
