import { StreamExistsError, type StreamInfo, StreamNotFoundError } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import type { CommitOperation, GroupCommitter } from '../store/group-commit.ts'
import { readUint32, uint32Key } from '../store/key-bytes.ts'
import type { LogStore } from './log-store.ts'
import { type Shard, StreamShape } from './stream-shape.ts'
import { StreamState } from './stream-state.ts'

interface StoredStream {
  readonly info: StreamInfo
  readonly nextShardNo: number
  readonly shards: readonly Shard[]
}

/** Key of the entry that keeps the next stream number; no stream has number 0. */
const NEXT_NO_KEY = uint32Key(0)
const CHANGE_BYTES = 4_096

/** The streams and their shards: all in memory, each change in a commit. */
export class StreamRegistry {
  readonly #map: ByteMap
  readonly #committer: GroupCommitter
  readonly #storeOf: (durability: StreamInfo['durability']) => LogStore
  readonly #byName = new Map<string, StreamState>()
  #nextNo = 1

  /** @param committer - of the environment that holds `map` */
  constructor(
    map: ByteMap,
    committer: GroupCommitter,
    storeOf: (durability: StreamInfo['durability']) => LogStore,
  ) {
    this.#map = map
    this.#committer = committer
    this.#storeOf = storeOf
  }

  load(): void {
    for (const { key, value } of this.#map.getRange({})) {
      const no = readUint32(key, 0)
      if (no === 0) {
        this.#nextNo = readUint32(value, 0)
        continue
      }
      const stored = JSON.parse(Buffer.from(value).toString('utf8')) as StoredStream
      const shape = new StreamShape(stored.shards, stored.nextShardNo)
      const store = this.#storeOf(stored.info.durability)
      this.#byName.set(stored.info.name, new StreamState(no, store, stored.info, shape))
    }
  }

  all(): StreamState[] {
    return [...this.#byName.values()].sort((a, b) => (a.info.name < b.info.name ? -1 : 1))
  }

  find(name: string): StreamState | undefined {
    return this.#byName.get(name)
  }

  /** @throws StreamNotFoundError */
  require(name: string): StreamState {
    const stream = this.#byName.get(name)
    if (stream === undefined) throw new StreamNotFoundError(name)
    return stream
  }

  /** Commits a change of the stream's own entry. */
  async change<T>(stream: StreamState, operation: CommitOperation<T>): Promise<T> {
    const submit = (): Promise<T> => this.#committer.submit(CHANGE_BYTES, operation)
    // Appends to a stream with a store of its own run in other commits; they stand still until the change is made.
    return stream.store.committer === this.#committer ? submit() : stream.store.committer.pauseWhile(submit)
  }

  /** Inside a commit. @throws StreamExistsError */
  create(scope: CommitScope, info: StreamInfo, shape: StreamShape): StreamState {
    if (this.#byName.has(info.name)) throw new StreamExistsError(info.name)
    const no = this.#nextNo
    const stream = new StreamState(no, this.#storeOf(info.durability), info, shape)
    this.#nextNo++
    // The name is taken from here on, but nobody may use the stream before it is on disk.
    this.#byName.set(info.name, stream)
    scope.onRolledBack(() => {
      this.#byName.delete(info.name)
      this.#nextNo = no
    })
    this.save(scope, stream)
    scope.put(this.#map, NEXT_NO_KEY, uint32Key(no + 1))
    return stream
  }

  /** Inside a commit: stores the stream as it now stands. */
  save(scope: CommitScope, stream: StreamState): void {
    const { shards, nextShardNo } = stream.shape
    const stored: StoredStream = { info: stream.info, nextShardNo, shards }
    scope.put(this.#map, uint32Key(stream.no), Buffer.from(JSON.stringify(stored)))
  }

  /** Inside a commit. */
  remove(scope: CommitScope, stream: StreamState): void {
    stream.deleted = true
    this.#byName.delete(stream.info.name)
    scope.onRolledBack(() => {
      stream.deleted = false
      this.#byName.set(stream.info.name, stream)
    })
    scope.onCommitted(() => stream.wakeReaders())
    scope.remove(this.#map, uint32Key(stream.no))
  }
}
