import { InvalidOptionError, type ShardInfo, ShardStateError } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import { hashKeyBefore, hashKeyToDecimal } from './hash-key.ts'
import type { StreamRegistry } from './stream-registry.ts'
import { type Shard, StreamShape, shardIdOf, toShardInfo } from './stream-shape.ts'
import type { StreamState } from './stream-state.ts'

const MAX_OPEN_SHARDS = 1_024

/** Inside a commit: closes the shard and opens two children, the second from `startHex` on. */
export function splitShard(
  scope: CommitScope,
  registry: StreamRegistry,
  stream: StreamState,
  shardId: string,
  startHex: string,
  nowMs: number,
): ShardInfo[] {
  const parent = requireOpen(stream, shardId)
  if (startHex <= parent.startHex || startHex > parent.endHex) {
    const range = `${hashKeyToDecimal(parent.startHex)} to ${hashKeyToDecimal(parent.endHex)}`
    throw new InvalidOptionError(
      'newStartingHashKey',
      `a hash key above the first one of shard ${shardId} and within its range (${range})`,
      hashKeyToDecimal(startHex),
    )
  }
  if (stream.shape.open.length >= MAX_OPEN_SHARDS) {
    throw new ShardStateError(
      stream.info.name,
      shardId,
      `the stream has ${MAX_OPEN_SHARDS} open shards, the limit`,
    )
  }
  const closed = closeShard(stream, parent, nowMs)
  const { nextShardNo } = stream.shape
  const children = [
    childOf([closed], nextShardNo, parent.startHex, hashKeyBefore(startHex)),
    childOf([closed], nextShardNo + 1, startHex, parent.endHex),
  ]
  replace(scope, registry, stream, [closed], children)
  return children.map(toShardInfo)
}

/** Inside a commit: closes two adjacent shards and opens one child over both ranges. */
export function mergeShards(
  scope: CommitScope,
  registry: StreamRegistry,
  stream: StreamState,
  shardId: string,
  adjacentShardId: string,
  nowMs: number,
): ShardInfo {
  const one = requireOpen(stream, shardId)
  const other = requireOpen(stream, adjacentShardId)
  const [lower, upper] = one.startHex < other.startHex ? [one, other] : [other, one]
  const at = stream.shape.open.indexOf(lower)
  if (one === other || stream.shape.open[at + 1] !== upper) {
    throw new ShardStateError(
      stream.info.name,
      shardId,
      `its range does not adjoin that of ${adjacentShardId}; only adjacent shards can be merged`,
    )
  }
  const closed = [one, other].map((shard) => closeShard(stream, shard, nowMs))
  const child = childOf(closed, stream.shape.nextShardNo, lower.startHex, upper.endHex)
  replace(scope, registry, stream, closed, [child])
  return toShardInfo(child)
}

function requireOpen(stream: StreamState, shardId: string): Shard {
  const shard = stream.shape.require(stream.info.name, shardId)
  if (shard.endSequence !== undefined) {
    throw new ShardStateError(stream.info.name, shardId, 'it is closed; choose an open shard')
  }
  return shard
}

function closeShard(stream: StreamState, shard: Shard, nowMs: number): Shard {
  const { next } = stream.shardState(shard)
  // A shard that never got a record ends at its first number, which then stays unused.
  return { ...shard, endSequence: Math.max(next - 1, shard.startSequence), closedAtMs: nowMs }
}

function childOf(parents: readonly Shard[], no: number, startHex: string, endHex: string): Shard {
  return {
    no,
    shardId: shardIdOf(no),
    startHex,
    endHex,
    parentShardIds: parents.map((parent) => parent.shardId),
    depth: 1 + Math.max(...parents.map((parent) => parent.depth)),
    startSequence: 1 + Math.max(...parents.map((parent) => parent.endSequence as number)),
  }
}

function replace(
  scope: CommitScope,
  registry: StreamRegistry,
  stream: StreamState,
  closed: readonly Shard[],
  children: readonly Shard[],
): void {
  const kept = stream.shape.shards.map((shard) => closed.find((parent) => parent.no === shard.no) ?? shard)
  const shape = new StreamShape([...kept, ...children], stream.shape.nextShardNo + children.length)
  stream.changeShape(scope, shape, closed)
  registry.save(scope, stream)
}
