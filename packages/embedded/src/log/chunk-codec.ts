import { CorruptDataError } from '@eddy/core'
import { crc32 } from './crc32.ts'

/*
 * A chunk is one stored value of a shard: the segments of a commit. A segment is what one append call put into the
 * shard. Sequence numbers are not stored: the key holds the first one, and they are dense.
 *
 *   u8 version | 3 bytes 0 | u32 segments | u32 records | f64 arrival of the last segment | u32 CRC of key and heads
 *   heads: per segment u32 bytes | u32 records | f64 arrived | u32 CRC of the segment's bytes
 *   the segments' bytes (record-frames.ts)
 *
 * LMDB has no checksums of its own, so each part is checked when it is read.
 */
const VERSION = 1
const HEADER_BYTES = 24
const HEAD_BYTES = 20
const CRC_OFFSET = 20
const REUSED_BYTES = 2 * 1024 * 1024

export interface Segment {
  readonly bytes: Buffer
  readonly count: number
  /** CRC-32 of `bytes`. */
  readonly crc: number
}

export interface ChunkHeader {
  readonly segments: number
  readonly records: number
  readonly firstArrivedAtMs: number
  readonly lastArrivedAtMs: number
}

export interface SegmentView {
  readonly firstSequence: number
  readonly count: number
  readonly arrivedAtMs: number
  /** Offsets into the chunk. */
  readonly start: number
  readonly end: number
  readonly crc: number
}

/**
 * The bytes are valid until the next call: LMDB copies them when they are put, and a buffer of its own for every chunk
 * would keep the garbage collector busy.
 */
export function encodeChunk(key: Uint8Array, segments: readonly Segment[], arrivedAtMs: number): Buffer {
  let bodyBytes = 0
  let records = 0
  for (const segment of segments) {
    bodyBytes += segment.bytes.length
    records += segment.count
  }
  const headsEnd = HEADER_BYTES + segments.length * HEAD_BYTES
  const chunk = chunkBuffer(headsEnd + bodyBytes)
  chunk.writeUInt32LE(VERSION, 0)
  chunk.writeUInt32LE(segments.length, 4)
  chunk.writeUInt32LE(records, 8)
  chunk.writeDoubleLE(arrivedAtMs, 12)
  let head = HEADER_BYTES
  let body = headsEnd
  for (const segment of segments) {
    chunk.writeUInt32LE(segment.bytes.length, head)
    chunk.writeUInt32LE(segment.count, head + 4)
    chunk.writeDoubleLE(arrivedAtMs, head + 8)
    chunk.writeUInt32LE(segment.crc, head + 16)
    head += HEAD_BYTES
    chunk.set(segment.bytes, body)
    body += segment.bytes.length
  }
  chunk.writeUInt32LE(headsCrc(key, chunk, headsEnd), CRC_OFFSET)
  return chunk
}

/** Reads and checks header and heads. @throws CorruptDataError */
export function readChunkHeader(key: Uint8Array, chunk: Buffer, where: () => string): ChunkHeader {
  if (chunk.length < HEADER_BYTES || chunk.readUInt32LE(0) !== VERSION) {
    throw new CorruptDataError(where(), 'the chunk has no valid header')
  }
  const segments = chunk.readUInt32LE(4)
  const headsEnd = HEADER_BYTES + segments * HEAD_BYTES
  if (
    segments === 0 ||
    headsEnd > chunk.length ||
    headsCrc(key, chunk, headsEnd) !== chunk.readUInt32LE(CRC_OFFSET)
  ) {
    throw new CorruptDataError(where(), 'the checksum of the chunk header does not match')
  }
  return {
    segments,
    records: chunk.readUInt32LE(8),
    firstArrivedAtMs: chunk.readDoubleLE(HEADER_BYTES + 8),
    lastArrivedAtMs: chunk.readDoubleLE(12),
  }
}

/** The segments from the one that holds `fromSequence` on. The header must have been checked. */
export function* segmentsFrom(
  chunk: Buffer,
  firstSequence: number,
  fromSequence: number,
): Generator<SegmentView, void, undefined> {
  const segments = chunk.readUInt32LE(4)
  let start = HEADER_BYTES + segments * HEAD_BYTES
  let sequence = firstSequence
  for (let i = 0; i < segments; i++) {
    const head = HEADER_BYTES + i * HEAD_BYTES
    const end = start + chunk.readUInt32LE(head)
    const count = chunk.readUInt32LE(head + 4)
    if (sequence + count > fromSequence) {
      const arrivedAtMs = chunk.readDoubleLE(head + 8)
      yield { firstSequence: sequence, count, arrivedAtMs, start, end, crc: chunk.readUInt32LE(head + 16) }
    }
    start = end
    sequence += count
  }
}

/** @throws CorruptDataError when the segment's bytes are not those that were written */
export function checkSegment(chunk: Buffer, segment: SegmentView, where: () => string): void {
  if (segment.end > chunk.length || crc32(chunk.subarray(segment.start, segment.end)) !== segment.crc) {
    throw new CorruptDataError(
      where(),
      `the checksum of the records from ${segment.firstSequence} does not match`,
    )
  }
}

let reused = Buffer.alloc(0)

function chunkBuffer(bytes: number): Buffer {
  if (bytes > REUSED_BYTES) return Buffer.allocUnsafe(bytes)
  if (reused.length === 0) reused = Buffer.allocUnsafeSlow(REUSED_BYTES)
  return reused.subarray(0, bytes)
}

function headsCrc(key: Uint8Array, chunk: Buffer, headsEnd: number): number {
  const beforeCrc = crc32(chunk.subarray(0, CRC_OFFSET), crc32(key))
  return crc32(chunk.subarray(HEADER_BYTES, headsEnd), beforeCrc)
}
