import { type AppendEntry, type AppendResult, RecordTooLargeError } from '@eddy/core'
import type { Segment } from './chunk-codec.ts'
import { crc32 } from './crc32.ts'
import { parseHashKey } from './hash-key.ts'
import { md5Hex } from './md5-hex.ts'
import { frameBytes, writeFrame } from './record-frames.ts'
import type { Shard, StreamShape } from './stream-shape.ts'

export const MAX_RECORD_BYTES: number = 10 * 1024 * 1024
/** Segments and chunks are cut here, so that reading a few records never costs much more. */
export const MAX_SEGMENT_BYTES: number = 1024 * 1024
const MAX_PARTITION_KEY_CHARACTERS = 256
const MAX_PRODUCER_ID_CHARACTERS = 256

/** The part of a call that goes into one shard. */
export interface ShardGroup {
  readonly shard: Shard
  /** Indexes into the call's entries, ascending. */
  readonly indexes: number[]
  readonly sizes: number[]
  readonly segments: Segment[]
}

/** A call, encoded while the commit before is still running. */
export interface PreparedAppend {
  /** What the entries were placed by. */
  readonly shape: StreamShape
  readonly groups: readonly ShardGroup[]
  /** Entries that were refused, by index; undefined elsewhere. */
  readonly refused: readonly (AppendResult | undefined)[]
  readonly bytes: number
  readonly hasProducers: boolean
}

/** @param skip - indexes to leave out: entries that are already stored */
export function prepareAppend(
  entries: readonly AppendEntry[],
  shape: StreamShape,
  skip?: ReadonlySet<number>,
): PreparedAppend {
  const refused: (AppendResult | undefined)[] = new Array(entries.length)
  const keyBytes: number[] = new Array(entries.length)
  const groups: ShardGroup[] = []
  const groupOfShard = new Map<number, ShardGroup>()
  let bytes = 0
  let hasProducers = false
  for (let i = 0; i < entries.length; i++) {
    if (skip?.has(i) === true) continue
    const entry = entries[i] as AppendEntry
    const refusal = refuse(entry)
    if (refusal !== undefined) {
      refused[i] = refusal
      continue
    }
    if (entry.producerId !== undefined) hasProducers = true
    keyBytes[i] = Buffer.byteLength(entry.partitionKey)
    const size = frameBytes(entry, keyBytes[i] as number)
    const group = groupFor(placeEntry(entry, shape) as Shard, groups, groupOfShard)
    group.indexes.push(i)
    group.sizes.push(size)
    bytes += size
  }
  for (const group of groups) encodeGroup(group, entries, keyBytes)
  return { shape, groups, refused, bytes, hasProducers }
}

/** The open shard that an entry goes to; undefined when its explicit hash key is none. */
export function placeEntry(entry: AppendEntry, shape: StreamShape): Shard | undefined {
  if (entry.explicitHashKey !== undefined) {
    const hashHex = parseHashKey(entry.explicitHashKey)
    return hashHex === undefined ? undefined : shape.shardOf(hashHex)
  }
  return shape.open.length === 1 ? shape.open[0] : shape.shardOf(md5Hex(entry.partitionKey))
}

function groupFor(shard: Shard, groups: ShardGroup[], groupOfShard: Map<number, ShardGroup>): ShardGroup {
  const known = groupOfShard.get(shard.no)
  if (known !== undefined) return known
  const group: ShardGroup = { shard, indexes: [], sizes: [], segments: [] }
  groups.push(group)
  groupOfShard.set(shard.no, group)
  return group
}

function encodeGroup(group: ShardGroup, entries: readonly AppendEntry[], keyBytes: readonly number[]): void {
  let from = 0
  while (from < group.indexes.length) {
    let to = from
    let bytes = 0
    while (
      to < group.indexes.length &&
      (to === from || bytes + (group.sizes[to] as number) <= MAX_SEGMENT_BYTES)
    ) {
      bytes += group.sizes[to] as number
      to++
    }
    const buffer = Buffer.allocUnsafe(bytes)
    let at = 0
    for (let i = from; i < to; i++) {
      const index = group.indexes[i] as number
      at = writeFrame(buffer, at, entries[index] as AppendEntry, keyBytes[index] as number)
    }
    group.segments.push({ bytes: buffer, count: to - from, crc: crc32(buffer) })
    from = to
  }
}

function refuse(entry: AppendEntry): AppendResult | undefined {
  const { partitionKey, explicitHashKey, data, producerId, producerSequence } = entry
  if (
    typeof partitionKey !== 'string' ||
    partitionKey.length < 1 ||
    partitionKey.length > MAX_PARTITION_KEY_CHARACTERS
  ) {
    return invalid(`partitionKey: expected 1 to ${MAX_PARTITION_KEY_CHARACTERS} characters`)
  }
  if (!(data instanceof Uint8Array)) return invalid('data: expected a Uint8Array')
  if (data.length > MAX_RECORD_BYTES) {
    const { message } = new RecordTooLargeError(data.length, MAX_RECORD_BYTES)
    return { ok: false, code: 'too-large', retryable: false, message }
  }
  if (explicitHashKey !== undefined && parseHashKey(explicitHashKey) === undefined) {
    return invalid('explicitHashKey: expected a decimal integer from 0 to 2^128 - 1')
  }
  if (producerId !== undefined || producerSequence !== undefined) {
    return refuseProducer(producerId, producerSequence)
  }
  return undefined
}

function refuseProducer(id: string | undefined, sequence: number | undefined): AppendResult | undefined {
  if (
    typeof id !== 'string' ||
    id.length < 1 ||
    id.length > MAX_PRODUCER_ID_CHARACTERS ||
    id.includes('\0')
  ) {
    return invalid(`producerId: expected 1 to ${MAX_PRODUCER_ID_CHARACTERS} characters without NUL`)
  }
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) {
    return invalid('producerSequence: expected a whole number from 0 to 2^53 - 1')
  }
  return undefined
}

function invalid(message: string): AppendResult {
  return { ok: false, code: 'invalid', retryable: false, message }
}
