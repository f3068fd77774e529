import { type ReadPosition, recordPosition } from '../aggregate/read-position.ts'
import type { UserRecord } from '../aggregate/user-record.ts'
import type { ResolvedMap } from './resolved-runs.ts'

/** How far behind the base its sequence numbers are dropped: each step costs a copy. */
const FORGET_STEP = 1_024
const NO_SUB = -1

/**
 * What one subscription has taken in of one shard, and what of it is resolved. The checkpoint is read off here (C1,
 * C2): the lowest unresolved record, and the resolved ones above it.
 */
export class ShardProgress {
  readonly #map: ResolvedMap
  /** Sequence numbers and arrival times of the ordinals from `#keptFrom` on. */
  #sequences: string[] = []
  /** Places in their aggregates; -1 for records of the log. */
  #subs: number[] = []
  #arrivals: number[] = []
  #keptFrom = 0
  /** Where reading goes on when nothing taken in is left. */
  #idleFrom: ReadPosition
  /** What follows the last record taken in, where its numbers alone do not say. */
  #readTo: ReadPosition | undefined
  #unresolved = 0
  #bufferedBytes = 0
  #expired: number
  #hasAggregates: boolean
  /** Raised by everything that a checkpoint would tell. */
  changes = 0

  constructor(
    map: ResolvedMap,
    from: ReadPosition,
    before: { readonly expiredRecords: number; readonly hasAggregates?: true | undefined },
  ) {
    this.#map = map
    this.#idleFrom = from
    this.#expired = before.expiredRecords
    this.#hasAggregates = before.hasAggregates === true
  }

  get unresolved(): number {
    return this.#unresolved
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get expiredRecords(): number {
    return this.#expired
  }

  /** Records within aggregates were taken in, in this life or in one that the checkpoint is of. */
  get hasAggregates(): boolean {
    return this.#hasAggregates
  }

  /** Ordinals given out. */
  get admitted(): number {
    return this.#map.admitted
  }

  /** The lowest unresolved ordinal. */
  get base(): number {
    return this.#map.base
  }

  get runCount(): number {
    return this.#map.runCount
  }

  /** Arrival of the lowest unresolved record. */
  get oldestArrivalMs(): number | undefined {
    return this.#arrivals[this.#map.base - this.#keptFrom]
  }

  runs(): number[] {
    return this.#map.runs()
  }

  /** @returns the record's ordinal, or undefined when it was resolved before the process was started */
  admit(record: UserRecord): number | undefined {
    const { subSequenceNumber } = record
    if (subSequenceNumber !== undefined && !this.#hasAggregates) {
      // A version that knew no aggregates counted it as one record: what is resolved beyond it comes again (I2).
      this.#map.forgetAbove()
      this.#hasAggregates = true
    }
    const ordinal = this.#map.admit()
    this.#sequences.push(record.sequenceNumber)
    this.#subs.push(subSequenceNumber ?? NO_SUB)
    this.#readTo = undefined
    this.#arrivals.push(record.arrivedAtMs)
    this.changes += 1
    if (this.#map.wasResolved(ordinal)) {
      this.#forgetPassed()
      return undefined
    }
    this.#unresolved += 1
    this.#bufferedBytes += record.data.length
    return ordinal
  }

  resolve(ordinal: number, bytes: number): void {
    this.#map.resolve(ordinal)
    this.#unresolved -= 1
    this.#bufferedBytes -= bytes
    this.changes += 1
    this.#forgetPassed()
  }

  /** Retention removed records that were never taken in. Call only when nothing is unresolved. */
  skipExpired(records: number): void {
    // How many records the removed aggregates held nobody knows: what is resolved beyond them comes again, and none
    // is taken for another one (I2).
    if (this.#hasAggregates) this.#map.forgetAbove()
    this.#map.skip(records)
    this.#sequences = []
    this.#subs = []
    this.#arrivals = []
    // It lies before the gap, which would be found, and counted, again.
    this.#readTo = undefined
    this.#keptFrom = this.#map.base
    this.#expired += records
    this.changes += 1
  }

  /** Everything up to here is read; nothing is left of it. */
  idleAt(from: ReadPosition): void {
    this.#idleFrom = from
  }

  /** What was taken in ends here: within or after an aggregate. */
  readTo(position: ReadPosition): void {
    this.#readTo = position
  }

  /** Where the next start would read from. */
  from(): ReadPosition {
    const index = this.#map.base - this.#keptFrom
    const lowest = this.#sequences[index]
    if (lowest !== undefined) return recordPosition(lowest, Math.max(0, this.#subs[index] as number))
    return this.#readTo ?? this.#after(this.#sequences.length - 1) ?? this.#idleFrom
  }

  #after(index: number): ReadPosition | undefined {
    const sequenceNumber = this.#sequences[index]
    if (sequenceNumber === undefined) return undefined
    const sub = this.#subs[index] as number
    return sub === NO_SUB
      ? { at: 'after_sequence_number', sequenceNumber }
      : recordPosition(sequenceNumber, sub + 1)
  }

  #forgetPassed(): void {
    const passed = this.#map.base - this.#keptFrom
    if (passed < FORGET_STEP && passed < this.#sequences.length) return
    this.#idleFrom = this.#after(passed - 1) ?? this.#idleFrom
    this.#sequences = this.#sequences.slice(passed)
    this.#subs = this.#subs.slice(passed)
    this.#arrivals = this.#arrivals.slice(passed)
    this.#keptFrom += passed
  }
}
