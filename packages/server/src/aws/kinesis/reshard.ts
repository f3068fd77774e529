import { compareSequence, rangesAdjoin, type ShardInfo } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { checkShardLimit } from './create-stream.ts'
import { type FoundStream, findStream, isOpen, requireActive, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument, shardNotFound, validation } from './kinesis-errors.ts'
import { fullShardId } from './shard-ids.ts'

export interface SplitShardInput extends StreamRef {
  readonly ShardToSplit: string
  readonly NewStartingHashKey: string
}

export interface MergeShardsInput extends StreamRef {
  readonly ShardToMerge: string
  readonly AdjacentShardToMerge: string
}

export async function splitShard(context: KinesisContext, input: SplitShardInput): Promise<AwsStructure> {
  const stream = await provisioned(context, input)
  const shard = await openShard(context, stream, input.ShardToSplit)
  const { shardId, startingHashKey, endingHashKey } = shard
  const { NewStartingHashKey: start } = input
  if (
    compareSequence(start, (BigInt(startingHashKey) + 1n).toString()) <= 0 ||
    compareSequence(start, endingHashKey) >= 0
  )
    throw invalidArgument(
      `NewStartingHashKey ${start} used in SplitShard() on shard ${shardId} in stream ${stream.name} under account ` +
        `${context.accountId} is not both greater than one plus the shard's StartingHashKey ${startingHashKey} and ` +
        `less than the shard's EndingHashKey ${endingHashKey}.`,
    )
  await checkShardLimit(context, 1, (await context.engine.log.listShards(stream.name)).filter(isOpen).length)
  const split = { kind: 'split', shardId, newStartingHashKey: start } as const
  await context.changes.begin(stream.name, stream.notes, split)
  return {}
}

export async function mergeShards(context: KinesisContext, input: MergeShardsInput): Promise<AwsStructure> {
  const stream = await provisioned(context, input)
  const one = await openShard(context, stream, input.ShardToMerge)
  const other = await openShard(context, stream, input.AdjacentShardToMerge)
  if (!rangesAdjoin(one, other) && !rangesAdjoin(other, one))
    throw invalidArgument(
      `Shards ${one.shardId} and ${other.shardId} in stream ${stream.name} under account ${context.accountId} are not ` +
        'an adjacent pair of shards eligible for merging',
    )
  const merge = { kind: 'merge', shardId: one.shardId, adjacentShardId: other.shardId } as const
  await context.changes.begin(stream.name, stream.notes, merge)
  return {}
}

/** @throws AwsError unless the stream is ACTIVE and its shards are its owner's to change */
export async function provisioned(context: KinesisContext, ref: StreamRef): Promise<FoundStream> {
  const stream = await findStream(context, ref)
  requireActive(context, stream)
  // Unverified text.
  if (stream.notes.mode === 'ON_DEMAND')
    throw validation(
      `Stream ${stream.name} under account ${context.accountId} is in ON_DEMAND mode. This operation is only supported ` +
        'for streams in PROVISIONED mode.',
    )
  return stream
}

async function openShard(context: KinesisContext, { name }: FoundStream, asked: string): Promise<ShardInfo> {
  const { engine, accountId } = context
  const shardId = fullShardId(asked)
  const shards = await engine.log.listShards(name)
  const shard = shards.find((one) => one.shardId === shardId)
  if (shard === undefined) throw shardNotFound({ shardId: shardId ?? asked, name, accountId })
  if (!isOpen(shard))
    throw invalidArgument(
      `Shard ${shard.shardId} in stream ${name} under account ${accountId} has already been merged or split, and thus ` +
        'is not eligible for merging or splitting.',
    )
  return shard
}
