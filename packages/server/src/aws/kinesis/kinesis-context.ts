import type { Engine, Logger, ServiceLimits, TokenBuckets } from '@eddy/core'
import type { OpaqueTokens } from './opaque-tokens.ts'
import type { ReadTurns } from './read-turns.ts'
import type { StreamBook } from './stream-book.ts'
import type { StreamChanges } from './stream-changes.ts'

/** What all operations of one endpoint share. */
export interface KinesisContext {
  readonly engine: Pick<Engine, 'log' | 'clock' | 'md5Hex'>
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
  readonly book: StreamBook
  readonly changes: StreamChanges
  readonly tokens: OpaqueTokens
  readonly readTurns: ReadTurns
  /** Rates of requests. */
  readonly buckets: TokenBuckets
  readonly logger: Logger
  /** Of streams created here; with them come those of the account. Undefined: only the engine's own. */
  readonly limits: ServiceLimits | undefined
  /** What is refused while an application reads it: names of its subscriptions of the stream. */
  readonly readersOf: (stream: string) => Promise<readonly string[]>
  /** Subscriptions look for new shards. */
  readonly streamsChanged: () => Promise<void>
}

/**
 * Open shards of all streams. The service's own figure differs by Region and account; a stream of this engine may have
 * 1,024, of which a change of the shard count needs a few for itself.
 */
export const SHARD_LIMIT = 1_000
export const ON_DEMAND_STREAM_LIMIT = 50
export const MAX_CREATING_STREAMS = 5
export const MAX_RECORD_BYTES: number = 10 * 1_024 * 1_024
