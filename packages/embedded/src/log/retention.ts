import type { Clock, Logger } from '@eddy/core'
import { asBuffer } from '../store/as-buffer.ts'
import { readChunkHeader } from './chunk-codec.ts'
import { chunkKey, sequenceOfChunkKey, shardKey } from './log-store.ts'
import { encodeTrim, type ShardState } from './shard-state.ts'
import type { StreamRegistry } from './stream-registry.ts'
import { type Shard, StreamShape } from './stream-shape.ts'
import type { StreamState } from './stream-state.ts'

/** Chunks of one shard removed in one step; a step reads them, about 16 MiB at most. */
const MAX_CHUNKS_A_STEP = 16

interface OldChunks {
  readonly keys: Buffer[]
  /** The first sequence number after them. */
  readonly end: number
  readonly lastArrivedAtMs: number
  readonly hasMore: boolean
}

/**
 * Removes whole chunks by age, in bounded steps. What is removed under a reader's position is told to it as
 * `expiredRecords`, since sequence numbers are dense.
 */
export class Retention {
  readonly #registry: StreamRegistry
  readonly #clock: Clock
  readonly #logger: Logger
  #removedRecords = 0

  constructor(registry: StreamRegistry, clock: Clock, logger: Logger) {
    this.#registry = registry
    this.#clock = clock
    this.#logger = logger
  }

  get removedRecords(): number {
    return this.#removedRecords
  }

  /** One pass over all shards; true when a shard stopped at its bound. */
  async step(): Promise<boolean> {
    let hasMore = false
    for (const stream of this.#registry.all()) {
      for (const shard of stream.committedShape.shards) {
        if (stream.deleted) break
        if (await this.#trimShard(stream, shard)) hasMore = true
      }
    }
    return hasMore
  }

  async #trimShard(stream: StreamState, shard: Shard): Promise<boolean> {
    const state = stream.shardState(shard)
    const beforeMs = this.#clock.now() - stream.info.retentionMs
    if (state.oldestArrivedAtMs !== undefined && state.oldestArrivedAtMs >= beforeMs) return false
    const old = findOldChunks(stream, state, beforeMs)
    if (old.keys.length > 0) await this.#remove(stream, state, old)
    if (!old.hasMore) await this.#dropIfEmpty(stream, shard, state, beforeMs)
    return old.hasMore
  }

  async #remove(stream: StreamState, state: ShardState, old: OldChunks): Promise<void> {
    const { store, no } = stream
    await store.committer.submit(old.keys.length * 64, (scope) => {
      if (stream.deleted) return
      for (const key of old.keys) scope.remove(store.chunks, key)
      const trim = {
        first: old.end,
        next: Math.max(state.next, old.end),
        lastArrivedAtMs: Math.max(state.lastArrivedAtMs, old.lastArrivedAtMs),
      }
      scope.put(store.trims, shardKey(no, state.shard.no), encodeTrim(trim))
      // Readers must know before LMDB shows the commit: between that and its acknowledgement they would otherwise find
      // the records gone and not be told.
      const before = state.first
      state.first = old.end
      scope.onRolledBack(() => {
        state.first = before
      })
      scope.onCommitted(() => {
        const records = old.end - before
        state.oldestArrivedAtMs = undefined
        this.#removedRecords += records
        const { name } = stream.info
        this.#logger.info({ stream: name, shardId: state.shard.shardId, records }, 'records expired')
      })
    })
  }

  /** A closed shard leaves the list when its records are gone and it has been closed for the retention time. */
  async #dropIfEmpty(stream: StreamState, shard: Shard, state: ShardState, beforeMs: number): Promise<void> {
    const { closedAtMs } = shard
    if (closedAtMs === undefined || closedAtMs >= beforeMs || state.first < state.committedNext) return
    // The list of shards is kept in the main environment, also for streams whose records are not.
    await this.#registry.change(stream, (scope) => {
      if (stream.deleted) return
      const shards = stream.shape.shards.filter((other) => other.no !== shard.no)
      stream.changeShape(scope, new StreamShape(shards, stream.shape.nextShardNo), [])
      scope.onCommitted(() => {
        state.wake()
        stream.forget(shard.no)
      })
      this.#registry.save(scope, stream)
    })
  }
}

function findOldChunks(stream: StreamState, state: ShardState, beforeMs: number): OldChunks {
  const keys: Buffer[] = []
  let end = state.first
  let lastArrivedAtMs = 0
  let hasMore = false
  const range = stream.store.chunks.getRange({
    start: chunkKey(stream.no, state.shard.no, 0),
    end: chunkKey(stream.no, state.shard.no, Number.MAX_SAFE_INTEGER),
    limit: MAX_CHUNKS_A_STEP + 1,
  })
  for (const { key, value } of range) {
    const header = readChunkHeader(key, asBuffer(value), () => `stream "${stream.info.name}"`)
    if (header.lastArrivedAtMs >= beforeMs) {
      if (keys.length === 0) state.oldestArrivedAtMs = header.lastArrivedAtMs
      break
    }
    hasMore = keys.length === MAX_CHUNKS_A_STEP
    if (hasMore) break
    keys.push(Buffer.from(key))
    end = sequenceOfChunkKey(key) + header.records
    lastArrivedAtMs = header.lastArrivedAtMs
  }
  return { keys, end, lastArrivedAtMs, hasMore }
}
