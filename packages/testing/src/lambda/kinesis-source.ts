import type { KinesisSourceRecord } from './kinesis-event.ts'

export interface SourceShard {
  readonly shardId: string
  readonly parentShardIds: readonly string[]
}

export interface ShardPage {
  readonly records: readonly KinesisSourceRecord[]
  /** What to hand in next; undefined: the shard is closed and this was its end. */
  readonly next: string | undefined
}

export type StartingPosition =
  | { readonly at: 'TRIM_HORIZON' }
  | { readonly at: 'LATEST' }
  | { readonly at: 'AT_TIMESTAMP'; readonly timestampMs: number }

/** The stream that a mapping reads: anything that has shards. Adapters for a client of Kinesis are a few lines. */
export interface KinesisSource {
  listShards(): Promise<readonly SourceShard[]>
  /** What to hand to the first `read` of a shard. */
  start(shardId: string, position: StartingPosition): Promise<string>
  /** Up to `limit` records from there on, without waiting. An empty page is not the end. */
  read(shardId: string, from: string, limit: number): Promise<ShardPage>
}
