import { isEddyError } from '../errors/eddy-error.ts'
import { compareSequence } from '../model/position.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log, LogRecord, ReadResult, StartPosition } from '../ports/log.ts'
import { Stopped } from '../runtime/stop-signal.ts'

export interface Slice {
  readonly records: readonly LogRecord[]
  /** Undefined: the shard is closed and this was its end. */
  readonly next: StartPosition | undefined
  readonly millisBehindLatest: number
  readonly expiredRecords: number
}

const MAX_READ_RECORDS = 1_000
const MAX_READ_BYTES = 4 * 1024 * 1024
const HEAD_WAIT_MS = 10_000
/** What the window keeps for subscriptions a little behind (I6). */
const WINDOW_RECORDS = 8_192
const WINDOW_BYTES = 16 * 1024 * 1024
/** Records dropped at a time where a subscription is alone. */
const FORGET_RECORDS = 500
const MAX_ERROR_WAIT_MS = 5_000

/**
 * The one reader of a shard in this process. It fetches at the head once for all subscriptions, and keeps a window of
 * recent records; a subscription that fell behind the window reads history by itself until it has caught up.
 */
export class ShardReader {
  readonly #log: Log
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stream: string
  readonly #shardId: string
  readonly #stopping: AbortSignal
  readonly #isAlone: () => boolean
  #window: Window | undefined
  #fetching: Promise<void> | undefined
  /** Calls of `Log.read`, for metrics. */
  reads = 0

  /** @param isAlone - whether one subscription alone reads here */
  constructor(
    log: Log,
    clock: Clock,
    logger: Logger,
    stream: string,
    shardId: string,
    stopping: AbortSignal,
    isAlone: () => boolean,
  ) {
    this.#log = log
    this.#clock = clock
    this.#logger = logger
    this.#stream = stream
    this.#shardId = shardId
    this.#stopping = stopping
    this.#isAlone = isAlone
  }

  /**
   * Up to `maxRecords` from the position on; waits for the first record at the head.
   * @throws Stopped when the reader or `signal` stops first
   */
  async take(from: StartPosition, maxRecords: number, signal: AbortSignal): Promise<Slice> {
    for (;;) {
      if (signal.aborted || this.#stopping.aborted) throw new Stopped()
      const limit = Math.min(maxRecords, MAX_READ_RECORDS)
      if (this.#window === undefined) {
        await this.#openWindow(from, signal)
        continue
      }
      const index = this.#window.indexOf(from)
      if (index === undefined) {
        const history = await this.#readHistory(from, limit)
        if (history.records.length > 0 || history.next === undefined || history.expiredRecords > 0)
          return history
        // At the head, under another name than the window's: what comes next comes through the window.
        await this.#fetch(signal)
        continue
      }
      const slice = this.#window.slice(from, index, limit)
      if (slice !== undefined) {
        // For one subscription alone there is nothing to keep.
        if (this.#isAlone()) this.#window.forget(index + slice.records.length)
        return slice
      }
      await this.#fetch(signal)
    }
  }

  async #openWindow(from: StartPosition, signal: AbortSignal): Promise<void> {
    await this.#once(signal, async () => {
      const result = await this.#read(from, MAX_READ_RECORDS, 0)
      this.#window ??= new Window(from, result)
    })
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    await this.#once(signal, async () => {
      const window = this.#window as Window
      const { next } = window
      if (next === undefined) return
      const result = await this.#read(next, MAX_READ_RECORDS, HEAD_WAIT_MS)
      // Retention was faster than everybody here: a window begins anew after the gap and tells of it (I2).
      if (result.expiredRecords > 0) this.#window = new Window(next, result)
      else window.add(result)
    })
  }

  async #readHistory(from: StartPosition, limit: number): Promise<Slice> {
    return await this.#read(from, limit, 0)
  }

  /** Whoever comes while a fetch is under way waits for the same one. */
  async #once(signal: AbortSignal, fetch: () => Promise<void>): Promise<void> {
    this.#fetching ??= fetch().finally(() => {
      this.#fetching = undefined
    })
    await orAborted(this.#fetching, signal)
  }

  async #read(from: StartPosition, maxRecords: number, waitMs: number): Promise<ReadResult> {
    let errorWaitMs = 50
    for (;;) {
      if (this.#stopping.aborted) throw new Stopped()
      try {
        this.reads += 1
        return await this.#log.read({
          stream: this.#stream,
          shardId: this.#shardId,
          from,
          maxRecords,
          maxBytes: MAX_READ_BYTES,
          waitMs,
          signal: this.#stopping,
        })
      } catch (error) {
        if (this.#stopping.aborted) throw new Stopped()
        if (!isEddyError(error) || !error.retryable) throw error
        this.#logger.warn(
          { stream: this.#stream, shardId: this.#shardId, reason: error.message },
          'a read failed and is repeated',
        )
        await this.#clock.sleep(errorWaitMs, this.#stopping)
        errorWaitMs = Math.min(MAX_ERROR_WAIT_MS, errorWaitMs * 2)
      }
    }
  }
}

/** Consecutive records of the shard, and where they start and end. */
class Window {
  #records: LogRecord[]
  #bytes: number
  /** The position that the first record was asked with, until something is evicted. */
  #start: StartPosition | undefined
  /** Everything after this sequence number is in the window. */
  #startAfter: string | undefined
  #expired: number
  next: StartPosition | undefined
  #millisBehindLatest: number

  constructor(start: StartPosition, result: ReadResult) {
    this.#start = start
    this.#startAfter = start.at === 'after_sequence_number' ? start.sequenceNumber : undefined
    this.#records = [...result.records]
    this.#bytes = bytesOf(result.records)
    this.#expired = result.expiredRecords
    this.next = result.next
    this.#millisBehindLatest = result.millisBehindLatest
  }

  add(result: ReadResult): void {
    for (const record of result.records) this.#records.push(record)
    this.#bytes += bytesOf(result.records)
    this.next = result.next
    this.#millisBehindLatest = result.millisBehindLatest
    this.#evict()
  }

  /** Where in the window the position lies; undefined when it is not in it. */
  indexOf(from: StartPosition): number | undefined {
    if (this.#start !== undefined && isSamePosition(from, this.#start)) return 0
    if (this.next !== undefined && isSamePosition(from, this.next)) return this.#records.length
    if (from.at !== 'after_sequence_number' && from.at !== 'at_sequence_number') return undefined
    const { sequenceNumber } = from
    const first = this.#startAfter ?? this.#records[0]?.sequenceNumber
    if (first === undefined || compareSequence(sequenceNumber, first) < 0) return undefined
    const last = this.#records.at(-1)?.sequenceNumber
    // Beyond the end only the log knows whether there is something in between.
    if (last === undefined || compareSequence(sequenceNumber, last) > 0) return undefined
    if (this.#startAfter !== undefined && sequenceNumber === this.#startAfter)
      return from.at === 'after_sequence_number' ? 0 : undefined
    const index = this.#firstAtOrAfter(sequenceNumber)
    return from.at === 'after_sequence_number' && this.#records[index]?.sequenceNumber === sequenceNumber
      ? index + 1
      : index
  }

  /** Undefined: nothing there yet, fetch more. */
  slice(from: StartPosition, index: number, limit: number): Slice | undefined {
    // What is after the gap before the window's first record has index 0 too: it was told of the gap already.
    const isAtStart = this.#start !== undefined && isSamePosition(from, this.#start)
    const expiredRecords = isAtStart ? this.#expired : 0
    if (index >= this.#records.length) {
      if (this.next !== undefined && expiredRecords === 0) return undefined
      return { records: [], next: this.next, millisBehindLatest: this.#millisBehindLatest, expiredRecords }
    }
    const records = this.#records.slice(index, index + limit)
    const isEnd = index + records.length === this.#records.length
    const last = records.at(-1) as LogRecord
    return {
      records,
      next: isEnd ? this.next : { at: 'after_sequence_number', sequenceNumber: last.sequenceNumber },
      millisBehindLatest: this.#millisBehindLatest,
      expiredRecords,
    }
  }

  #evict(): void {
    let count = 0
    while (this.#records.length - count > WINDOW_RECORDS || this.#bytes > WINDOW_BYTES) {
      const record = this.#records[count] as LogRecord
      this.#bytes -= record.data.length
      this.#startAfter = record.sequenceNumber
      count += 1
      // The newest records stay, however large they are.
      if (count === this.#records.length - 1) break
    }
    if (count === 0) return
    this.#start = undefined
    this.#records = this.#records.slice(count)
  }

  /** Drops records that nobody will ask for, in large steps: each costs a copy. */
  forget(count: number): void {
    if (count < FORGET_RECORDS) return
    this.#startAfter = (this.#records[count - 1] as LogRecord).sequenceNumber
    for (let index = 0; index < count; index += 1)
      this.#bytes -= (this.#records[index] as LogRecord).data.length
    this.#start = undefined
    this.#records = this.#records.slice(count)
  }

  #firstAtOrAfter(sequenceNumber: string): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareSequence((this.#records[middle] as LogRecord).sequenceNumber, sequenceNumber) < 0)
        low = middle + 1
      else high = middle
    }
    return low
  }
}

function isSamePosition(a: StartPosition, b: StartPosition): boolean {
  if (a.at !== b.at) return false
  if (a.at === 'at_timestamp' || b.at === 'at_timestamp')
    return a.at === 'at_timestamp' && b.at === 'at_timestamp' && a.timestampMs === b.timestampMs
  return !('sequenceNumber' in a) || ('sequenceNumber' in b && a.sequenceNumber === b.sequenceNumber)
}

function bytesOf(records: readonly LogRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += record.data.length
  return bytes
}

async function orAborted(job: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Stopped()
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => reject(new Stopped())
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([job, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
