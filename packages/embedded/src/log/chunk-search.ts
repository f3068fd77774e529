import { asBuffer } from '../store/as-buffer.ts'
import { readChunkHeader, segmentsFrom } from './chunk-codec.ts'
import { chunkKey, sequenceOfChunkKey } from './log-store.ts'
import type { ShardState } from './shard-state.ts'
import type { StreamState } from './stream-state.ts'

export interface FoundChunk {
  readonly key: Buffer
  readonly bytes: Buffer
  readonly firstSequence: number
  readonly records: number
  readonly firstArrivedAtMs: number
  readonly lastArrivedAtMs: number
}

/** The chunk that holds the sequence number, or else the one before it; undefined when there is none. */
export function chunkAtOrBefore(
  stream: StreamState,
  state: ShardState,
  sequence: number,
): FoundChunk | undefined {
  const range = stream.store.chunks.getRange({
    start: chunkKey(stream.no, state.shard.no, sequence),
    end: chunkKey(stream.no, state.shard.no, 0),
    reverse: true,
    limit: 1,
  })
  for (const { key, value } of range) return decodeFound(stream, state, key, value)
  return undefined
}

/** Chunks from the one with this first sequence number on. */
export function* chunksFrom(
  stream: StreamState,
  state: ShardState,
  firstSequence: number,
): Generator<FoundChunk, void, undefined> {
  const range = stream.store.chunks.getRange({
    start: chunkKey(stream.no, state.shard.no, firstSequence),
    end: chunkKey(stream.no, state.shard.no, Number.MAX_SAFE_INTEGER),
  })
  for (const { key, value } of range) yield decodeFound(stream, state, key, value)
}

/**
 * The chunk that holds the sequence number and those behind it. The bytes of each are valid until the next one, and while
 * nothing else is read from LMDB: they are in its own buffer, since memory that is new for every chunk costs more than all
 * else that is done with one. The buffer grows to twice the largest chunk (20 MiB: a record of 10 MiB).
 */
export function* passingChunksFrom(
  stream: StreamState,
  state: ShardState,
  sequence: number,
): Generator<FoundChunk, void, undefined> {
  const { chunks } = stream.store
  const at = (of: number): Buffer => chunkKey(stream.no, state.shard.no, of)
  let start = at(sequence)
  for (const key of chunks.getKeys({ start, end: at(0), reverse: true, limit: 1 })) start = asBuffer(key)
  for (const key of chunks.getKeys({ start, end: at(Number.MAX_SAFE_INTEGER) })) {
    const bytes = chunks.getBinaryFast(key)
    if (bytes === undefined) continue
    // LMDB's buffer says that it is as long as the value; methods of Buffer know better.
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const found = decodeFound(stream, state, key, value)
    if (found.firstSequence + found.records > sequence) yield found
  }
}

/** The first kept sequence number that arrived at or after the time; where the shard ends when there is none. */
export function sequenceAtTimestamp(stream: StreamState, state: ShardState, timestampMs: number): number {
  let low = state.first
  let high = state.committedNext
  // Arrival never falls within a shard, so sequence numbers are halved as the times would be.
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const chunk = chunkAtOrBefore(stream, state, middle)
    if (chunk === undefined || chunk.firstSequence + chunk.records <= low) {
      low = middle + 1
    } else if (chunk.lastArrivedAtMs < timestampMs) {
      low = Math.max(middle + 1, chunk.firstSequence + chunk.records)
    } else {
      high = Math.min(middle, chunk.firstSequence)
      if (chunk.firstArrivedAtMs < timestampMs) return firstSegmentAt(chunk, timestampMs)
    }
  }
  return Math.min(low, state.committedNext)
}

/** The chunk straddles the time: its segments say where. */
function firstSegmentAt(chunk: FoundChunk, timestampMs: number): number {
  for (const segment of segmentsFrom(chunk.bytes, chunk.firstSequence, chunk.firstSequence)) {
    if (segment.arrivedAtMs >= timestampMs) return segment.firstSequence
  }
  return chunk.firstSequence + chunk.records
}

function decodeFound(stream: StreamState, state: ShardState, key: Uint8Array, value: Uint8Array): FoundChunk {
  const bytes = asBuffer(value)
  const header = readChunkHeader(key, bytes, () => whereOf(stream, state))
  return { key: asBuffer(key), bytes, firstSequence: sequenceOfChunkKey(key), ...header }
}

export function whereOf(stream: StreamState, state: ShardState): string {
  return `stream "${stream.info.name}", shard ${state.shard.shardId}`
}
