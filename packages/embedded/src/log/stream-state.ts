import type { StreamInfo } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { LogStore } from './log-store.ts'
import { loadShardState, type ShardState } from './shard-state.ts'
import type { Shard, StreamShape } from './stream-shape.ts'

/** What is kept in memory of a stream. Changes are made inside commits and undone when one fails (G4). */
export class StreamState {
  readonly no: number
  readonly store: LogStore
  info: StreamInfo
  /** As the commit that is being made sees it; new appends are placed by it. */
  shape: StreamShape
  /** As it is on disk; what callers see. */
  committedShape: StreamShape
  deleted = false
  readonly #shards = new Map<number, ShardState>()

  constructor(no: number, store: LogStore, info: StreamInfo, shape: StreamShape) {
    this.no = no
    this.store = store
    this.info = info
    this.shape = shape
    this.committedShape = shape
  }

  shardState(shard: Shard): ShardState {
    const known = this.#shards.get(shard.no)
    if (known !== undefined) return known
    const loaded = loadShardState(this.store, this.no, shard)
    this.#shards.set(shard.no, loaded)
    return loaded
  }

  /** Shards that were touched since the engine was opened. */
  loadedShards(): Iterable<ShardState> {
    return this.#shards.values()
  }

  forget(shardNo: number): void {
    this.#shards.delete(shardNo)
  }

  changeShape(scope: CommitScope, shape: StreamShape, affected: readonly Shard[]): void {
    const before = this.shape
    this.shape = shape
    scope.onCommitted(() => {
      this.committedShape = shape
      for (const shard of affected) this.shardState(shard).wake()
    })
    scope.onRolledBack(() => {
      this.shape = before
    })
  }

  wakeReaders(): void {
    for (const state of this.#shards.values()) state.wake()
  }
}
