import type { AwsStructure } from '../aws-service.ts'
import { countOpenShards, countStreams } from './create-stream.ts'
import { type KinesisContext, ON_DEMAND_STREAM_LIMIT, SHARD_LIMIT } from './kinesis-context.ts'

export async function describeLimits(context: KinesisContext): Promise<AwsStructure> {
  return {
    ShardLimit: SHARD_LIMIT,
    OpenShardCount: await countOpenShards(context),
    OnDemandStreamCount: (await countStreams(context)).onDemand,
    OnDemandStreamCountLimit: ON_DEMAND_STREAM_LIMIT,
  }
}
