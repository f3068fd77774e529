import type { AppendOutcome } from '../operate/operations.ts'

/**
 * What must not change places.
 *
 * - `key`: no record of a key is sent while an earlier one of that key is not accepted. At batch throughput.
 * - `strict`: the same for all records of a shard: one record at a time a shard, each named as the one after the last
 *   (PutRecord with SequenceNumberForOrdering).
 * - `none`: whatever is ready goes.
 */
export type Ordering = 'key' | 'strict' | 'none'

/** A record that is encoded already. */
export interface EncodedRecord {
  /** Partition key, 1 to 256 characters. */
  readonly key: string
  /** Decimal 128-bit integer that places the record instead of the key's MD5. */
  readonly explicitHashKey?: string
  /** The bytes, as they are stored. On logs that do not drop copies only an event can carry its producer's mark. */
  readonly data: Uint8Array
  /** What the outcome calls it; default: `<producer id>/<sequence>`. */
  readonly id?: string
}

/** What an item of a source is to become: a record, or refused before it is sent. */
export type PreparedItem =
  | { readonly ok: true; readonly record: EncodedRecord }
  | { readonly ok: false; readonly outcome: AppendOutcome }

export interface ProduceOptions<Item> {
  /** Default `key`. */
  readonly ordering?: Ordering
  /**
   * Puts records of one shard together in one record of the stream, in the format of the KPL, which every reader of Eddy's
   * takes apart: small records then fill a shard's bytes rather than its 1,000 a second. Default false; `maxBytes` is of one
   * aggregate, 1 KiB to 1 MiB, default 50 KiB. Order is kept among the calls that aggregate alike.
   */
  readonly aggregate?: boolean | { readonly maxBytes?: number }
  /** Names the producer for deduplication: with `firstSequence`, what is repeated is not stored twice. */
  readonly producerId?: string
  /** Producer sequence of the source's first item; the others follow by one, refused ones included. */
  readonly firstSequence?: number
  /**
   * Read from the source and not settled, at most (I6): then the source waits. 1 to 10,000,000 records, default 100,000;
   * 1 KiB to 16 GiB of encoded bytes, default 64 MiB. One record is always allowed, whatever its size.
   */
  readonly maxBufferedRecords?: number
  readonly maxBufferedBytes?: number
  /**
   * For the whole call, 0 to 365 days: then nothing more is read or sent, what is under way is waited for, and what was
   * not sent is the report's `remainder`.
   */
  readonly deadlineMs?: number
  /** Ends the call as the deadline does. */
  readonly signal?: AbortSignal
  /**
   * Every item's fate, once, in the order in which it became known. A promise is waited for before the next call, and
   * holds up the source once the buffer is full. An error ends the call (ProduceError); what is under way then is told
   * all the same.
   * @param index - place in the source, from 0
   */
  readonly onOutcome?: (outcome: AppendOutcome, index: number, item: Item) => void | Promise<void>
  /** After each batch, and at the end. An error that it throws ends the call, as one of onOutcome does. */
  readonly onProgress?: (progress: ProduceProgress) => void
}

export interface ProduceProgress {
  /** Items read from the source. */
  readonly read: number
  /** Stored, copies that the log knew included. */
  readonly accepted: number
  readonly failed: number
  /** Sendings after a record's first one. */
  readonly resent: number
  /** Of the sendings, those that a limit refused. */
  readonly throttled: number
  /** Calls of the log. */
  readonly batches: number
  /** Read and not settled. */
  readonly buffered: number
  readonly bufferedBytes: number
}

export interface ShardPace {
  readonly shardId: string
  /** What this producer now takes for its share of the shard. */
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
}

export interface ProduceReport<Item> extends Omit<ProduceProgress, 'buffered' | 'bufferedBytes'> {
  /** Why it ended. `done`: every item of the source has its outcome. */
  readonly end: 'done' | 'deadline' | 'aborted'
  /**
   * Every item that has no outcome, in the order of the source: what was read and is known not to be stored, then the
   * source's rest. Empty when `done`. To be read once; leaving it early closes the source. Whoever does not read it and
   * has a source that needs closing calls its `return()`.
   */
  readonly remainder: AsyncGenerator<Item, void, undefined>
  /** Of streams with limits. */
  readonly shards: readonly ShardPace[]
}
