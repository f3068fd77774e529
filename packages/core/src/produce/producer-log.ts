import type { Log, StreamInfo } from '../ports/log.ts'

/**
 * What a producer needs of a log. Every `Log` is one; transports to logs elsewhere are this and no more.
 *
 * `append` is one try: whoever implements it sends nothing again by itself. What may have been stored although nobody was
 * told is either a rejection with a retryable error (any entry of the call) or a result with code `internal`, retryable.
 */
export interface ProducerLog extends Pick<Log, 'append' | 'listShards' | 'keepsKeyOrder' | 'dropsCopies'> {
  /** With `strict` order a call may hold many entries of a shard: they are stored in their order, or not from some entry on. */
  readonly keepsCallOrder?: boolean
  /** It takes nothing but single events: an aggregate is refused. */
  readonly takesEventsAlone?: boolean
  /** It makes one record of many: small batches of a shard gather while another one is under way. */
  readonly gathers?: boolean
  /** The limits that the producer paces by; without any, it sends as fast as the log takes it. */
  describeStream(name: string): Promise<Pick<StreamInfo, 'limits'>>
}
