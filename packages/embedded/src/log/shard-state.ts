import { asBuffer } from '../store/as-buffer.ts'
import type { CommitScope } from '../store/commit-scope.ts'
import { readChunkHeader } from './chunk-codec.ts'
import { chunkKey, type LogStore, sequenceOfChunkKey, shardKey } from './log-store.ts'
import type { Shard } from './stream-shape.ts'

/**
 * What is kept in memory of a shard. `next` and `lastArrivedAtMs` run inside a commit and fall back to the committed
 * values when it fails (G4), so memory never runs ahead of the disk.
 */
export class ShardState {
  readonly streamNo: number
  readonly shard: Shard
  next: number
  lastArrivedAtMs: number
  committedNext: number
  committedLastArrivedAtMs: number
  /** The first sequence number that is still kept. */
  first: number
  /** Arrival of the oldest kept chunk, when known; lets retention pass by without a read. */
  oldestArrivedAtMs: number | undefined
  readonly #waiting = new Set<() => void>()

  constructor(
    streamNo: number,
    shard: Shard,
    stored: { first: number; next: number; lastArrivedAtMs: number },
  ) {
    this.streamNo = streamNo
    this.shard = shard
    this.next = stored.next
    this.committedNext = stored.next
    this.lastArrivedAtMs = stored.lastArrivedAtMs
    this.committedLastArrivedAtMs = stored.lastArrivedAtMs
    this.first = stored.first
  }

  /** Makes the commit carry this shard's counters, or undo them. Once a commit. */
  join(scope: CommitScope): void {
    scope.onCommitted(() => {
      this.committedNext = this.next
      this.committedLastArrivedAtMs = this.lastArrivedAtMs
      this.wake()
    })
    scope.onRolledBack(() => {
      this.next = this.committedNext
      this.lastArrivedAtMs = this.committedLastArrivedAtMs
    })
  }

  /** Calls `wake` at the next change; returns how to stop waiting. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

/** Reads where the shard ends: its last chunk and what retention removed. Two seeks, no scan. */
export function loadShardState(store: LogStore, streamNo: number, shard: Shard): ShardState {
  const trim = readTrim(store, streamNo, shard)
  const last = lastChunk(store, streamNo, shard.no)
  // A closed shard gets no more records.
  const floor = shard.endSequence === undefined ? store.sequenceFloor : 0
  if (last === undefined)
    return new ShardState(streamNo, shard, { ...trim, next: Math.max(trim.next, floor) })
  const header = readChunkHeader(last.key, last.value, () => `shard ${shard.shardId}`)
  return new ShardState(streamNo, shard, {
    first: trim.first,
    next: Math.max(trim.next, floor, sequenceOfChunkKey(last.key) + header.records),
    lastArrivedAtMs: Math.max(trim.lastArrivedAtMs, header.lastArrivedAtMs),
  })
}

function lastChunk(
  store: LogStore,
  streamNo: number,
  shardNo: number,
): { key: Buffer; value: Buffer } | undefined {
  const range = store.chunks.getRange({
    start: chunkKey(streamNo, shardNo, Number.MAX_SAFE_INTEGER),
    end: chunkKey(streamNo, shardNo, 0),
    reverse: true,
    limit: 1,
  })
  for (const { key, value } of range) return { key: Buffer.from(key), value: asBuffer(value) }
  return undefined
}

interface Trim {
  readonly first: number
  readonly next: number
  readonly lastArrivedAtMs: number
}

const TRIM_BYTES = 24

export function encodeTrim(trim: Trim): Buffer {
  const bytes = Buffer.allocUnsafe(TRIM_BYTES)
  bytes.writeDoubleLE(trim.first, 0)
  bytes.writeDoubleLE(trim.next, 8)
  bytes.writeDoubleLE(trim.lastArrivedAtMs, 16)
  return bytes
}

function readTrim(store: LogStore, streamNo: number, shard: Shard): Trim {
  const bytes = store.trims.getBinary(shardKey(streamNo, shard.no))
  if (bytes === undefined)
    return { first: shard.startSequence, next: shard.startSequence, lastArrivedAtMs: 0 }
  return {
    first: bytes.readDoubleLE(0),
    next: bytes.readDoubleLE(8),
    lastArrivedAtMs: bytes.readDoubleLE(16),
  }
}
