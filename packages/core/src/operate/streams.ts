import { InvalidOptionError } from '../errors/request-errors.ts'
import { ShardNotFoundError, ShardStateError, StreamInUseError } from '../errors/stream-errors.ts'
import { isHashKey, midpointHashKey, rangesAdjoin, shardRangeContains } from '../model/hash-key.ts'
import { checkInteger, checkName, checkOneOf } from '../model/option-checks.ts'
import { ON_DEMAND_SHARDS, resolveFaults, resolveLimits } from '../model/resolve-limits.ts'
import type { ShardInfo } from '../ports/log.ts'
import type { OperationsDeps } from './operations-deps.ts'
import type { NewStream, StreamChange, StreamDetail } from './stream-shapes.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

type StreamDeps = Pick<OperationsDeps, 'engine' | 'subscriptions' | 'onStreamsChanged'>

export async function showStream(deps: StreamDeps, name: string): Promise<StreamDetail> {
  const { log } = deps.engine
  const [info, shards] = await Promise.all([log.describeStream(name), log.listShards(name)])
  return {
    ...info,
    shards: shards.map((shard) => ({ ...shard, open: isOpen(shard) })),
    subscriptions: readersOf(deps, name),
  }
}

/** @throws InvalidOptionError, StreamExistsError */
export async function createStream(deps: StreamDeps, stream: NewStream): Promise<StreamDetail> {
  const shardCount =
    stream.shardCount ?? (stream.limits === 'kinesis-on-demand' ? ON_DEMAND_SHARDS : undefined)
  const limits = stream.limits === undefined ? undefined : resolveLimits('limits', stream.limits)
  await deps.engine.log.createStream({
    name: checkName('name', stream.name),
    shardCount: checkInteger('shardCount', shardCount, 1, 1_024),
    retentionMs: checkInteger('retentionMs', stream.retentionMs ?? 7 * DAY_MS, HOUR_MS, 365 * DAY_MS),
    durability: checkOneOf('durability', stream.durability ?? 'fsync', ['fsync', 'os'] as const),
    ...(limits !== undefined && limits !== 'none' && { limits: requireLimits(deps, limits) }),
    ...(stream.faults !== undefined && {
      faults: requireLimits(deps, resolveFaults('faults', stream.faults, limits)),
    }),
  })
  await deps.onStreamsChanged?.()
  return await showStream(deps, stream.name)
}

/** @throws StreamNotFoundError, InvalidOptionError */
export async function changeStream(
  deps: StreamDeps,
  name: string,
  change: StreamChange,
): Promise<StreamDetail> {
  const { log } = deps.engine
  const limits = change.limits === undefined ? undefined : resolveLimits('limits', change.limits)
  requireLimits(deps, change)
  await log.setLimits?.(name, {
    ...(limits !== undefined && { limits }),
    ...(change.faults !== undefined && { faults: change.faults }),
  })
  return await showStream(deps, name)
}

function requireLimits<T>({ engine }: StreamDeps, value: T): T {
  if (engine.log.setLimits !== undefined) return value
  throw new InvalidOptionError(
    'limits',
    'an engine that enforces limits; here the service has its own',
    value,
  )
}

/** @throws StreamInUseError, StreamNotFoundError */
export async function deleteStream(deps: StreamDeps, name: string): Promise<void> {
  const readers = readersOf(deps, name)
  if (readers.length > 0) throw new StreamInUseError(name, readers)
  await deps.engine.log.deleteStream(name)
  await deps.onStreamsChanged?.()
}

/** @throws StreamNotFoundError, ShardNotFoundError, ShardStateError, InvalidOptionError */
export async function splitShard(
  deps: StreamDeps,
  stream: string,
  shardId: string,
  newStartingHashKey: string | undefined,
): Promise<StreamDetail> {
  const shard = requireOpen(await deps.engine.log.listShards(stream), stream, shardId)
  const start = newStartingHashKey ?? midpointHashKey(shard)
  if (start === undefined) {
    throw new ShardStateError(stream, shardId, 'its range holds a single hash key and cannot be split')
  }
  if (!isHashKey(start) || !shardRangeContains(shard, start) || start === shard.startingHashKey) {
    throw new InvalidOptionError(
      'newStartingHashKey',
      `a decimal integer over ${shard.startingHashKey} and up to ${shard.endingHashKey}`,
      start,
    )
  }
  await deps.engine.log.split(stream, shardId, start)
  await deps.onStreamsChanged?.()
  return await showStream(deps, stream)
}

/** @throws StreamNotFoundError, ShardNotFoundError, ShardStateError */
export async function mergeShards(
  deps: StreamDeps,
  stream: string,
  shardId: string,
  adjacentShardId: string | undefined,
): Promise<StreamDetail> {
  const shards = await deps.engine.log.listShards(stream)
  const shard = requireOpen(shards, stream, shardId)
  const other =
    adjacentShardId === undefined ? neighbourOf(shards, shard) : requireOpen(shards, stream, adjacentShardId)
  if (other === undefined) {
    throw new ShardStateError(
      stream,
      shardId,
      'no open shard lies next to it, so there is nothing to merge it with',
    )
  }
  if (!rangesAdjoin(shard, other) && !rangesAdjoin(other, shard)) {
    throw new ShardStateError(
      stream,
      shardId,
      `its hash key range does not adjoin that of "${other.shardId}"`,
    )
  }
  await deps.engine.log.merge(stream, shardId, other.shardId)
  await deps.onStreamsChanged?.()
  return await showStream(deps, stream)
}

/** The open shard after this one in the hash key space, else the one before. */
function neighbourOf(shards: readonly ShardInfo[], shard: ShardInfo): ShardInfo | undefined {
  const open = shards.filter(isOpen)
  return (
    open.find((candidate) => rangesAdjoin(shard, candidate)) ??
    open.find((candidate) => rangesAdjoin(candidate, shard))
  )
}

function requireOpen(shards: readonly ShardInfo[], stream: string, shardId: string): ShardInfo {
  const shard = shards.find((candidate) => candidate.shardId === shardId)
  if (shard === undefined) throw new ShardNotFoundError(stream, shardId)
  if (!isOpen(shard)) {
    throw new ShardStateError(stream, shardId, 'it is closed: it was split or merged before')
  }
  return shard
}

function isOpen(shard: ShardInfo): boolean {
  return shard.endingSequenceNumber === undefined
}

function readersOf(deps: Pick<OperationsDeps, 'subscriptions'>, stream: string): readonly string[] {
  return [...deps.subscriptions.values()]
    .filter((control) => control.definition.stream === stream)
    .map((control) => control.definition.name)
    .sort()
}
