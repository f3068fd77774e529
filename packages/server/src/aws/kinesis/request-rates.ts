import type { FoundStream } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { limitExceeded, rateExceededForShard, throughputExceeded } from './kinesis-errors.ts'

/**
 * Requests a second of an account, as the comments of the SDK state them for each operation. The burst that the service
 * allows is not documented: here it is one second's worth. The retention periods' rates are from the quota page of the
 * developer guide, unverified.
 */
const REQUESTS_PER_SECOND: Readonly<Record<string, number>> = {
  CreateStream: 5,
  DeleteStream: 5,
  DescribeStream: 10,
  DescribeStreamSummary: 20,
  DescribeLimits: 1,
  ListStreams: 5,
  AddTagsToStream: 5,
  RemoveTagsFromStream: 5,
  ListTagsForStream: 5,
  SplitShard: 5,
  MergeShards: 5,
  UpdateShardCount: 10,
  IncreaseStreamRetentionPeriod: 5,
  DecreaseStreamRetentionPeriod: 5,
}

/** Of a stream. */
const LIST_SHARDS_PER_SECOND = 1_000

/** Control-plane requests are counted for the account. @throws AwsError LimitExceededException */
export function takeRequest(context: KinesisContext, operation: string): void {
  const ratePerSecond = REQUESTS_PER_SECOND[operation]
  if (ratePerSecond === undefined || context.limits === undefined) return
  take(context, operation, ratePerSecond, `Rate exceeded for account ${context.accountId}.`)
}

/** @throws AwsError LimitExceededException */
export function takeListShards(context: KinesisContext, stream: string): void {
  if (context.limits === undefined) return
  const message = `Rate exceeded for stream ${stream} under account ${context.accountId}.`
  take(context, `ListShards ${stream}`, LIST_SHARDS_PER_SECOND, message)
}

/** For an iterator of a shard of a stream with limits. @throws AwsError ProvisionedThroughputExceededException */
export function takeIterator(context: KinesisContext, { info }: FoundStream, shardId: string): void {
  if (info.limits === undefined) return
  const { buckets, engine, accountId } = context
  const taken = { amount: 1, ratePerSecond: info.limits.iteratorCallsPerSecond }
  const name = `GetShardIterator ${info.streamId} ${shardId}`
  if (buckets.tryTake(name, taken, engine.clock.monotonicMs()) === 0) return
  throw throughputExceeded(rateExceededForShard({ shardId, name: info.name, accountId }))
}

function take(context: KinesisContext, name: string, ratePerSecond: number, message: string): void {
  const { buckets, engine } = context
  if (buckets.tryTake(name, { amount: 1, ratePerSecond }, engine.clock.monotonicMs()) === 0) return
  throw limitExceeded(message)
}
