import { ON_DEMAND_SHARDS } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { type FoundStream, findStream, isOpen, type StreamRef, shardsOf } from './find-stream.ts'
import { type KinesisContext, MAX_RECORD_BYTES } from './kinesis-context.ts'
import { fullShardId, shardOutput } from './shard-ids.ts'
import { streamArn } from './stream-arn.ts'

const HOUR_MS = 3_600_000
const MAX_SHARDS_A_PAGE = 100

export interface DescribeStreamInput extends StreamRef {
  readonly Limit?: number
  readonly ExclusiveStartShardId?: string
}

export async function describeStream(
  context: KinesisContext,
  input: DescribeStreamInput,
): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  const shards = await shardsOf(context, stream)
  const after = input.ExclusiveStartShardId
  const from = after === undefined ? '' : (fullShardId(after) ?? after)
  const rest = shards.filter(({ shardId }) => shardId > from)
  const limit = Math.min(input.Limit ?? MAX_SHARDS_A_PAGE, MAX_SHARDS_A_PAGE)
  return {
    StreamDescription: {
      ...commonDescription(context, stream),
      Shards: rest.slice(0, limit).map(shardOutput),
      HasMoreShards: rest.length > limit,
    },
  }
}

export async function describeStreamSummary(
  context: KinesisContext,
  input: StreamRef,
): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  const shards = await shardsOf(context, stream)
  const isOnDemand = stream.notes.mode === 'ON_DEMAND'
  return {
    StreamDescriptionSummary: {
      ...commonDescription(context, stream),
      OpenShardCount: shards.filter(isOpen).length,
      ConsumerCount: 0,
      MaxRecordSizeInKiB: Math.floor(maxRecordBytesOf(stream) / 1_024),
      // Both only concern on-demand streams.
      ...(isOnDemand && {
        WarmThroughput: { CurrentMiBps: ON_DEMAND_SHARDS },
        RecordDistributionStrategy: stream.notes.strategy,
      }),
    },
  }
}

/** Data and partition key of a record. */
export function maxRecordBytesOf({ info, notes }: FoundStream): number {
  return info.limits?.maxRecordBytes ?? notes.maxRecordBytes ?? MAX_RECORD_BYTES
}

function commonDescription({ region, accountId }: KinesisContext, stream: FoundStream): AwsStructure {
  const { name, info, notes, status } = stream
  return {
    StreamName: name,
    StreamARN: streamArn(region, accountId, name),
    StreamStatus: status,
    StreamModeDetails: { StreamMode: notes.mode },
    // Streams of an application may be kept for part of an hour.
    RetentionPeriodHours: Math.ceil(info.retentionMs / HOUR_MS),
    StreamCreationTimestamp: new Date(info.createdAtMs),
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: 'NONE',
  }
}
