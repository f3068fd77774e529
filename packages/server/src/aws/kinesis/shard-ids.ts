import type { ShardInfo } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'

const MAX_SHARD_NUMBER = 2_147_483_647

/** `shardId-000000000003`, `shardId-3` and `3` name the same shard; undefined for what names none. */
export function fullShardId(text: string): string | undefined {
  const digits = /^(?:[^-]*-)?(\d+)$/.exec(text)?.[1]
  if (digits === undefined || Number(digits) > MAX_SHARD_NUMBER) return undefined
  return `shardId-${String(Number(digits)).padStart(12, '0')}`
}

/**
 * Where a shard starts, as clients are told: as in the service no record has this number, since consumers such as
 * lifion-kinesis begin a child *after* it.
 */
export function numberBefore({ startingSequenceNumber }: ShardInfo): string {
  return String(BigInt(startingSequenceNumber) - 1n)
}

/** As DescribeStream and ListShards give a shard. */
export function shardOutput(shard: ShardInfo): AwsStructure {
  const [parent, adjacent] = shard.parentShardIds
  return {
    ShardId: shard.shardId,
    ...(parent !== undefined && { ParentShardId: parent }),
    ...(adjacent !== undefined && { AdjacentParentShardId: adjacent }),
    HashKeyRange: { StartingHashKey: shard.startingHashKey, EndingHashKey: shard.endingHashKey },
    SequenceNumberRange: {
      StartingSequenceNumber: numberBefore(shard),
      ...(shard.endingSequenceNumber !== undefined && {
        EndingSequenceNumber: shard.endingSequenceNumber,
      }),
    },
  }
}
