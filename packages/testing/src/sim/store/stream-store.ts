import { createHash } from 'node:crypto'
import {
  type AppendEntry,
  type AppendResult,
  type LimitsChange,
  type ShardInfo,
  ShardNotFoundError,
  ShardStateError,
  type StreamInfo,
  type StreamSpec,
  withLimits,
} from '@eddy/core'
import { FIRST_SEQUENCE, type ShardOptions, ShardStore } from './shard-store.ts'

const HASH_KEY_SPACE = 2n ** 128n

/** One stream of the simulated log: its shards, and what each producer stored. */
export class StreamStore {
  info: StreamInfo
  readonly #shards = new Map<string, ShardStore>()
  /** Open shards by range. */
  #open: ShardStore[] = []
  /** By producer and number, for as long as the stream exists. */
  readonly #produced = new Map<string, { readonly shardId: string; readonly sequenceNumber: string }>()

  constructor(spec: StreamSpec, streamId: string, createdAtMs: number) {
    const { name, shardCount, retentionMs, durability, limits, faults } = spec
    this.info = {
      name,
      shardCount,
      retentionMs,
      durability,
      ...(limits !== undefined && { limits }),
      ...(faults !== undefined && { faults }),
      streamId,
      createdAtMs,
    }
    const count = BigInt(shardCount)
    for (let i = 0n; i < count; i++) {
      this.#openShard({
        startingHashKey: (HASH_KEY_SPACE * i) / count,
        endingHashKey: (HASH_KEY_SPACE * (i + 1n)) / count - 1n,
        parentShardIds: [],
        depth: 0,
        firstSequence: FIRST_SEQUENCE,
      })
    }
  }

  /** Every shard there ever was. */
  get shards(): readonly ShardStore[] {
    return [...this.#shards.values()]
  }

  setRetention(retentionMs: number): StreamInfo {
    this.info = { ...this.info, retentionMs }
    return this.info
  }

  setLimits(change: LimitsChange): StreamInfo {
    this.info = withLimits(this.info, change)
    return this.info
  }

  /** The open shard that an entry goes to; undefined when its explicit hash key is none. */
  place(entry: AppendEntry): string | undefined {
    const { explicitHashKey } = entry
    if (explicitHashKey !== undefined && !/^\d{1,39}$/.test(explicitHashKey)) return undefined
    const hashKey = hashKeyOf(entry)
    return hashKey < HASH_KEY_SPACE ? this.#route(hashKey).options.shardId : undefined
  }

  list(nowMs: number): ShardInfo[] {
    const horizonMs = nowMs - this.info.retentionMs
    return this.shards
      .filter((shard) => {
        shard.trim(horizonMs)
        return shard.closedAtMs === undefined || shard.records.length > 0 || shard.closedAtMs >= horizonMs
      })
      .map((shard) => shard.info())
  }

  shard(shardId: string): ShardStore {
    const shard = this.#shards.get(shardId)
    if (shard === undefined) throw new ShardNotFoundError(this.info.name, shardId)
    return shard
  }

  append(entry: AppendEntry, nowMs: number): AppendResult {
    const { producerId, producerSequence } = entry
    const producer = producerId === undefined ? undefined : `${producerSequence}/${producerId}`
    const before = producer === undefined ? undefined : this.#produced.get(producer)
    if (before !== undefined) return { ok: true, ...before, duplicate: true }
    const shard = this.#route(hashKeyOf(entry))
    const stored = { shardId: shard.options.shardId, sequenceNumber: shard.add(entry, nowMs) }
    if (producer !== undefined) this.#produced.set(producer, stored)
    return { ok: true, ...stored, duplicate: false }
  }

  split(shardId: string, at: bigint, nowMs: number): ShardInfo[] {
    const parent = this.#openOne(shardId)
    const { startingHashKey, endingHashKey, depth } = parent.options
    parent.closedAtMs = nowMs
    const common = {
      parentShardIds: [shardId],
      depth: depth + 1,
      firstSequence: parent.lastSequence() + 1,
    }
    return [
      this.#openShard({ ...common, startingHashKey, endingHashKey: at - 1n }),
      this.#openShard({ ...common, startingHashKey: at, endingHashKey }),
    ].map((child) => child.info())
  }

  merge(shardId: string, adjacentShardId: string, nowMs: number): ShardInfo {
    const [low, high] = [this.#openOne(shardId), this.#openOne(adjacentShardId)].sort((a, b) =>
      a.options.startingHashKey < b.options.startingHashKey ? -1 : 1,
    ) as [ShardStore, ShardStore]
    if (low === high || low.options.endingHashKey + 1n !== high.options.startingHashKey) {
      throw new ShardStateError(this.info.name, shardId, `it is not adjacent to ${adjacentShardId}`)
    }
    low.closedAtMs = nowMs
    high.closedAtMs = nowMs
    return this.#openShard({
      startingHashKey: low.options.startingHashKey,
      endingHashKey: high.options.endingHashKey,
      parentShardIds: [shardId, adjacentShardId],
      depth: Math.max(low.options.depth, high.options.depth) + 1,
      firstSequence: Math.max(low.lastSequence(), high.lastSequence()) + 1,
    }).info()
  }

  #openOne(shardId: string): ShardStore {
    const shard = this.shard(shardId)
    if (shard.closedAtMs !== undefined) {
      throw new ShardStateError(this.info.name, shardId, 'it is closed already')
    }
    return shard
  }

  #openShard(options: Omit<ShardOptions, 'shardId'>): ShardStore {
    const shardId = `shardId-${String(this.#shards.size).padStart(12, '0')}`
    const shard = new ShardStore({ ...options, shardId })
    this.#shards.set(shardId, shard)
    this.#open = [...this.#open.filter((one) => one.closedAtMs === undefined), shard].sort((a, b) =>
      a.options.startingHashKey < b.options.startingHashKey ? -1 : 1,
    )
    return shard
  }

  #route(hashKey: bigint): ShardStore {
    let low = 0
    let high = this.#open.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#open[middle] as ShardStore).options.startingHashKey <= hashKey) low = middle
      else high = middle - 1
    }
    return this.#open[low] as ShardStore
  }
}

export function md5Hex(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('hex')
}

export function md5(bytes: Uint8Array): Uint8Array {
  return createHash('md5').update(bytes).digest()
}

function hashKeyOf(entry: AppendEntry): bigint {
  return entry.explicitHashKey === undefined
    ? BigInt(`0x${md5Hex(entry.partitionKey)}`)
    : BigInt(entry.explicitHashKey)
}
