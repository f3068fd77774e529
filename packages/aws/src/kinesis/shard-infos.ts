import type { Shard } from '@aws-sdk/client-kinesis'
import type { ShardInfo } from '@eddy/core'

/**
 * The shards that ListShards answered, parents before children.
 *
 * A parent that Kinesis no longer lists (its records have expired) counts as a first shard, so a shard's depth may fall
 * with time; among the shards listed together, a child is always deeper than its parents.
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
        depths.set(shardId, Math.max(-1, ...parents.map((parent) => depths.get(parent) ?? 0)) + 1)
    }
  }
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
