import { type Handlers, type HandlersOptions, handlers } from '@eddy/aws/lambda'
import {
  type AppDefinition,
  createInvocations,
  type Delivery,
  type Engine,
  encodeEvent,
  isEddyError,
  type LedgerItem,
  type LogRecord,
  type NewEvent,
  type Operations,
  type StartPosition,
  silentLogger,
} from '@eddy/core'
import { type SimEngine, SimWorld, type SimWorldOptions, type VirtualClock } from '@eddy/testing'
import {
  FunctionExit,
  type KinesisMapping,
  type KinesisMappingOptions,
  type KinesisSource,
  type LambdaContext,
  LambdaFunction,
  type SqsMapping,
  type SqsMappingOptions,
  type SqsSource,
  startKinesisMapping,
  startSqsMapping,
} from '@eddy/testing/lambda'

/** What a sandbox's application may do to its own process. */
export interface Sandbox {
  /** Ends the process; never resolves. */
  exit(): Promise<never>
}

export interface LambdaWorldOptions extends Partial<SimWorldOptions> {
  readonly shards?: number
  readonly stream?: string
  /** Of every function; default 120,000. */
  readonly timeoutMs?: number
  /** Asked at each invocation: after so long its answer is lost, and it runs on beside the next one. */
  readonly loseAnswerAfterMs?: () => number | undefined
  /** Of handlers. */
  readonly options?: HandlersOptions
}

type Kind = Exclude<keyof Handlers, 'http'>

/**
 * An application in functions of Lambda, on simulated ports and a virtual clock: each concurrent invocation has a process of
 * its own, kept for later ones until it dies.
 */
export class LambdaWorld {
  readonly world: SimWorld
  readonly engine: SimEngine
  readonly #makeApp: (sandbox: Sandbox) => AppDefinition
  readonly #options: LambdaWorldOptions
  readonly #idle: Process[] = []
  readonly #mappings: (KinesisMapping | SqsMapping)[] = []
  readonly app: AppDefinition
  #operations: Operations | undefined
  /** Processes that ended by themselves. */
  exits = 0
  /** Invocations that ran on after theirs was taken for failed. */
  lostAnswers = 0

  private constructor(makeApp: (sandbox: Sandbox) => AppDefinition, options: LambdaWorldOptions) {
    this.#makeApp = makeApp
    this.#options = options
    this.world = new SimWorld({ seed: 1, ...options })
    this.engine = this.world.boot()
    this.app = makeApp({ exit: () => new Promise(() => {}) })
  }

  static async open(
    makeApp: (sandbox: Sandbox) => AppDefinition,
    options: LambdaWorldOptions = {},
  ): Promise<LambdaWorld> {
    const opened = new LambdaWorld(makeApp, options)
    for (const { name, shards, retentionMs, durability } of opened.app.streams)
      await opened.settle(
        opened.engine.log.createStream({
          name,
          shardCount: options.shards ?? shards,
          retentionMs,
          durability,
        }),
      )
    return opened
  }

  get clock(): VirtualClock {
    return this.world.clock
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.settle(promise)
  }

  async put(stream: string, events: readonly NewEvent[]): Promise<void> {
    const entries = events.map((event) => ({
      partitionKey: event.key,
      data: encodeEvent(event, { stream, id: event.id as string, nowMs: this.clock.now() }),
    }))
    const results = await this.settle(this.engine.log.append(stream, entries))
    if (results.some((result) => !result.ok)) throw new Error('an event was not appended')
  }

  /** A function that has one of the handlers. */
  fn(kind: Kind, more: HandlersOptions = {}): LambdaFunction {
    return new LambdaFunction({
      clock: this.clock,
      name: `${more.subscription ?? 'all'}-${kind}`,
      timeoutMs: this.#options.timeoutMs ?? 120_000,
      handler: (event: never, context: LambdaContext) => this.#invoke(kind, more, event, context),
    })
  }

  /** Maps the stream to a function of the subscription. */
  mapStream(subscription: string, options: Partial<KinesisMappingOptions> = {}): KinesisMapping {
    const { stream } = this.app.subscriptions.find(({ name }) => name === subscription) as { stream: string }
    const fn = this.fn('kinesis', { subscription })
    const mapping = startKinesisMapping({
      clock: this.clock,
      source: kinesisSource(this.engine, stream),
      streamArn: `arn:aws:kinesis:eu-west-1:000000000000:stream/${stream}`,
      functionArn: fn.arn,
      invoke: fn.invoke,
      reportBatchItemFailures: true,
      ...options,
    })
    this.#mappings.push(mapping)
    return mapping
  }

  /** Maps a queue of the port to a function. */
  mapQueue(queue: string, fn: LambdaFunction, options: Partial<SqsMappingOptions> = {}): SqsMapping {
    const mapping = startSqsMapping({
      clock: this.clock,
      source: sqsSource(this.engine, queue),
      queueArn: `arn:aws:sqs:eu-west-1:000000000000:${queue.replace('/', '-')}`,
      invoke: fn.invoke,
      reportBatchItemFailures: true,
      ...options,
    })
    this.#mappings.push(mapping)
    return mapping
  }

  mapRetries(subscription: string): SqsMapping {
    return this.mapQueue(`retry/${subscription}`, this.fn('retry', { subscription }))
  }

  async failures(): Promise<readonly LedgerItem[]> {
    return (await this.settle(this.operations.listFailures({}))).items
  }

  /** As a function that serves the administration has them. */
  get operations(): Operations {
    this.#operations ??= createInvocations({
      engine: this.engine,
      app: this.app,
      processId: 'looker',
    }).operations
    return this.#operations
  }

  async stop(): Promise<void> {
    await Promise.all(this.#mappings.map((mapping) => this.settle(mapping.stop())))
    this.world.crash()
  }

  async #invoke(kind: Kind, more: HandlersOptions, event: never, context: LambdaContext): Promise<unknown> {
    const process = this.#idle.find((idle) => idle.key === keyOf(kind, more)) ?? this.#boot(kind, more)
    if (this.#idle.includes(process)) this.#idle.splice(this.#idle.indexOf(process), 1)
    const exited = new Promise<never>((_resolve, reject) => {
      process.onExit = () => reject(new FunctionExit())
    })
    exited.catch(() => {})
    const running = Promise.race([process.handlers[kind](event, context), exited])
    const over = new AbortController()
    const kept = running
      .finally(() => over.abort())
      .then((answer) => {
        this.#idle.push(process)
        return answer
      })
    const loseAfterMs = this.#options.loseAnswerAfterMs?.()
    if (loseAfterMs === undefined) return await kept
    kept.catch(() => {})
    const lost = this.clock.sleep(loseAfterMs, over.signal).then(() => {
      if (over.signal.aborted) return kept
      this.lostAnswers += 1
      throw new Error('the connection was lost')
    })
    return await lost
  }

  #boot(kind: Kind, more: HandlersOptions): Process {
    const engine = this.world.boot()
    const process: Process = { key: keyOf(kind, more), onExit: () => {}, handlers: undefined as never }
    const app = this.#makeApp({
      exit: () => {
        this.exits += 1
        this.world.crash(engine)
        process.onExit()
        return new Promise(() => {})
      },
    })
    process.handlers = handlers(app, {
      engine: () => engine,
      logger: silentLogger,
      metrics: () => {},
      traces: false,
      env: {},
      ...this.#options.options,
      ...more,
    })
    return process
  }
}

interface Process {
  readonly key: string
  handlers: Handlers
  onExit: () => void
}

function keyOf(kind: Kind, more: HandlersOptions): string {
  return `${kind}/${more.subscription}`
}

/** A service's own calls: simulated faults are the application's. */
async function steadily<T>({ clock }: Engine, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isEddyError(error) || !error.retryable) throw error
      await clock.sleep(10)
    }
  }
}

export function kinesisSource(engine: Engine, stream: string): KinesisSource {
  const { log } = engine
  return {
    listShards: () => steadily(engine, () => log.listShards(stream)),
    start: async (_shardId, { at }) =>
      JSON.stringify({ at: at === 'LATEST' ? 'latest' : 'trim_horizon' } satisfies StartPosition),
    read: async (shardId, from, limit) => {
      const position = JSON.parse(from) as StartPosition
      const read = { stream, shardId, from: position, maxRecords: limit, maxBytes: 10_485_760, waitMs: 0 }
      const { records, next } = await steadily(engine, () => log.read(read))
      return {
        records: records.map(({ arrivedAtMs, ...record }: LogRecord) => ({
          ...record,
          approximateArrivalMs: arrivedAtMs,
        })),
        next: next === undefined ? undefined : JSON.stringify(next),
      }
    },
  }
}

/** A message is hidden for as long as the service asks for: several times a function's time. */
const VISIBILITY_MS = 720_000

function sqsSource(engine: Engine, queue: string): SqsSource {
  const { queue: port } = engine
  return {
    receive: async (max, signal) => {
      const request = {
        queue,
        maxMessages: max,
        visibilityMs: VISIBILITY_MS,
        waitMs: 0,
        signal,
      }
      const deliveries = await steadily(engine, () => port.receive(request))
      return deliveries.map((delivery: Delivery) => ({
        messageId: delivery.messageId,
        receiptHandle: delivery.receipt,
        body: delivery.body,
        attributes: {
          ApproximateReceiveCount: String(delivery.receiveCount),
          SentTimestamp: String(delivery.sentAtMs),
          ...(delivery.group !== undefined && {
            MessageGroupId: delivery.group,
            SequenceNumber: delivery.sequenceNumber,
          }),
        },
        md5OfBody: '',
      }))
    },
    delete: (receipts) => steadily(engine, () => port.ack(queue, receipts)),
  }
}
