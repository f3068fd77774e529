import type { StreamInfo } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import type { GroupCommitter } from '../store/group-commit.ts'
import { afterPrefix, readUint32, uint32Key } from '../store/key-bytes.ts'
import type { LogStore } from './log-store.ts'

const MAX_CHUNKS_A_STEP = 256

/** The records of deleted streams, removed in bounded steps after the stream itself is gone. */
export class RemovedStreams {
  readonly #map: ByteMap
  readonly #committer: GroupCommitter
  readonly #storeOf: (durability: StreamInfo['durability']) => LogStore

  constructor(
    map: ByteMap,
    committer: GroupCommitter,
    storeOf: (durability: StreamInfo['durability']) => LogStore,
  ) {
    this.#map = map
    this.#committer = committer
    this.#storeOf = storeOf
  }

  /** Inside the commit that removes the stream. */
  add(scope: CommitScope, streamNo: number, durability: StreamInfo['durability']): void {
    scope.put(this.#map, uint32Key(streamNo), Buffer.from(durability))
  }

  /** True when more is left to remove. */
  async step(): Promise<boolean> {
    for (const { key, value } of this.#map.getRange({ limit: 1 })) {
      const no = readUint32(key, 0)
      const durability = Buffer.from(value).toString() === 'os' ? 'os' : 'fsync'
      if (!(await this.#removeRecords(this.#storeOf(durability), no))) {
        await this.#committer.submit(64, (scope) => scope.remove(this.#map, uint32Key(no)))
      }
      return true
    }
    return false
  }

  async #removeRecords(store: LogStore, streamNo: number): Promise<boolean> {
    const prefix = uint32Key(streamNo)
    return store.committer.submit(4_096, (scope) => {
      let removed = 0
      for (const map of [store.chunks, store.trims]) {
        const range = { start: prefix, end: afterPrefix(prefix), limit: MAX_CHUNKS_A_STEP }
        const keys = [...map.getKeys(range)].map((key) => Buffer.from(key))
        for (const key of keys) scope.remove(map, key)
        removed += keys.length
      }
      return removed > 0
    })
  }
}
