import type { Clock } from '@eddy/core'
import { reportedFailures } from './batch-item-failures.ts'
import { compileFilters, type FilterCriteria } from './filter-criteria.ts'
import type { InvocationResult, Invoke } from './invocation.ts'
import { MAX_PAYLOAD_BYTES } from './shard-lane.ts'
import { type SqsEventRecord, type SqsSourceMessage, sqsEventRecord } from './sqs-event.ts'
import { untilAnswered } from './until-answered.ts'
import { within } from './within.ts'

/** The queue that a mapping polls. Adapters for a client of SQS are a few lines. */
export interface SqsSource {
  /** Up to `max` (at most 10) messages, hidden for the queue's visibility timeout; may wait for a first one. */
  receive(max: number, signal: AbortSignal): Promise<readonly SqsSourceMessage[]>
  delete(receiptHandles: readonly string[]): Promise<void>
}

export interface SqsMappingOptions {
  readonly clock: Clock
  readonly source: SqsSource
  /** A name that ends in `.fifo` makes it a FIFO mapping. */
  readonly queueArn: string
  readonly invoke: Invoke
  /** 1 to 10,000, FIFO 1 to 10; default 10. */
  readonly batchSize?: number
  /** 0 to 300,000 ms; FIFO 0; default 0. */
  readonly maximumBatchingWindowMs?: number
  /** 2 to 1,000. */
  readonly maximumConcurrency?: number
  readonly reportBatchItemFailures?: boolean
  readonly filterCriteria?: FilterCriteria
}

export interface SqsMapping {
  /** Messages that the filter deleted. */
  readonly filtered: number
  /** Invokes nothing any more; resolves when what runs has ended. */
  stop(): Promise<void>
}

const RECEIVE_MAX = 10
/** "Lambda starts with five concurrent batches … up to 300 more a minute … maximum 1,250" (guide, SQS scaling). */
const START_CONCURRENCY = 5
const MORE_A_MINUTE = 300
const MAX_CONCURRENCY = 1_250
const EMPTY_WAIT_MS = 1_000
const THROTTLED_WAIT_MS = 1_000

/**
 * Starts an event source mapping of an SQS queue.
 *
 * Rules (Lambda developer guide, "Using Lambda with Amazon SQS" and the pages below it): a batch that succeeds is deleted;
 * one that fails stays hidden until the queue's own visibility timeout shows it again, and its redrive policy counts; with
 * ReportBatchItemFailures what was not named is deleted; what the filter drops is deleted. A throttled batch is tried
 * again while its messages are hidden.
 *
 * @throws RangeError for options that CreateEventSourceMapping refuses
 */
export function startSqsMapping(options: SqsMappingOptions): SqsMapping {
  const isFifo = options.queueArn.endsWith('.fifo')
  within('batchSize', options.batchSize ?? 10, 1, isFifo ? 10 : 10_000)
  within('maximumBatchingWindowMs', options.maximumBatchingWindowMs ?? 0, 0, isFifo ? 0 : 300_000)
  if (options.maximumConcurrency !== undefined)
    within('maximumConcurrency', options.maximumConcurrency, 2, 1_000)
  return new RunningSqsMapping(options)
}

class RunningSqsMapping implements SqsMapping {
  filtered = 0
  readonly #options: SqsMappingOptions
  readonly #passes: (message: SqsSourceMessage) => boolean
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()
  readonly #run: Promise<void>
  readonly #startedMs: number
  #wake: AbortController = new AbortController()

  constructor(options: SqsMappingOptions) {
    this.#options = options
    const matches = options.filterCriteria === undefined ? undefined : compileFilters(options.filterCriteria)
    this.#passes = ({ body }) => matches === undefined || matches('body', body)
    this.#startedMs = options.clock.monotonicMs()
    this.#run = this.#poll()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run
    await Promise.all(this.#running)
  }

  async #poll(): Promise<void> {
    const { clock } = this.#options
    while (!this.#stopping.signal.aborted) {
      if (this.#running.size >= this.#mayRun()) {
        this.#wake = new AbortController()
        await clock.sleep(EMPTY_WAIT_MS, AbortSignal.any([this.#wake.signal, this.#stopping.signal]))
        continue
      }
      const batch = await this.#gather()
      if (batch.length === 0) continue
      const running: Promise<void> = this.#deliver(batch).finally(() => {
        this.#running.delete(running)
        this.#wake.abort()
      })
      this.#running.add(running)
    }
  }

  #mayRun(): number {
    const { clock, maximumConcurrency = MAX_CONCURRENCY } = this.#options
    const minutes = (clock.monotonicMs() - this.#startedMs) / 60_000
    return Math.min(
      maximumConcurrency,
      MAX_CONCURRENCY,
      START_CONCURRENCY + Math.floor(minutes) * MORE_A_MINUTE,
    )
  }

  /** Messages for one batch: until it is full, or its window is over. */
  async #gather(): Promise<readonly SqsEventRecord[]> {
    const { clock, source, batchSize = 10, maximumBatchingWindowMs = 0, queueArn } = this.#options
    const { signal } = this.#stopping
    const batch: SqsEventRecord[] = []
    let bytes = 0
    let closesAtMs: number | undefined
    while (!signal.aborted && batch.length < batchSize && bytes < MAX_PAYLOAD_BYTES) {
      const max = Math.min(RECEIVE_MAX, batchSize - batch.length)
      const messages = (await untilAnswered(clock, signal, () => source.receive(max, signal))) ?? []
      for (const message of await this.#filter(messages)) {
        const record = sqsEventRecord(message, queueArn)
        batch.push(record)
        bytes += Buffer.byteLength(JSON.stringify(record))
      }
      if (batch.length > 0) closesAtMs ??= clock.monotonicMs() + maximumBatchingWindowMs
      const leftMs = (closesAtMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs()
      if (leftMs <= 0 || (messages.length === 0 && batch.length === 0)) break
      if (messages.length === 0) await clock.sleep(Math.min(EMPTY_WAIT_MS, leftMs), signal)
    }
    if (batch.length === 0) await clock.sleep(EMPTY_WAIT_MS, signal)
    return batch
  }

  async #filter(messages: readonly SqsSourceMessage[]): Promise<readonly SqsSourceMessage[]> {
    const dropped = messages.filter((message) => !this.#passes(message))
    if (dropped.length === 0) return messages
    this.filtered += dropped.length
    await this.#delete(dropped)
    return messages.filter((message) => this.#passes(message))
  }

  async #deliver(records: readonly SqsEventRecord[]): Promise<void> {
    const { clock, invoke } = this.#options
    for (;;) {
      const result = await invoke({ Records: records })
      const isThrottled = !result.ok && result.kind === 'throttled'
      if (isThrottled && !this.#stopping.signal.aborted) {
        await clock.sleep(THROTTLED_WAIT_MS, this.#stopping.signal)
        continue
      }
      const done = this.#handled(records, result)
      await this.#delete(done)
      return
    }
  }

  /** Done with also while the mapping stops. */
  async #delete(messages: readonly { readonly receiptHandle: string }[]): Promise<void> {
    const { clock, source } = this.#options
    const handles = messages.map(({ receiptHandle }) => receiptHandle)
    if (handles.length > 0)
      await untilAnswered(clock, new AbortController().signal, () => source.delete(handles))
  }

  #handled(records: readonly SqsEventRecord[], result: InvocationResult): readonly SqsEventRecord[] {
    if (!result.ok) return []
    if (this.#options.reportBatchItemFailures !== true) return records
    const reported = reportedFailures(result.payload)
    if (reported.outcome === 'success') return records
    if (reported.outcome === 'failure') return []
    const failed = new Set(reported.identifiers)
    // An identifier that is no message of the batch makes the whole batch a failure.
    const known = new Set(records.map((record) => record.messageId))
    if (!reported.identifiers.every((identifier) => known.has(identifier))) return []
    return records.filter((record) => !failed.has(record.messageId))
  }
}
