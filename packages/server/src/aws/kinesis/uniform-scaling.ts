import { compareSequence, equalShardRanges, type ShardInfo } from '@eddy/core'

export type ScalingStep =
  | { readonly kind: 'merge'; readonly shardId: string; readonly adjacentShardId: string }
  | { readonly kind: 'split'; readonly shardId: string; readonly newStartingHashKey: string }

/**
 * What to do next to get `targetCount` shards of equal size, from left to right: merge what lies within one of the
 * ranges, else split what crosses the end of one. Undefined: done. Decided from the shards as they are, so that a
 * process that goes on after a crash needs no plan. At no time are there more shards than before or after and one.
 */
export function nextScalingStep(
  openShards: readonly ShardInfo[],
  targetCount: number,
): ScalingStep | undefined {
  const shards = [...openShards].sort((a, b) => compareSequence(a.startingHashKey, b.startingHashKey))
  let at = 0
  for (const range of equalShardRanges(targetCount)) {
    const shard = shards[at] as ShardInfo
    const beyond = compareSequence(shard.endingHashKey, range.endingHashKey)
    if (beyond > 0) return splitAfter(shard, range.endingHashKey)
    if (beyond < 0) {
      // It ends within the range: so must its neighbour, before the two can become one.
      const neighbour = shards[at + 1] as ShardInfo
      return compareSequence(neighbour.endingHashKey, range.endingHashKey) > 0
        ? splitAfter(neighbour, range.endingHashKey)
        : { kind: 'merge', shardId: shard.shardId, adjacentShardId: neighbour.shardId }
    }
    at += 1
  }
  return undefined
}

function splitAfter(shard: ShardInfo, endingHashKey: string): ScalingStep {
  const newStartingHashKey = (BigInt(endingHashKey) + 1n).toString()
  return { kind: 'split', shardId: shard.shardId, newStartingHashKey }
}
