import type { ShardInfo } from '@eddy/core'
import { type FoundStream, isOpen } from './find-stream.ts'
import { invalidArgument } from './kinesis-errors.ts'
import { fullShardId } from './shard-ids.ts'

export interface ShardFilter {
  readonly Type:
    | 'AFTER_SHARD_ID'
    | 'AT_TRIM_HORIZON'
    | 'FROM_TRIM_HORIZON'
    | 'AT_LATEST'
    | 'AT_TIMESTAMP'
    | 'FROM_TIMESTAMP'
  readonly ShardId?: string
  readonly Timestamp?: Date
}

/** A shard with the times between which it took records. */
interface Lifetime {
  readonly shard: ShardInfo
  readonly openedAtMs: number
  /** Infinite while it is open. */
  readonly closedAtMs: number
}

/** The shards that a `ShardFilter` means. @throws AwsError InvalidArgumentException */
export function filterShards(
  shards: readonly ShardInfo[],
  filter: ShardFilter | undefined,
  stream: FoundStream,
  nowMs: number,
): readonly ShardInfo[] {
  if (filter === undefined) return shards
  checkMembers(filter)
  const horizonMs = Math.max(stream.info.createdAtMs, nowMs - stream.info.retentionMs)
  switch (filter.Type) {
    case 'FROM_TRIM_HORIZON':
      return shards
    case 'AT_LATEST':
      return shards.filter(isOpen)
    case 'AFTER_SHARD_ID': {
      const after = fullShardId(filter.ShardId as string) ?? (filter.ShardId as string)
      return shards.filter(({ shardId }) => shardId > after)
    }
    case 'AT_TRIM_HORIZON':
      return openAt(shards, stream, horizonMs)
    case 'AT_TIMESTAMP':
      return openAt(shards, stream, Math.max(horizonMs, checkedTime(filter, nowMs)))
    case 'FROM_TIMESTAMP': {
      const fromMs = Math.max(horizonMs, checkedTime(filter, nowMs))
      return lifetimes(shards, stream)
        .filter(({ closedAtMs }) => closedAtMs >= fromMs)
        .map(({ shard }) => shard)
    }
  }
}

/** Those that took records at this time; one that was closed in it counts, and so do its children. */
function openAt(shards: readonly ShardInfo[], stream: FoundStream, atMs: number): readonly ShardInfo[] {
  return lifetimes(shards, stream)
    .filter(({ openedAtMs, closedAtMs }) => openedAtMs <= atMs && closedAtMs >= atMs)
    .map(({ shard }) => shard)
}

/** A child opens when its parents close; whose parents are forgotten, opened before anything that is kept. */
function lifetimes(shards: readonly ShardInfo[], stream: FoundStream): readonly Lifetime[] {
  const closedAt = new Map(shards.map(({ shardId, closedAtMs }) => [shardId, closedAtMs]))
  return shards.map((shard) => ({
    shard,
    openedAtMs: Math.max(
      stream.info.createdAtMs,
      ...shard.parentShardIds.map((parent) => closedAt.get(parent) ?? 0),
    ),
    closedAtMs: isOpen(shard) ? Number.POSITIVE_INFINITY : (shard.closedAtMs ?? 0),
  }))
}

// Unverified texts.
function checkMembers({ Type, ShardId, Timestamp }: ShardFilter): void {
  const needsTime = Type === 'AT_TIMESTAMP' || Type === 'FROM_TIMESTAMP'
  if (needsTime !== (Timestamp !== undefined))
    throw invalidArgument(
      `Timestamp ${needsTime ? 'must' : 'must not'} be specified for shard filter type ${Type}.`,
    )
  const needsShard = Type === 'AFTER_SHARD_ID'
  if (needsShard !== (ShardId !== undefined))
    throw invalidArgument(
      `ShardId ${needsShard ? 'must' : 'must not'} be specified for shard filter type ${Type}.`,
    )
}

function checkedTime({ Timestamp }: ShardFilter, nowMs: number): number {
  const atMs = (Timestamp as Date).getTime()
  if (atMs > nowMs) throw invalidArgument('The timestamp of a shard filter cannot be in the future.')
  return atMs
}
