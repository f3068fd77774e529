import type { LogRecord, StartPosition } from '../ports/log.ts'
import type { ResolvedMap } from './resolved-runs.ts'

/** How far behind the base its sequence numbers are dropped: each step costs a copy. */
const FORGET_STEP = 1_024

/**
 * What one subscription has taken in of one shard, and what of it is resolved. The checkpoint is read off here (C1,
 * C2): the lowest unresolved record, and the resolved ones above it.
 */
export class ShardProgress {
  readonly #map: ResolvedMap
  /** Sequence numbers and arrival times of the ordinals from `#keptFrom` on. */
  #sequences: string[] = []
  #arrivals: number[] = []
  #keptFrom = 0
  /** Where reading goes on when nothing taken in is left. */
  #idleFrom: StartPosition
  #unresolved = 0
  #bufferedBytes = 0
  #expired: number
  /** Raised by everything that a checkpoint would tell. */
  changes = 0

  constructor(map: ResolvedMap, from: StartPosition, expiredRecords: number) {
    this.#map = map
    this.#idleFrom = from
    this.#expired = expiredRecords
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
  admit(record: LogRecord): number | undefined {
    const ordinal = this.#map.admit()
    this.#sequences.push(record.sequenceNumber)
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
    this.#map.skip(records)
    this.#sequences = []
    this.#arrivals = []
    this.#keptFrom = this.#map.base
    this.#expired += records
    this.changes += 1
  }

  /** Everything up to here is read; nothing is left of it. */
  idleAt(from: StartPosition): void {
    this.#idleFrom = from
  }

  /** Where the next start would read from. */
  from(): StartPosition {
    const lowest = this.#sequences[this.#map.base - this.#keptFrom]
    if (lowest !== undefined) return { at: 'at_sequence_number', sequenceNumber: lowest }
    const last = this.#sequences.at(-1)
    return last === undefined ? this.#idleFrom : { at: 'after_sequence_number', sequenceNumber: last }
  }

  #forgetPassed(): void {
    const passed = this.#map.base - this.#keptFrom
    if (passed < FORGET_STEP && passed < this.#sequences.length) return
    const last = this.#sequences[passed - 1]
    if (last !== undefined) this.#idleFrom = { at: 'after_sequence_number', sequenceNumber: last }
    this.#sequences = this.#sequences.slice(passed)
    this.#arrivals = this.#arrivals.slice(passed)
    this.#keptFrom += passed
  }
}
