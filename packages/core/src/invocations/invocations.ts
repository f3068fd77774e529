import { Expander } from '../aggregate/expander.ts'
import { Copies } from '../consume/copies.ts'
import { messageMeta } from '../consume/message-meta.ts'
import { RecordSieve } from '../consume/record-sieve.ts'
import { InvalidOptionError, SubscriptionNotFoundError } from '../errors/request-errors.ts'
import { keys } from '../fail/keys.ts'
import type { AppDefinition, Notice } from '../model/app.ts'
import { isApp } from '../model/define-app.ts'
import { compareSequence, positionOf } from '../model/position.ts'
import { type Logger, silentLogger } from '../observe/logger.ts'
import { Notifier } from '../observe/notifier.ts'
import type { SubscriptionMetrics } from '../observe/subscription-metrics.ts'
import type { Operations } from '../operate/operations.ts'
import { compileFilter } from '../policies/filter.ts'
import type { Engine } from '../ports/engine.ts'
import type { LogRecord, ShardInfo } from '../ports/log.ts'
import type { Delivery } from '../ports/queue.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import { notedAsDone } from './batch-note.ts'
import type { Invocation } from './invocation.ts'
import { type InvokedOperations, invokedOperations } from './invoked-operations.ts'
import { InvokedSubscription } from './invoked-subscription.ts'
import { KnownShards } from './known-shards.ts'
import { handleMessages } from './message-batch.ts'
import { RecordBatch, userRecordsOf } from './record-batch.ts'
import { type LostEvent, type Rescued, rescueEvents } from './rescue-events.ts'
import { type Swept, sweep } from './sweep.ts'
import { useTokens } from './use-tokens.ts'

export interface InvocationsOptions {
  readonly engine: Engine
  readonly app: AppDefinition
  readonly logger?: Logger
  /** Names the process among all that are invoked: neither a number nor with a colon. */
  readonly processId: string
  /** The oldest record that is brought (again), 1 minute to 365 days; default 7 days. What is missing for longer is gone. */
  readonly maxRecordAgeMs?: number
  readonly readOnly?: boolean
}

/** One batch of a shard's records. */
export interface RecordsInvocation {
  readonly subscription: string
  readonly shardId: string
  /** In the order of the shard; one at least. */
  readonly records: readonly LogRecord[]
  /** Names the invocation among all. */
  readonly requestId: string
  /** On the engine's monotonic clock: the process may be ended then. */
  readonly deadlineMs: number
}

export interface MessagesInvocation {
  readonly subscription: string
  /** Of a group in its order. */
  readonly deliveries: readonly Delivery[]
  readonly deadlineMs: number
}

export interface RecordsRescue extends Omit<RecordsInvocation, 'requestId'> {
  /** Why the service gave them up, in words. */
  readonly note: string
}

export interface MessagesRescue extends MessagesInvocation {
  readonly note: string
}

/** What a process does that is invoked with what others read: functions of AWS Lambda. */
export interface Invocations {
  readonly app: AppDefinition
  readonly operations: Operations
  /** Of a subscription, since the process began. @throws SubscriptionNotFoundError */
  metricsOf(subscription: string): SubscriptionMetrics
  /** @returns the first record that is left and must come again with all after it; undefined: none */
  records(invocation: RecordsInvocation): Promise<number | undefined>
  /** @returns the messages that are left and must come again */
  messages(invocation: MessagesInvocation): Promise<readonly Delivery[]>
  /** Retry tokens. @returns those that must not be acknowledged */
  tokens(invocation: MessagesInvocation): Promise<readonly Delivery[]>
  /** Puts records into the failure ledger that a service gave up. */
  rescueRecords(rescue: RecordsRescue): Promise<Rescued>
  /** The same for messages. */
  rescueMessages(rescue: MessagesRescue): Promise<Rescued>
  /** What runs beside the handling of events: lost timers, leftovers, redrives, edits. To be called each minute. */
  sweep(deadlineMs: number): Promise<readonly Swept[]>
  /** Waits until notices are delivered, at most this long: a frozen process delivers none. */
  settle(timeoutMs: number): Promise<void>
}

const DAY_MS = 24 * 3_600_000
const DEFAULT_RECORD_AGE_MS = 7 * DAY_MS
const encoder = new TextEncoder()
/** Room beside a handler's timeout: for what is written, and the answer. */
const MIN_ROOM_MS = 11_000
/** What a start may take of a function's time before its first invocation is here. */
const START_MS = 4_000
const REDRIVE_LOOK_MS = 250
/** The longest that redrives take to stop between two events, and a look. */
const REDRIVE_STOP_MS = 6_000

/** @throws InvalidOptionError for an application that `defineApp` did not make */
export function createInvocations(options: InvocationsOptions): Invocations {
  if (!isApp(options.app))
    throw new InvalidOptionError('the application', 'one made with defineApp()', options.app)
  const { maxRecordAgeMs = DEFAULT_RECORD_AGE_MS } = options
  if (!(maxRecordAgeMs >= 60_000 && maxRecordAgeMs <= 365 * DAY_MS))
    throw new InvalidOptionError(
      'maxRecordAgeMs',
      '60,000 (1 minute) to 31,536,000,000 (365 days)',
      maxRecordAgeMs,
    )
  return new InvokedApp(options, maxRecordAgeMs)
}

class InvokedApp implements Invocations {
  readonly app: AppDefinition
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #notifier: Notifier
  readonly #subscriptions: ReadonlyMap<string, InvokedSubscription>
  readonly #shards = new Map<string, KnownShards>()
  readonly #operations: InvokedOperations
  #lastEpoch = 0

  constructor(options: InvocationsOptions, maxRecordAgeMs: number) {
    const { engine, app, processId } = options
    this.app = app
    this.#engine = engine
    this.#logger = options.logger ?? silentLogger
    const listeners = new Set<(notice: Notice) => void>()
    const watchers = {
      name: 'watchers',
      notify: (notice: Notice): void => {
        for (const listener of listeners) listener(notice)
      },
    }
    const { clock } = engine
    this.#notifier = new Notifier({ sinks: [...app.notify, watchers], clock, logger: this.#logger })
    this.#operations = invokedOperations({
      engine,
      app,
      logger: this.#logger,
      readOnly: options.readOnly ?? false,
      listeners,
      subscriptions: () => [...this.#subscriptions.values()],
    })
    const { producer, sender } = this.#operations
    const notify = (notice: Notice): void => this.#notifier.notify(notice)
    const nextEpoch = (): number => this.#nextEpoch()
    this.#subscriptions = new Map(
      app.subscriptions.map((definition) => [
        definition.name,
        new InvokedSubscription({
          definition,
          engine,
          producer,
          sender,
          logger: this.#logger,
          notify,
          maxRecordAgeMs,
          processId,
          nextEpoch,
        }),
      ]),
    )
  }

  get operations(): Operations {
    return this.#operations.here
  }

  metricsOf(subscription: string): SubscriptionMetrics {
    return this.#require(subscription).metrics
  }

  async records(request: RecordsInvocation): Promise<number | undefined> {
    const { subscription, shardId, records, requestId, deadlineMs } = request
    const invoked = this.#require(subscription)
    this.#requireTime(invoked, deadlineMs)
    return await this.#invokeInTime(invoked, deadlineMs, 0, async (invocation) => {
      if (invoked.isPaused) return 0
      const shard = await this.#shardOf(invocation, shardId)
      const { filter } = invoked.definition
      const compiled = filter === undefined ? undefined : compileFilter(filter)
      return await new RecordBatch(invocation, { shard, records, requestId, filter: compiled }).run()
    })
  }

  async messages(request: MessagesInvocation): Promise<readonly Delivery[]> {
    const { subscription, deliveries, deadlineMs } = request
    const invoked = this.#require(subscription)
    this.#requireTime(invoked, deadlineMs)
    return await this.#invokeInTime(invoked, deadlineMs, deliveries, async (invocation) =>
      invoked.isPaused ? deliveries : await handleMessages(invocation, deliveries),
    )
  }

  async tokens(request: MessagesInvocation): Promise<readonly Delivery[]> {
    const { subscription, deliveries, deadlineMs } = request
    const invoked = this.#require(subscription)
    this.#requireTime(invoked, deadlineMs)
    return await this.#invokeInTime(invoked, deadlineMs, deliveries, (invocation) =>
      useTokens(invocation, deliveries),
    )
  }

  async rescueRecords(rescue: RecordsRescue): Promise<Rescued> {
    const { subscription, shardId, records, deadlineMs, note } = rescue
    const invoked = this.#require(subscription)
    return await this.#invoke(invoked, deadlineMs, async (invocation) => {
      const shard = await this.#shardOf(invocation, shardId)
      const { parts, pass } = invocation
      const { filter, stream } = invoked.definition
      const wants = filter === undefined ? undefined : compileFilter(filter)
      const sieve = new RecordSieve(parts, shardId, new Copies(), wants)
      const expanded = new Expander(this.#engine, shard).expand(records)
      const { engine } = parts
      const done = await notedAsDone({ engine, subscription, shardId, records })
      const events: LostEvent[] = []
      let place = -1
      for (const record of records)
        for (const user of userRecordsOf(record, expanded?.get(record.sequenceNumber))) {
          place += 1
          if (sieve.repeats(user, place) !== undefined || !sieve.wants(user) || done.has(place)) continue
          const { sequenceNumber, subSequenceNumber, partitionKey, explicitHashKey, arrivedAtMs, data } = user
          const position = positionOf(pass, shard.depth, sequenceNumber, subSequenceNumber)
          const meta = {
            stream,
            shardId,
            sequenceNumber,
            subSequenceNumber,
            position,
            key: partitionKey,
            ...(explicitHashKey !== undefined && { explicitHashKey }),
            arrivedAtMs,
          }
          events.push({ meta, bytes: data })
        }
      const last = records.at(-1)?.sequenceNumber
      const mayBeLate = last !== undefined && (await this.#hasGoneOn(subscription, shardId, last))
      return await rescueEvents(invocation, events, { note, mayBeLate })
    })
  }

  async rescueMessages(rescue: MessagesRescue): Promise<Rescued> {
    const { subscription, deliveries, deadlineMs, note } = rescue
    const invoked = this.#require(subscription)
    return await this.#invoke(invoked, deadlineMs, async (invocation) => {
      const events = deliveries.map((delivery): LostEvent => {
        const bytes = encoder.encode(delivery.body)
        return { meta: messageMeta(invoked.definition.stream, invocation.pass, delivery, bytes), bytes }
      })
      // Of a group nothing was given out beyond a message that was in flight, until the queue gave it up.
      return await rescueEvents(invocation, events, { note, mayBeLate: true })
    })
  }

  async sweep(deadlineMs: number): Promise<readonly Swept[]> {
    const { clock } = this.#engine
    const elsewhere = this.#operations.toRun()
    await elsewhere.completeEdits()
    await elsewhere.resumeRedrives()
    const subscriptions = [...this.#subscriptions.values()]
    const all: Swept[] = []
    for (const [index, invoked] of subscriptions.entries()) {
      const nowMs = clock.monotonicMs()
      const shareMs = (deadlineMs - nowMs) / (subscriptions.length - index + 1)
      try {
        all.push(await this.#invoke(invoked, nowMs + shareMs, (invocation) => sweep(invoked, invocation)))
      } catch (error) {
        const about = { subscription: invoked.definition.name, reason: String(error) }
        this.#logger.error(about, 'a sweep was cut short and goes on with the next one')
      }
    }
    while (clock.monotonicMs() + REDRIVE_STOP_MS < deadlineMs && (await elsewhere.hasRedrives()))
      await clock.sleep(REDRIVE_LOOK_MS)
    await elsewhere.stop()
    return all
  }

  async settle(timeoutMs: number): Promise<void> {
    await this.#notifier.drain(timeoutMs)
  }

  /** @param left - the answer when storage gave none in time: nothing was begun */
  async #invokeInTime<T>(
    invoked: InvokedSubscription,
    deadlineMs: number,
    left: T,
    step: (invocation: Invocation) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#invoke(invoked, deadlineMs, step)
    } catch (error) {
      if (error instanceof Stopped) return left
      throw error
    }
  }

  async #invoke<T>(
    invoked: InvokedSubscription,
    deadlineMs: number,
    step: (invocation: Invocation) => Promise<T>,
  ): Promise<T> {
    const invocation = await invoked.begin(deadlineMs)
    try {
      return await step(invocation)
    } finally {
      invocation.end()
    }
  }

  /** Without room for one handler nothing would ever be begun. */
  #requireTime({ definition, current, runner }: InvokedSubscription, deadlineMs: number): void {
    const leftMs = Math.floor(deadlineMs - this.#engine.clock.monotonicMs())
    const neededMs = MIN_ROOM_MS + runner.longestCallMs
    if (leftMs >= neededMs) return
    throw new InvalidOptionError(
      "the function's timeout",
      `at least ${Math.ceil((neededMs + START_MS) / 1_000)} s, since subscription "${definition.name}" has a timeoutMs of ${current.timeoutMs}, and 15 s are for the start, the failure ledger and the answer`,
      leftMs,
    )
  }

  #require(name: string): InvokedSubscription {
    const invoked = this.#subscriptions.get(name)
    if (invoked === undefined) throw new SubscriptionNotFoundError(name)
    return invoked
  }

  async #shardOf({ parts }: Invocation, shardId: string): Promise<ShardInfo> {
    const { definition, engine, stopping, logger } = parts
    if (definition.queue !== undefined)
      throw new InvalidOptionError(
        'subscription',
        'one of a stream, for records of a stream',
        definition.name,
      )
    let shards = this.#shards.get(definition.stream)
    if (shards === undefined) {
      shards = new KnownShards(this.#engine.log, definition.stream)
      this.#shards.set(definition.stream, shards)
    }
    const known = shards
    return await persist(engine.clock, stopping, logger, 'listing shards', () => known.get(shardId))
  }

  /** True when an invocation has begun with later records of the shard: those of any key may be done with. */
  async #hasGoneOn(subscription: string, shardId: string, last: string): Promise<boolean> {
    const { items } = await this.#engine.table.query({
      partition: keys.batches(subscription, shardId),
      // Sequence numbers alone: what else is noted begins with a letter.
      from: '0',
      to: '9~',
      descending: true,
      limit: 100,
    })
    return items.some(({ sort }) => compareSequence(sort, last) > 0)
  }

  #nextEpoch(): number {
    this.#lastEpoch = Math.max(this.#lastEpoch + 1, this.#engine.clock.now())
    return this.#lastEpoch
  }
}
