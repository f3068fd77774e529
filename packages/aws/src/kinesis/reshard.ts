import { MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis'
import {
  InvalidOptionError,
  isHashKey,
  rangesAdjoin,
  type ShardInfo,
  ShardNotFoundError,
  ShardStateError,
  shardRangeContains,
} from '@eddy/core'
import { KinesisUnavailableError } from './kinesis-errors.ts'
import { listShards } from './list-shards.ts'
import { change, type ManagedStreams, untilActive } from './manage-streams.ts'

/**
 * Splits the shard, once no other change of the stream is under way, and waits for the children.
 * @throws InvalidOptionError, StreamNotFoundError, ShardNotFoundError, ShardStateError, and what `kinesisErrorOf` makes; a
 * stream in on-demand mode is refused by Kinesis
 */
export async function splitShard(
  managed: ManagedStreams,
  stream: string,
  shardId: string,
  newStartingHashKey: string,
): Promise<readonly ShardInfo[]> {
  const { parts } = managed
  const shard = openShard(await listShards(parts, stream), stream, shardId)
  if (
    !isHashKey(newStartingHashKey) ||
    !shardRangeContains(shard, newStartingHashKey) ||
    newStartingHashKey === shard.startingHashKey
  )
    throw new InvalidOptionError(
      'newStartingHashKey',
      `a decimal integer over ${shard.startingHashKey} and up to ${shard.endingHashKey}`,
      newStartingHashKey,
    )
  const command = new SplitShardCommand({
    StreamName: parts.nameOf(stream),
    ShardToSplit: shardId,
    NewStartingHashKey: newStartingHashKey,
  })
  await change(managed, stream, 'SplitShard', (client, abortSignal) => client.send(command, { abortSignal }))
  return await childrenOf(managed, stream, [shardId])
}

/** @throws as `splitShard` */
export async function mergeShards(
  managed: ManagedStreams,
  stream: string,
  shardId: string,
  adjacentShardId: string,
): Promise<ShardInfo> {
  const { parts } = managed
  const shards = await listShards(parts, stream)
  const [shard, adjacent] = [openShard(shards, stream, shardId), openShard(shards, stream, adjacentShardId)]
  if (!rangesAdjoin(shard, adjacent) && !rangesAdjoin(adjacent, shard))
    throw new ShardStateError(
      stream,
      shardId,
      `its hash key range does not adjoin that of "${adjacentShardId}"`,
    )
  const [lower, upper] = rangesAdjoin(shard, adjacent) ? [shard, adjacent] : [adjacent, shard]
  const command = new MergeShardsCommand({
    StreamName: parts.nameOf(stream),
    ShardToMerge: lower.shardId,
    AdjacentShardToMerge: upper.shardId,
  })
  await change(managed, stream, 'MergeShards', (client, abortSignal) => client.send(command, { abortSignal }))
  const [child] = await childrenOf(managed, stream, [shardId, adjacentShardId])
  return child as ShardInfo
}

async function childrenOf(
  managed: ManagedStreams,
  stream: string,
  parents: readonly string[],
): Promise<readonly ShardInfo[]> {
  await untilActive(managed, stream)
  const shards = await listShards(managed.parts, stream)
  const children = shards.filter(({ parentShardIds }) => parents.every((id) => parentShardIds.includes(id)))
  if (children.length > 0)
    return children.toSorted((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
  throw new KinesisUnavailableError(
    `children of ${parents.join(', ')} of stream "${stream}"`,
    'none are listed yet',
  )
}

function openShard(shards: readonly ShardInfo[], stream: string, shardId: string): ShardInfo {
  const shard = shards.find((listed) => listed.shardId === shardId)
  if (shard === undefined) throw new ShardNotFoundError(stream, shardId)
  if (shard.endingSequenceNumber !== undefined)
    throw new ShardStateError(stream, shardId, 'it is closed: it was split or merged before')
  return shard
}
