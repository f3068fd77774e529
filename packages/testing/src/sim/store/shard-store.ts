import type { AppendEntry, LogRecord, ReadResult, ShardInfo, StartPosition } from '@eddy/core'

/** Sequence numbers count densely from here: 16 digits, so they also sort as text. */
export const FIRST_SEQUENCE: number = 10 ** 15

export interface ShardOptions {
  readonly shardId: string
  readonly startingHashKey: bigint
  readonly endingHashKey: bigint
  readonly parentShardIds: readonly string[]
  readonly depth: number
  readonly firstSequence: number
}

/** One shard of the simulated log. Record `i` has sequence number `first + i`. */
export class ShardStore {
  readonly options: ShardOptions
  /** When it was closed by a split or a merge. */
  closedAtMs: number | undefined
  #records: LogRecord[] = []
  #first: number
  #lastArrivedAtMs = 0

  constructor(options: ShardOptions) {
    this.options = options
    this.#first = options.firstSequence
  }

  get records(): readonly LogRecord[] {
    return this.#records
  }

  /** The number that the next record gets. */
  get nextSequence(): number {
    return this.#first + this.#records.length
  }

  info(): ShardInfo {
    const { options } = this
    return {
      shardId: options.shardId,
      startingHashKey: options.startingHashKey.toString(),
      endingHashKey: options.endingHashKey.toString(),
      parentShardIds: [...options.parentShardIds],
      depth: options.depth,
      startingSequenceNumber: String(options.firstSequence),
      // A shard closed without a record ends at its own start, a number that no record has.
      ...(this.closedAtMs !== undefined && {
        endingSequenceNumber: String(this.lastSequence()),
        closedAtMs: this.closedAtMs,
      }),
    }
  }

  /** The highest number given or, in an empty shard, set aside. */
  lastSequence(): number {
    return Math.max(this.nextSequence - 1, this.options.firstSequence)
  }

  /** Keeps the entry's bytes: the caller hands over its own copy. */
  add(entry: AppendEntry, nowMs: number): string {
    const sequenceNumber = String(this.nextSequence)
    // Arrival times never fall, though wall time may.
    this.#lastArrivedAtMs = Math.max(this.#lastArrivedAtMs, nowMs)
    this.#records.push({
      sequenceNumber,
      partitionKey: entry.partitionKey,
      ...(entry.explicitHashKey !== undefined && { explicitHashKey: entry.explicitHashKey }),
      data: entry.data,
      arrivedAtMs: this.#lastArrivedAtMs,
    })
    return sequenceNumber
  }

  /** Removes records that arrived before this time. */
  trim(beforeMs: number): void {
    const records = this.#records
    if ((records[0]?.arrivedAtMs ?? beforeMs) >= beforeMs) return
    const expired = this.#indexOfTime(beforeMs)
    this.#records = records.slice(expired)
    this.#first += expired
  }

  read(from: StartPosition, limits: { maxRecords: number; maxBytes: number }, nowMs: number): ReadResult {
    const wanted = this.#wanted(from)
    const start = Math.max(wanted, this.#first)
    const records = this.#take(start - this.#first, limits)
    const reached = start + records.length
    const last = records.at(-1)
    const newest = reached >= this.nextSequence
    return {
      records,
      next:
        newest && this.closedAtMs !== undefined ? undefined : this.#next(from, reached, records.length > 0),
      // At least 1 while there is more, so that 0 always means the head.
      millisBehindLatest: newest ? 0 : Math.max(1, nowMs - (last ?? this.#at(start))?.arrivedAtMs),
      expiredRecords: Math.max(0, this.#first - Math.max(wanted, this.options.firstSequence)),
    }
  }

  /** Records kept from a position on. */
  count(from: StartPosition): number {
    return Math.max(0, this.nextSequence - Math.max(this.#wanted(from), this.#first))
  }

  #next(from: StartPosition, reached: number, moved: boolean): StartPosition {
    // Before a time or a number that has not come yet: stay.
    if (!moved && (from.at === 'at_timestamp' || reached > this.nextSequence)) return from
    return { at: 'after_sequence_number', sequenceNumber: String(reached - 1) }
  }

  #wanted(from: StartPosition): number {
    switch (from.at) {
      case 'trim_horizon':
        return this.#first
      case 'latest':
        return this.nextSequence
      case 'at_sequence_number':
        return Number(from.sequenceNumber)
      case 'after_sequence_number':
        return Number(from.sequenceNumber) + 1
      case 'at_timestamp':
        return this.#first + this.#indexOfTime(from.timestampMs)
    }
  }

  #take(index: number, limits: { maxRecords: number; maxBytes: number }): LogRecord[] {
    const records: LogRecord[] = []
    let bytes = 0
    for (let i = index; i < this.#records.length && records.length < limits.maxRecords; i++) {
      const record = this.#records[i] as LogRecord
      bytes += record.data.byteLength
      if (records.length > 0 && bytes > limits.maxBytes) break
      records.push({ ...record, data: new Uint8Array(record.data) })
    }
    return records
  }

  #at(sequence: number): LogRecord {
    return this.#records[sequence - this.#first] as LogRecord
  }

  #indexOfTime(timestampMs: number): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#records[middle] as LogRecord).arrivedAtMs < timestampMs) low = middle + 1
      else high = middle
    }
    return low
  }
}
