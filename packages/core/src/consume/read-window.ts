import type { Expanded, Expander } from '../aggregate/expander.ts'
import { logPosition, type ReadPosition, recordPosition, skippedOf } from '../aggregate/read-position.ts'
import type { UserRecord } from '../aggregate/user-record.ts'
import { compareSequence } from '../model/position.ts'
import type { LogRecord, ReadResult, StartPosition } from '../ports/log.ts'

/** User records: those of an aggregate each by itself. */
export interface Slice {
  readonly records: readonly UserRecord[]
  /** Undefined: the shard is closed and this was its end. */
  readonly next: ReadPosition | undefined
  readonly millisBehindLatest: number
  /** Records of the log. */
  readonly expiredRecords: number
}

/** What the window keeps for subscriptions a little behind (I6). */
const WINDOW_RECORDS = 8_192
const WINDOW_BYTES = 16 * 1024 * 1024
/** Records dropped at a time where a subscription is alone. */
const FORGET_RECORDS = 500

/** Consecutive records of the shard as the log gave them, what those hold that are aggregates, and where they start and end. */
export class ReadWindow {
  readonly #expander: Expander
  #records: LogRecord[]
  /** The aggregates among them, by sequence number: decoded once for all who read. */
  #expanded: Map<string, Expanded> | undefined
  #bytes: number
  /** The position that the first record was asked with, until something is evicted. */
  #start: StartPosition | undefined
  /** Everything after this sequence number is in the window. */
  #startAfter: string | undefined
  #expired: number
  next: StartPosition | undefined
  #millisBehindLatest: number

  constructor(expander: Expander, start: StartPosition, result: ReadResult) {
    this.#expander = expander
    this.#start = start
    this.#startAfter = start.at === 'after_sequence_number' ? start.sequenceNumber : undefined
    this.#records = [...result.records]
    this.#bytes = bytesOf(result.records)
    this.#expired = result.expiredRecords
    this.next = result.next
    this.#millisBehindLatest = result.millisBehindLatest
    this.#expand(result.records)
  }

  get hasAggregates(): boolean {
    return this.#expanded !== undefined
  }

  add(result: ReadResult): void {
    for (const record of result.records) this.#records.push(record)
    this.#bytes += bytesOf(result.records)
    this.next = result.next
    this.#millisBehindLatest = result.millisBehindLatest
    this.#expand(result.records)
    this.#evict()
  }

  /** Where in the window the position's record lies; undefined when it is not in it. */
  indexOf(position: ReadPosition): number | undefined {
    const from = logPosition(position)
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

  /**
   * At most `limit` user records from the position on, whose record lies at `index`. Undefined: nothing there yet, fetch
   * more. `end`: every record of the log before it is handed out whole.
   */
  slice(
    from: ReadPosition,
    index: number,
    limit: number,
  ): { readonly slice: Slice; readonly end: number } | undefined {
    // What is after the gap before the window's first record has index 0 too: it was told of the gap already.
    const isAtStart = this.#start !== undefined && isSamePosition(logPosition(from), this.#start)
    const expiredRecords = isAtStart ? this.#expired : 0
    if (index >= this.#records.length) {
      if (this.next !== undefined && expiredRecords === 0) return undefined
      const millisBehindLatest = this.#millisBehindLatest
      return { slice: { records: [], next: this.next, millisBehindLatest, expiredRecords }, end: index }
    }
    const { records, end, taken } =
      this.#expanded === undefined
        ? this.#plainFrom(index, limit)
        : this.#userRecordsFrom(from, index, limit, this.#expanded)
    const millisBehindLatest = this.#millisBehindAt(end)
    return {
      slice: { records, next: this.#nextAt(end, taken), millisBehindLatest, expiredRecords },
      end,
    }
  }

  /** Whoever has not got to the end of the window is behind, even where the window is at that of the shard. */
  #millisBehindAt(end: number): number {
    const left = this.#records[end]
    if (left === undefined) return this.#millisBehindLatest
    const last = this.#records.at(-1) as LogRecord
    return Math.max(1, this.#millisBehindLatest + last.arrivedAtMs - left.arrivedAtMs)
  }

  #plainFrom(index: number, limit: number): Taken {
    const records = this.#records.slice(index, index + limit)
    return { records, end: index + records.length, taken: 0 }
  }

  #userRecordsFrom(
    from: ReadPosition,
    index: number,
    limit: number,
    expanded: ReadonlyMap<string, Expanded>,
  ): Taken {
    const records: UserRecord[] = []
    let end = index
    // Should retention have taken the position's record, the next one is read from its beginning.
    let taken = this.#isAt(from, index) ? skippedOf(from) : 0
    while (end < this.#records.length && records.length < limit) {
      const stored = this.#records[end] as LogRecord
      const found = expanded.get(stored.sequenceNumber)
      const count = found?.aggregate.count ?? 1
      if (found === undefined && taken === 0) records.push(stored)
      if (found === undefined) taken = 1
      else
        for (; taken < count && records.length < limit; taken += 1)
          records.push(found.aggregate.record(stored, taken, found.isStray))
      if (taken < count) return { records, end, taken }
      end += 1
      taken = 0
    }
    return { records, end, taken: 0 }
  }

  #isAt(from: ReadPosition, index: number): boolean {
    return 'sequenceNumber' in from && this.#records[index]?.sequenceNumber === from.sequenceNumber
  }

  /** @param taken - user records of the record at `end` that were handed out already */
  #nextAt(end: number, taken: number): ReadPosition | undefined {
    if (end === this.#records.length) return this.next
    if (taken > 0) return recordPosition((this.#records[end] as LogRecord).sequenceNumber, taken)
    return {
      at: 'after_sequence_number',
      sequenceNumber: (this.#records[end - 1] as LogRecord).sequenceNumber,
    }
  }

  #expand(records: readonly LogRecord[]): void {
    const found = this.#expander.expand(records)
    if (found === undefined) return
    this.#expanded ??= new Map()
    for (const [sequenceNumber, expanded] of found) {
      this.#expanded.set(sequenceNumber, expanded)
      this.#bytes += expanded.aggregate.indexBytes
    }
  }

  #evict(): void {
    const { length } = this.#records
    let count = 0
    // The newest record stays, however large it is.
    while (count < length - 1 && (length - count > WINDOW_RECORDS || this.#bytes > WINDOW_BYTES)) {
      this.#leave(this.#records[count] as LogRecord)
      count += 1
    }
    this.#cut(count)
  }

  /** Drops records that nobody will ask for, in large steps: each costs a copy. */
  forget(count: number): void {
    if (count < FORGET_RECORDS) return
    for (let index = 0; index < count; index += 1) this.#leave(this.#records[index] as LogRecord)
    this.#cut(count)
  }

  #leave({ sequenceNumber, data }: LogRecord): void {
    this.#startAfter = sequenceNumber
    this.#bytes -= data.length
    const expanded = this.#expanded?.get(sequenceNumber)
    if (expanded === undefined) return
    this.#bytes -= expanded.aggregate.indexBytes
    this.#expanded?.delete(sequenceNumber)
    if (this.#expanded?.size === 0) this.#expanded = undefined
  }

  #cut(count: number): void {
    if (count === 0) return
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

interface Taken {
  readonly records: UserRecord[]
  /** The first record of the log that is not handed out whole. */
  readonly end: number
  /** User records of it that are. */
  readonly taken: number
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
