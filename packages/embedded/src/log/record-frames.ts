import type { AppendEntry, LogRecord } from '@eddy/core'

/*
 * One record in a segment:
 *   u8 flags (1: has an explicit hash key) | u16 key bytes | u32 data bytes | [u8 bytes + explicit hash key] | key | data
 * Numbers are little-endian.
 */
const FRAME_HEAD_BYTES = 7
const HAS_EXPLICIT_HASH_KEY = 1

/** @param keyBytes - UTF-8 bytes of the entry's partition key */
export function frameBytes(entry: AppendEntry, keyBytes: number): number {
  const hashKeyBytes = entry.explicitHashKey === undefined ? 0 : 1 + entry.explicitHashKey.length
  return FRAME_HEAD_BYTES + hashKeyBytes + keyBytes + entry.data.length
}

/** Writes the frame at `offset` and returns where the next one starts. */
export function writeFrame(target: Buffer, offset: number, entry: AppendEntry, keyBytes: number): number {
  const { explicitHashKey, data } = entry
  target[offset] = explicitHashKey === undefined ? 0 : HAS_EXPLICIT_HASH_KEY
  target[offset + 1] = keyBytes
  target[offset + 2] = keyBytes >>> 8
  target[offset + 3] = data.length
  target[offset + 4] = data.length >>> 8
  target[offset + 5] = data.length >>> 16
  target[offset + 6] = data.length >>> 24
  let at = offset + FRAME_HEAD_BYTES
  if (explicitHashKey !== undefined) {
    target[at] = explicitHashKey.length
    at += 1 + target.write(explicitHashKey, at + 1, 'latin1')
  }
  // As many bytes as characters: ASCII, for which latin1 is the faster way to write.
  target.write(entry.partitionKey, at, keyBytes === entry.partitionKey.length ? 'latin1' : 'utf8')
  at += keyBytes
  target.set(data, at)
  return at + data.length
}

/** Where the parts of a frame lie in its source. One is used for many frames. */
export class FramePlace {
  /** The explicit hash key, if there is one, ends where the key starts. */
  hashKeyStart = 0
  keyStart = 0
  /** Where the key ends. */
  dataStart = 0
  /** Where the data ends, and the next frame starts. */
  end = 0

  /** Looks at the frame at `offset`; false when it does not lie within `limit`. */
  read(source: Buffer, offset: number, limit: number): boolean {
    if (offset + FRAME_HEAD_BYTES > limit) return false
    let at = offset + FRAME_HEAD_BYTES
    if (((source[offset] as number) & HAS_EXPLICIT_HASH_KEY) !== 0) {
      this.hashKeyStart = at + 1
      at += 1 + (source[at] as number)
    } else this.hashKeyStart = at
    this.keyStart = at
    this.dataStart = at + keyBytesAt(source, offset)
    this.end = this.dataStart + dataBytesAt(source, offset)
    return this.end <= limit
  }
}

/** The record of a frame. Its data is a view. */
export function recordAt(
  source: Buffer,
  { hashKeyStart, keyStart, dataStart, end }: FramePlace,
  sequenceNumber: string,
  arrivedAtMs: number,
): LogRecord {
  const partitionKey = source.toString('utf8', keyStart, dataStart)
  const data = new Uint8Array(source.buffer, source.byteOffset + dataStart, end - dataStart)
  if (hashKeyStart === keyStart) return { sequenceNumber, partitionKey, data, arrivedAtMs }
  const explicitHashKey = source.toString('latin1', hashKeyStart, keyStart)
  return { sequenceNumber, partitionKey, explicitHashKey, data, arrivedAtMs }
}

/** Where the frame after the one at `offset` starts. */
export function skipFrame(source: Buffer, offset: number): number {
  let at = offset + FRAME_HEAD_BYTES
  if (((source[offset] as number) & HAS_EXPLICIT_HASH_KEY) !== 0) at += 1 + (source[at] as number)
  return at + keyBytesAt(source, offset) + dataBytesAt(source, offset)
}

// By hand: this is read for every record, and Buffer's own readers check their arguments each time.

function keyBytesAt(source: Buffer, offset: number): number {
  return (source[offset + 1] as number) | ((source[offset + 2] as number) << 8)
}

function dataBytesAt(source: Buffer, offset: number): number {
  const low = (source[offset + 3] as number) | ((source[offset + 4] as number) << 8)
  return low + (source[offset + 5] as number) * 0x1_00_00 + (source[offset + 6] as number) * 0x1_00_00_00
}
