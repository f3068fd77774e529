import { setMaxListeners } from 'node:events'
import {
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis'
import {
  type Clock,
  isEddyError,
  type LogRecord,
  type ReadRequest,
  type ReadResult,
  ShardNotFoundError,
  type StartPosition,
} from '@eddy/core'
import { kinesisErrorOf, nameOfError } from '../kinesis-calls.ts'
import { KinesisUnavailableError } from '../kinesis-errors.ts'
import type { KinesisParts } from '../kinesis-producer-log.ts'
import { behindMs, logRecordsOf } from '../log-record.ts'
import { namedBy } from '../named-record.ts'
import { startingPositionOf } from '../shard-iterator.ts'
import type { Consumers } from './consumers.ts'
import { RecordBuffer } from './record-buffer.ts'

/** As much as is pushed before somebody reads; a push holds up to 2 MiB more (I6). */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024
/** Sooner after one that succeeded, Kinesis answers a subscription with ResourceInUseException. */
const RESUBSCRIBE_MS = 5_000
/** Kinesis takes one call a second for each consumer and shard. */
const CALL_EVERY_MS = 1_000
/** Without records Kinesis pushes an empty event every few seconds: after this long the connection is dead. */
const SILENCE_MS = 35_000
/** Without a read for this long the connection is given up: the shard may be another process's by now. */
const UNREAD_MS = 30_000

export interface ShardSubscriptionOptions {
  readonly parts: KinesisParts
  readonly clock: Clock
  readonly consumers: Consumers
  readonly stream: string
  readonly shardId: string
  readonly consumer: string
}

/**
 * What SubscribeToShard pushes of one shard to one consumer, as reads that follow each other. A subscription ends after
 * five minutes, or with its connection, and is begun again behind what has come. It runs as long as somebody reads.
 */
export class ShardSubscription {
  readonly #options: ShardSubscriptionOptions
  #buffer = new RecordBuffer()
  /** Of the next record to be read; what a reader must ask for, or all begins anew. */
  #at: StartPosition | undefined
  /** Where Kinesis is asked to go on. */
  #continue: StartPosition = { at: 'trim_horizon' }
  #named: ReturnType<typeof namedBy>
  #expiredRecords = 0
  #millisBehindLatest = 0
  #hasEnded = false
  #error: unknown
  #stop = new AbortController()
  #running: Promise<void> | undefined
  #subscribedAtMs = Number.NEGATIVE_INFINITY
  #calledAtMs = Number.NEGATIVE_INFINITY
  /** Reads under way, and when the last one ended. */
  #reading = 0
  #readAtMs = Number.NEGATIVE_INFINITY
  readonly #waiting = new Set<() => void>()

  constructor(options: ShardSubscriptionOptions) {
    this.#options = options
  }

  /** @throws as `KinesisReader.read` */
  async read(request: ReadRequest): Promise<ReadResult> {
    const { from, waitMs, signal } = request
    if (this.#at === undefined || !isSamePosition(this.#at, from)) this.#beginAt(from)
    this.#reading += 1
    this.#run()
    if (this.#isQuiet() && waitMs > 0) await this.#changed(waitMs, signal)
    this.#reading -= 1
    this.#readAtMs = this.#options.clock.monotonicMs()
    if (this.#buffer.isEmpty && this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      throw error
    }
    return this.#take(request)
  }

  /** Ends the connection; what was pushed and not read is pushed again to whoever reads next. */
  async close(): Promise<void> {
    this.#at = undefined
    this.#stop.abort()
    this.#notify()
    await this.#running
  }

  #beginAt(from: StartPosition): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    this.#running = undefined
    this.#buffer = new RecordBuffer()
    this.#at = from
    this.#named = namedBy(from)
    // AT, also for what comes AFTER it: whether the record is still there tells whether something is gone.
    this.#continue =
      this.#named === undefined
        ? from
        : { at: 'at_sequence_number', sequenceNumber: this.#named.sequenceNumber }
    this.#expiredRecords = 0
    this.#millisBehindLatest = 0
    this.#hasEnded = false
    this.#error = undefined
  }

  get #isUnread(): boolean {
    return this.#reading === 0 && this.#options.clock.monotonicMs() - this.#readAtMs >= UNREAD_MS
  }

  #isQuiet(): boolean {
    return this.#buffer.isEmpty && !this.#hasEnded && this.#error === undefined
  }

  #take(request: ReadRequest): ReadResult {
    const records = this.#buffer.take(request)
    const expiredRecords = this.#expiredRecords
    this.#expiredRecords = 0
    const last = records.at(-1)
    const { newest } = this.#buffer
    if (newest === undefined && this.#hasEnded)
      return { records, next: undefined, millisBehindLatest: 0, expiredRecords }
    const next: StartPosition =
      last === undefined ? request.from : { at: 'after_sequence_number', sequenceNumber: last.sequenceNumber }
    this.#at = next
    const isBehind = newest !== undefined || this.#millisBehindLatest > 0
    const millisBehindLatest = isBehind
      ? behindMs(last, this.#millisBehindLatest, this.#options.clock.now())
      : 0
    this.#notify()
    return { records, next, millisBehindLatest, expiredRecords }
  }

  #run(): void {
    if (this.#running !== undefined || this.#hasEnded || this.#error !== undefined) return
    const { signal } = this.#stop
    const running: Promise<void> = this.#follow(signal)
      .catch(async (error: unknown) => {
        if (!signal.aborted) this.#error = await this.#errorOf(error)
      })
      .finally(() => {
        if (this.#running === running) this.#running = undefined
        this.#notify()
      })
    this.#running = running
  }

  async #follow(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && !this.#hasEnded) {
      if (!(await this.#isWanted(stopping))) return
      await this.#spaced(stopping)
      if (stopping.aborted) return
      try {
        await this.#subscribe(stopping)
      } catch (error) {
        // Another subscription of this consumer, perhaps this process's former one: five seconds later this one counts.
        if (nameOfError(error) !== 'ResourceInUseException') throw error
        // Or another process's, which owns the shard now: whoever does not read must not take it back.
        if (this.#reading === 0) return
        this.#subscribedAtMs = this.#options.clock.monotonicMs()
      }
    }
  }

  async #spaced(stopping: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const atMs = Math.max(this.#subscribedAtMs + RESUBSCRIBE_MS, this.#calledAtMs + CALL_EVERY_MS)
    const waitMs = atMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs, stopping)
  }

  async #subscribe(stopping: AbortSignal): Promise<void> {
    const { parts, clock, consumers, stream, shardId, consumer } = this.#options
    const ConsumerARN = await consumers.arnOf(stream, consumer, stopping)
    const ending = new AbortController()
    const abortSignal = AbortSignal.any([stopping, ending.signal])
    const command = new SubscribeToShardCommand({
      ConsumerARN,
      ShardId: shardId,
      StartingPosition: startingPositionOf(this.#continue),
    })
    this.#calledAtMs = clock.monotonicMs()
    const { EventStream } = await parts.calls.send((client, timeout) =>
      client.send(command, { abortSignal: AbortSignal.any([abortSignal, timeout]) }),
    )
    this.#subscribedAtMs = clock.monotonicMs()
    try {
      if (EventStream === undefined) return
      for await (const event of heard(EventStream, ending, clock)) {
        if (stopping.aborted) return
        if (event.SubscribeToShardEvent !== undefined) this.#onEvent(event.SubscribeToShardEvent)
        if (this.#hasEnded || !(await this.#isWanted(stopping))) return
      }
    } finally {
      ending.abort()
    }
  }

  #onEvent({
    Records,
    ContinuationSequenceNumber,
    MillisBehindLatest,
    ChildShards,
  }: SubscribeToShardEvent): void {
    const { newest } = this.#buffer
    const records: LogRecord[] = logRecordsOf(Records ?? [], newest?.arrivedAtMs ?? 0)
    const first = records[0]
    if (first !== undefined && this.#named !== undefined) {
      if (first.sequenceNumber !== this.#named.sequenceNumber) this.#expiredRecords = 1
      else if (!this.#named.isWanted) records.shift()
      this.#named = undefined
    }
    this.#buffer.push(records)
    this.#millisBehindLatest = MillisBehindLatest ?? 0
    const goesOnAt = ContinuationSequenceNumber ?? undefined
    if ((ChildShards?.length ?? 0) > 0 || goesOnAt === undefined) this.#hasEnded = true
    // The place of a record that is not there yet is where it was: only AT tells whether it is gone.
    else if (this.#named === undefined)
      this.#continue = { at: 'after_sequence_number', sequenceNumber: goesOnAt }
    this.#notify()
  }

  /** @returns false when nobody reads any more */
  async #isWanted(stopping: AbortSignal): Promise<boolean> {
    while (!stopping.aborted && !this.#isUnread) {
      if (this.#buffer.bytes < MAX_BUFFERED_BYTES) return true
      await this.#changed(UNREAD_MS, stopping)
    }
    return false
  }

  async #errorOf(error: unknown): Promise<unknown> {
    const { parts, consumers, stream, shardId, consumer } = this.#options
    const what = `SubscribeToShard, ${shardId} of stream "${stream}"`
    if (nameOfError(error) === 'ResourceNotFoundException') {
      consumers.forget(stream, consumer)
      // The stream, the shard or the consumer is gone; the last is made again.
      const summary = await parts.summaries.describe(stream, 0).catch((reason: unknown) => reason)
      if (summary instanceof Error) return summary
      if (/\bshard\b/i.test((error as Error).message) && !/consumer/i.test((error as Error).message))
        return new ShardNotFoundError(stream, shardId)
      return new KinesisUnavailableError(what, (error as Error).message, { cause: error })
    }
    const told = isEddyError(error) ? error : kinesisErrorOf(error, what)
    // An event stream that breaks off has many names.
    return isEddyError(told) ? told : new KinesisUnavailableError(what, String(error), { cause: error })
  }

  /** Resolves when something has come or gone, after `ms`, or with `signal`. */
  async #changed(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return
    const done = new AbortController()
    const wake = (): void => done.abort()
    // Not AbortSignal.any: each wait would stay with a signal that lives as long as the process.
    if (signal !== undefined) setMaxListeners(0, signal)
    signal?.addEventListener('abort', wake)
    this.#waiting.add(wake)
    await this.#options.clock.sleep(ms, done.signal)
    this.#waiting.delete(wake)
    signal?.removeEventListener('abort', wake)
  }

  #notify(): void {
    for (const wake of this.#waiting) wake()
  }
}

/** The events, until the connection has been silent for too long. */
async function* heard(
  events: AsyncIterable<SubscribeToShardEventStream>,
  ending: AbortController,
  clock: Clock,
): AsyncGenerator<SubscribeToShardEventStream> {
  const listen = (): AbortController => {
    const heardOf = new AbortController()
    void clock.sleep(SILENCE_MS, heardOf.signal).then(() => {
      if (!heardOf.signal.aborted) ending.abort()
    })
    return heardOf
  }
  let silence = listen()
  try {
    for await (const event of events) {
      silence.abort()
      yield event
      silence = listen()
    }
  } finally {
    silence.abort()
  }
}

function isSamePosition(a: StartPosition, b: StartPosition): boolean {
  return JSON.stringify(a, Object.keys(a).sort()) === JSON.stringify(b, Object.keys(b).sort())
}
