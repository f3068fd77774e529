import type { Shard } from '@aws-sdk/client-kinesis'
import type { ShardInfo } from '@eddy/core'

/** The number that Kinesis gave the shard, in the order in which it made them. */
const SHARD_NUMBER = /^shardId-(\d{1,15})$/

/**
 * The shards that ListShards answered, parents before children.
 *
 * A shard's depth is the number in its id: a child is made after its parents, so its number is greater, and it stays what
 * it is once they are no longer listed, their records being expired. Generations could not be counted then, and positions
 * that were stored before would lie after new ones (I3). Where ids are otherwise, the generations listed count.
 */
export function shardInfos(shards: readonly Shard[]): readonly ShardInfo[] {
  const byId = new Map(shards.map((shard) => [shard.ShardId ?? '', shard]))
  const depths = new Map<string, number>()
  for (const shardId of byId.keys()) depthOf(shardId, byId, depths)
  return shards
    .map((shard) => toInfo(shard, depths.get(shard.ShardId ?? '') ?? 0))
    .sort((a, b) => a.depth - b.depth)
}

function parentsOf({ ParentShardId, AdjacentParentShardId }: Shard): readonly string[] {
  return [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined)
}

/** Without recursion: a stream that was resharded for years has a long line of parents. */
function depthOf(first: string, byId: ReadonlyMap<string, Shard>, depths: Map<string, number>): void {
  const open = [first]
  while (open.length > 0) {
    const shardId = open.at(-1) as string
    const shard = byId.get(shardId)
    const parents = shard === undefined ? [] : parentsOf(shard)
    const unknown = depths.has(shardId) ? [] : parents.filter((parent) => !depths.has(parent))
    if (unknown.length > 0) open.push(...unknown)
    else {
      open.pop()
      if (!depths.has(shardId))
        depths.set(
          shardId,
          Math.max(numberOf(shardId), ...parents.map((parent) => (depths.get(parent) ?? 0) + 1)),
        )
    }
  }
}

function numberOf(shardId: string): number {
  return Number(SHARD_NUMBER.exec(shardId)?.[1] ?? 0)
}

function toInfo(shard: Shard, depth: number): ShardInfo {
  const { ShardId = '', HashKeyRange, SequenceNumberRange } = shard
  const ending = SequenceNumberRange?.EndingSequenceNumber
  return {
    shardId: ShardId,
    startingHashKey: HashKeyRange?.StartingHashKey ?? '0',
    endingHashKey: HashKeyRange?.EndingHashKey ?? '0',
    parentShardIds: parentsOf(shard),
    depth,
    startingSequenceNumber: SequenceNumberRange?.StartingSequenceNumber ?? '0',
    ...(ending !== undefined && { endingSequenceNumber: ending }),
  }
}
