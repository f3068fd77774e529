import type { ServiceFaults, ServiceLimits } from '../model/service-limits.ts'

/** How a stream is kept. */
export interface StreamSpec {
  /** 1 to 128 characters of `a-zA-Z0-9_.-`. */
  readonly name: string
  /** Shards at creation, 1 to 1,024. */
  readonly shardCount: number
  /** Records older than this may be removed; 1 hour to 365 days. */
  readonly retentionMs: number
  /** `fsync`: acknowledged records survive power loss (I1). `os`: they survive the process, not the machine. */
  readonly durability: 'fsync' | 'os'
  /** Enforced by the log: what is over them is refused as a service refuses it. Undefined: only this log's own limits. */
  readonly limits?: ServiceLimits
  /** For tests. */
  readonly faults?: ServiceFaults
}

export interface StreamInfo extends StreamSpec {
  /** Changes when a stream is deleted and created again under the same name. */
  readonly streamId: string
  readonly createdAtMs: number
  /**
   * The service places records without regard to their keys, as Kinesis does while a stream's RecordDistributionStrategy
   * is AUTO. May change at any time; then no order of a key can be kept.
   */
  readonly keysIgnored?: boolean
}

/** What is left out stays as it is. */
export interface LimitsChange {
  readonly limits?: ServiceLimits | 'none'
  /** All of them: those not named strike no more. */
  readonly faults?: ServiceFaults
}

export interface ThrottledCounts {
  readonly stream: string
  /** Refused as `throttled`. */
  readonly entries: number
  /** Refused with a ThrottledError. */
  readonly reads: number
}

export interface ShardInfo {
  /** `shardId-000000000000`. */
  readonly shardId: string
  /** Inclusive range of 128-bit hash keys, as decimal strings. */
  readonly startingHashKey: string
  readonly endingHashKey: string
  /** Empty for a first shard, one after a split, two after a merge. */
  readonly parentShardIds: readonly string[]
  /**
   * Greater than that of every parent, and the same for as long as the shard is listed, also once its parents are not: the
   * order of a key's positions rests on it. 0 for a first shard and else 1 + the deepest parent's, where the engine knows
   * all generations.
   */
  readonly depth: number
  readonly startingSequenceNumber: string
  /** Set when the shard is closed: no record was or will be added after it. */
  readonly endingSequenceNumber?: string
  /** When it was closed, epoch milliseconds; its children opened then. Not every engine knows. */
  readonly closedAtMs?: number
}

export interface AppendEntry {
  /** 1 to 256 characters. */
  readonly partitionKey: string
  /** Decimal 128-bit integer that places the record instead of the key's MD5. */
  readonly explicitHashKey?: string
  readonly data: Uint8Array
  /** With `producerSequence`: a copy of an entry that was already stored is answered as stored, not stored again. */
  readonly producerId?: string
  readonly producerSequence?: number
  /**
   * The record goes after this one of its shard, which the same producer was told of (SequenceNumberForOrdering). An
   * entry with it is the only one of its call.
   */
  readonly orderedAfter?: string
}

export interface LogAppendOptions {
  /**
   * `free`: an entry that is refused refuses no other one, as with PutRecords: a later one of its key may be stored before
   * it. For a caller whose own callers were promised no more. Default `kept`: what `Log.keepsKeyOrder` says.
   */
  readonly keyOrder?: 'kept' | 'free'
}

/** Why an entry was refused; an engine in another process passes on the code that it was told there. */
export type AppendErrorCode = 'throttled' | 'internal' | 'too-large' | 'invalid' | `EDDY_${string}`

export type AppendResult =
  | {
      readonly ok: true
      readonly shardId: string
      readonly sequenceNumber: string
      readonly duplicate: boolean
    }
  | {
      readonly ok: false
      readonly code: AppendErrorCode
      readonly retryable: boolean
      readonly message: string
    }

export interface LogRecord {
  /** Decimal, no leading zeros; increases within a shard. Compare with `compareSequence`. */
  readonly sequenceNumber: string
  readonly partitionKey: string
  readonly explicitHashKey?: string
  readonly data: Uint8Array
  /** Epoch milliseconds; never falls within a shard. */
  readonly arrivedAtMs: number
}

/** Where to read from. The words are those of Kinesis shard iterators. */
export type StartPosition =
  | { readonly at: 'trim_horizon' }
  | { readonly at: 'latest' }
  | { readonly at: 'at_sequence_number'; readonly sequenceNumber: string }
  | { readonly at: 'after_sequence_number'; readonly sequenceNumber: string }
  | { readonly at: 'at_timestamp'; readonly timestampMs: number }

export interface ReadRequest {
  readonly stream: string
  readonly shardId: string
  readonly from: StartPosition
  /** 1 to 10,000. */
  readonly maxRecords: number
  /** At least one record is returned even when it is larger. */
  readonly maxBytes: number
  /** Wait up to this long for a first record when there is none. An early, empty answer is allowed. */
  readonly waitMs: number
  readonly signal?: AbortSignal
  /** Reads with a throughput of its own, under this name. Only a log with `hasFanOut` looks at it. */
  readonly consumer?: string
}

export interface ReadResult {
  readonly records: readonly LogRecord[]
  /** Where to go on; never `latest`. Undefined: the shard is closed and everything in it was read. */
  readonly next: StartPosition | undefined
  /** 0 when nothing newer is stored, else the age of the last record returned (or of the position). */
  readonly millisBehindLatest: number
  /**
   * Records between the position asked for and the first one still kept: removed by retention, never handed out. An engine
   * that cannot count them says 1 when the record that the position names is gone: some after it may be, too.
   */
  readonly expiredRecords: number
}

/** A read that never waits. */
export type ReadEachRequest = Omit<ReadRequest, 'waitMs' | 'signal'>

/** A record as it is handed to `readEach`'s callback; all of it is valid during that call alone. */
export interface RecordBytes {
  readonly sequenceNumber: string
  /** Epoch milliseconds. */
  readonly arrivedAtMs: number
  /** Has the partition key, in UTF-8, from `keyStart` to `keyEnd`, and the data from `dataStart` to `dataEnd`. */
  readonly bytes: Uint8Array
  readonly keyStart: number
  readonly keyEnd: number
  readonly dataStart: number
  readonly dataEnd: number
}

export interface ReadEachResult extends Omit<ReadResult, 'records'> {
  /** How many there were. */
  readonly records: number
}

/**
 * Ordered, sharded, durable records.
 *
 * Every method may reject with an `EddyError`; `append` reports each entry's own fate and rejects only when
 * nothing is known about the whole call (then any entry may have been stored).
 */
export interface Log {
  /**
   * True: once an entry of a call is refused retryably, so are the later ones of its key in that call. Otherwise (as
   * with PutRecords) a caller who needs order sends one entry of a key at a time.
   */
  readonly keepsKeyOrder: boolean
  /**
   * True: a copy (same producer id and sequence) is answered as stored and not stored again. Otherwise readers drop it,
   * by the marks that the producer writes into the event.
   */
  readonly dropsCopies: boolean
  /** True: streams are made and changed elsewhere, by a deployment. A start creates and changes none. */
  readonly hasGivenStreams?: boolean
  /** True: `StreamInfo.keysIgnored` may change at any time. Whoever rests on keys looks again each minute. */
  readonly mayIgnoreKeys?: boolean
  /** True: a read with a `consumer` has a throughput of its own, beside the limits of `describeStream`. */
  readonly hasFanOut?: boolean
  /** @throws StreamExistsError when the name is taken. */
  createStream(spec: StreamSpec): Promise<StreamInfo>
  /** Removes the stream and its records. @throws StreamNotFoundError */
  deleteStream(name: string): Promise<void>
  /** Changes retention from now on. @throws StreamNotFoundError */
  setRetention(name: string, retentionMs: number): Promise<StreamInfo>
  /**
   * Changes limits and faults from now on. Only logs that enforce limits have this.
   * @throws StreamNotFoundError; InvalidOptionError when the limits do not allow the stream's retention
   */
  setLimits?(name: string, change: LimitsChange): Promise<StreamInfo>
  /** What limits refused since the start, by stream; streams of which nothing was refused are left out. */
  throttled?(): readonly ThrottledCounts[]
  /** All streams by name. */
  listStreams(): Promise<readonly StreamInfo[]>
  /** @throws StreamNotFoundError */
  describeStream(name: string): Promise<StreamInfo>
  /** Every shard that still holds or may get records, parents before children. @throws StreamNotFoundError */
  listShards(stream: string): Promise<readonly ShardInfo[]>
  /**
   * Stores up to 500 entries. Results are in request order, one an entry. Entries of one shard get increasing
   * sequence numbers in request order. Resolves after what was accepted is durable (I1).
   * @throws StreamNotFoundError
   */
  append(
    stream: string,
    entries: readonly AppendEntry[],
    options?: LogAppendOptions,
  ): Promise<readonly AppendResult[]>
  /** @throws StreamNotFoundError, ShardNotFoundError; ThrottledError for a stream with limits */
  read(request: ReadRequest): Promise<ReadResult>
  /**
   * Reads what `read` would, and hands over each record as the bytes that the engine has at hand: for whoever copies them
   * elsewhere, and needs no object for each. `take` calls nothing of the engine. Only engines that store bytes have this.
   * @throws as `read`, also after some records were handed over: they do not count then
   */
  readEach?(request: ReadEachRequest, take: (record: RecordBytes) => void): Promise<ReadEachResult>
  /** Records of the shard from a position on; only engines that know it cheaply have this. */
  countRecords?(stream: string, shardId: string, from: StartPosition): Promise<number>
  /**
   * The sequence number that the shard's next record gets; in a closed shard, the one after its last record. Costs
   * nothing of the stream's limits: for iterators that point to the end.
   * @throws StreamNotFoundError, ShardNotFoundError
   */
  nextSequenceNumber?(stream: string, shardId: string): Promise<string>
  /** Closes the shard and opens two children; the second starts at `newStartingHashKey`. */
  split(stream: string, shardId: string, newStartingHashKey: string): Promise<readonly ShardInfo[]>
  /** Closes two adjacent shards and opens one child over both ranges. */
  merge(stream: string, shardId: string, adjacentShardId: string): Promise<ShardInfo>
}
