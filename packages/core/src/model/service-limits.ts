/**
 * What a service allows a stream, per shard unless said otherwise. Plain numbers, kept with the stream.
 *
 * Figures of the presets are those of Amazon Kinesis Data Streams; docs/guides/limits.md says where each is from.
 */
export interface ServiceLimits {
  /** Rates are token buckets of one second. */
  readonly writeRecordsPerSecond: number
  /** Data and partition keys, in bytes of UTF-8. */
  readonly writeBytesPerSecond: number
  /** Reads of all readers together: each GetRecords, each `Log.read` that returns. */
  readonly readCallsPerSecond: number
  readonly readBytesPerSecond: number
  /** Most that one read returns. After a read of this size the shard refuses reads until its rate allows more. */
  readonly maxReadBytes: number
  readonly iteratorCallsPerSecond: number
  /** Entries of one append. */
  readonly maxEntries: number
  /** Data and partition keys of one append. */
  readonly maxRequestBytes: number
  /** Data and partition key of one record. */
  readonly maxRecordBytes: number
  readonly maxPartitionKeyCharacters: number
  readonly iteratorLifetimeMs: number
  readonly minRetentionMs: number
  readonly maxRetentionMs: number
}

/** Faults for tests, of one stream: what a healthy service does now and then, more often. */
export interface ServiceFaults {
  /** Share of entries that fail with `internal`, 0 to 1. */
  readonly internalFailureRate?: number
  /** Before each append and read is answered. */
  readonly latencyMs?: number
  /** These shards allow only this share of the write limits, 0 to 1. */
  readonly throttleHarder?: { readonly [shardId: string]: number }
}
