import { type AppendEntry, type AppendResult, type Clock, StreamNotFoundError } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import { encodeChunk, type Segment } from './chunk-codec.ts'
import { chunkKey, type LogStore } from './log-store.ts'
import { MAX_SEGMENT_BYTES, type PreparedAppend, prepareAppend } from './prepare-append.ts'
import type { StoredAt } from './producer-run-codec.ts'
import type { ProducerRuns } from './producer-runs.ts'
import type { ShardState } from './shard-state.ts'
import { shardIdOf } from './stream-shape.ts'
import type { StreamState } from './stream-state.ts'

const BYTES_A_CALL = 256

/** Appends to streams of one store. What calls of one commit put into one shard becomes one chunk (or few). */
export class AppendRecords {
  readonly #store: LogStore
  readonly #producers: ProducerRuns
  readonly #clock: Clock
  #records = 0
  #bytes = 0

  constructor(store: LogStore, producers: ProducerRuns, clock: Clock) {
    this.#store = store
    this.#producers = producers
    this.#clock = clock
  }

  get appendedRecords(): number {
    return this.#records
  }

  get appendedBytes(): number {
    return this.#bytes
  }

  async append(stream: StreamState, entries: readonly AppendEntry[]): Promise<AppendResult[]> {
    // Encoding here, while the commit before is still running, keeps the time inside the commit short.
    const prepared = prepareAppend(entries, stream.shape)
    if (prepared.groups.length === 0) return prepared.refused as AppendResult[]
    return this.#store.committer.submit(prepared.bytes + BYTES_A_CALL, (scope) =>
      this.#place(scope, stream, entries, prepared),
    )
  }

  #place(
    scope: CommitScope,
    stream: StreamState,
    entries: readonly AppendEntry[],
    early: PreparedAppend,
  ): AppendResult[] {
    if (stream.deleted) throw new StreamNotFoundError(stream.info.name)
    const copies = early.hasProducers ? this.#findCopies(scope, stream, entries, early) : undefined
    // The shards may have changed since, and copies are not stored again.
    const prepared =
      early.shape === stream.shape && copies === undefined
        ? early
        : prepareAppend(entries, stream.shape, copies && new Set(copies.keys()))
    const results = prepared.refused.slice() as AppendResult[]
    for (const group of prepared.groups) {
      const state = stream.shardState(group.shard)
      const first = this.#collect(scope, state, group.segments)
      const { shardId } = group.shard
      for (let i = 0; i < group.indexes.length; i++) {
        const sequenceNumber = String(first + i)
        results[group.indexes[i] as number] = { ok: true, shardId, sequenceNumber, duplicate: false }
      }
      this.#count(scope, group.indexes.length, group.segments)
      if (prepared.hasProducers)
        this.#addProducers(scope, stream, entries, group.indexes, group.shard.no, first)
    }
    if (copies !== undefined) answerCopies(results, copies)
    return results
  }

  /** Index of each copy -> where it is stored, or the index of its first occurrence in this call. */
  #findCopies(
    scope: CommitScope,
    stream: StreamState,
    entries: readonly AppendEntry[],
    prepared: PreparedAppend,
  ): Map<number, StoredAt | number> | undefined {
    let copies: Map<number, StoredAt | number> | undefined
    const inCall = new Map<string, Map<number, number>>()
    for (let i = 0; i < entries.length; i++) {
      const { producerId, producerSequence } = entries[i] as AppendEntry
      if (producerId === undefined || producerSequence === undefined || prepared.refused[i] !== undefined)
        continue
      let seen = inCall.get(producerId)
      if (seen === undefined) {
        seen = new Map()
        inCall.set(producerId, seen)
      }
      const copy =
        seen.get(producerSequence) ?? this.#producers.find(scope, stream.no, producerId, producerSequence)
      if (copy === undefined) seen.set(producerSequence, i)
      else {
        copies ??= new Map()
        copies.set(i, copy)
      }
    }
    return copies
  }

  #addProducers(
    scope: CommitScope,
    stream: StreamState,
    entries: readonly AppendEntry[],
    indexes: readonly number[],
    shardNo: number,
    first: number,
  ): void {
    for (let i = 0; i < indexes.length; i++) {
      const { producerId, producerSequence } = entries[indexes[i] as number] as AppendEntry
      if (producerId === undefined || producerSequence === undefined) continue
      this.#producers.add(scope, stream.no, producerId, producerSequence, { shardNo, sequence: first + i })
    }
  }

  /** Gives the segments their sequence numbers; the commit's last step writes them. Returns the first number. */
  #collect(scope: CommitScope, state: ShardState, segments: readonly Segment[]): number {
    const collected = scope.shared(this, () => {
      const made = new Map<ShardState, { first: number; segments: Segment[] }>()
      scope.atEnd(() => this.#writeChunks(scope, made))
      return made
    })
    const first = state.next
    let ofShard = collected.get(state)
    if (ofShard === undefined) {
      ofShard = { first, segments: [] }
      collected.set(state, ofShard)
      state.join(scope)
    }
    for (const segment of segments) {
      ofShard.segments.push(segment)
      state.next += segment.count
    }
    return first
  }

  #writeChunks(
    scope: CommitScope,
    collected: ReadonlyMap<ShardState, { first: number; segments: readonly Segment[] }>,
  ): void {
    const nowMs = this.#clock.now()
    for (const [state, { first, segments }] of collected) {
      // Arrival never falls within a shard, also when the clock jumps back.
      state.lastArrivedAtMs = Math.max(nowMs, state.lastArrivedAtMs)
      let sequence = first
      for (const chunk of cutChunks(segments)) {
        const key = chunkKey(state.streamNo, state.shard.no, sequence)
        scope.put(this.#store.chunks, key, encodeChunk(key, chunk, state.lastArrivedAtMs))
        for (const segment of chunk) sequence += segment.count
      }
    }
  }

  #count(scope: CommitScope, records: number, segments: readonly Segment[]): void {
    scope.onCommitted(() => {
      this.#records += records
      for (const segment of segments) this.#bytes += segment.bytes.length
    })
  }
}

function cutChunks(segments: readonly Segment[]): Segment[][] {
  const chunks: Segment[][] = []
  let current: Segment[] = []
  let bytes = 0
  for (const segment of segments) {
    if (current.length > 0 && bytes + segment.bytes.length > MAX_SEGMENT_BYTES) {
      chunks.push(current)
      current = []
      bytes = 0
    }
    current.push(segment)
    bytes += segment.bytes.length
  }
  chunks.push(current)
  return chunks
}

function answerCopies(results: AppendResult[], copies: ReadonlyMap<number, StoredAt | number>): void {
  for (const [index, copy] of copies) {
    if (typeof copy !== 'number') {
      const { shardNo, sequence } = copy
      results[index] = {
        ok: true,
        shardId: shardIdOf(shardNo),
        sequenceNumber: String(sequence),
        duplicate: true,
      }
      continue
    }
    const first = results[copy] as AppendResult
    results[index] = first.ok ? { ...first, duplicate: true } : first
  }
}
