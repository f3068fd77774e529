import {
  type BytesInValue,
  CorruptDataError,
  type IndexKey,
  putBytesBack,
  type TableItem,
  type TableValue,
  takeBytesOut,
} from '@eddy/core'
import { parseItemKey } from './table-keys.ts'

/*
 * A stored item:
 *   u8 flags | f64 version | [f64 expires at] | [u32 + index partition | u32 + index sort]
 *   u32 + JSON | if it has bytes: u32 count, each u32 + JSON path | u32 + bytes
 * JSON holds null where bytes belong; the path says where. So JSON stays as fast as JSON is, and bytes stay bytes.
 */
const HAS_EXPIRY = 1
const HAS_INDEX = 2
const HAS_BYTES = 4
const VERSION_AT = 1
const LENGTH_BYTES = 4
/** Flags, version, expiry, and the lengths of index, JSON and list of bytes. */
const FIXED_BYTES = 1 + 8 + 8 + 4 * LENGTH_BYTES
const MAX_CHARACTER_BYTES = 3

export interface StoredItem {
  readonly version: number
  readonly value: TableValue
  readonly expiresAtMs?: number | undefined
  readonly index?: IndexKey | undefined
}

/**
 * The item's bytes, but for its version, which only the commit knows: `setItemVersion`. Encoded as early as this, since
 * what waits for its commit as text and objects keeps the garbage collector busy.
 *
 * @throws InvalidOptionError when the value is not JSON and bytes
 */
export function encodeItem(item: Omit<StoredItem, 'version'>): Buffer {
  const { json, found } = takeBytesOut(item.value)
  const { expiresAtMs, index } = item
  const target = itemBuffer(mostBytes(json, found, index))
  target[0] =
    (expiresAtMs === undefined ? 0 : HAS_EXPIRY) |
    (index === undefined ? 0 : HAS_INDEX) |
    (found.length === 0 ? 0 : HAS_BYTES)
  let at = target.writeDoubleLE(0, VERSION_AT)
  if (expiresAtMs !== undefined) at = target.writeDoubleLE(expiresAtMs, at)
  if (index !== undefined) at = writeText(target, writeText(target, at, index.partition), index.sort)
  at = writeText(target, at, json)
  if (found.length > 0) {
    at = target.writeUInt32LE(found.length, at)
    for (const { path, bytes } of found) {
      at = target.writeUInt32LE(bytes.length, writeText(target, at, path))
      target.set(bytes, at)
      at += bytes.length
    }
  }
  if (target.buffer === slab.buffer) slabUsed += at
  return target.subarray(0, at)
}

export function setItemVersion(bytes: Buffer, version: number): void {
  bytes.writeDoubleLE(version, VERSION_AT)
}

function mostBytes(json: string, found: readonly BytesInValue[], index: IndexKey | undefined): number {
  let characters = json.length > EXACT_FROM_CHARACTERS ? 0 : json.length
  let bytes = FIXED_BYTES + (characters === 0 ? Buffer.byteLength(json) : 0)
  if (index !== undefined) characters += index.partition.length + index.sort.length
  for (const { path, bytes: content } of found) {
    characters += path.length
    bytes += content.length + 2 * LENGTH_BYTES
  }
  return bytes + characters * MAX_CHARACTER_BYTES
}

/** From here on text is measured rather than taken to be as long as it can be. */
const EXACT_FROM_CHARACTERS = 4_096

/** Small items share a buffer, each byte of it written once. */
const SLAB_BYTES = 64 * 1024
let slab = Buffer.alloc(0)
let slabUsed = 0

function itemBuffer(bytes: number): Buffer {
  if (bytes > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(bytes)
  if (slabUsed + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    slabUsed = 0
  }
  return slab.subarray(slabUsed)
}

function writeText(target: Buffer, at: number, text: string): number {
  const bytes = target.write(text, at + LENGTH_BYTES, 'utf8')
  target.writeUInt32LE(bytes, at)
  return at + LENGTH_BYTES + bytes
}

/** Version and expiry alone, without decoding the value. */
export function readItemHead(bytes: Buffer): { version: number; expiresAtMs: number | undefined } {
  const hasExpiry = ((bytes[0] as number) & HAS_EXPIRY) !== 0
  return {
    version: bytes.readDoubleLE(VERSION_AT),
    expiresAtMs: hasExpiry ? bytes.readDoubleLE(9) : undefined,
  }
}

/** @throws CorruptDataError */
export function decodeItem(key: Buffer, bytes: Buffer): TableItem {
  const { partition, sort } = parseItemKey(key)
  try {
    return { partition, sort, ...decodeFields(bytes) }
  } catch (error) {
    throw new CorruptDataError(`table item ${JSON.stringify([partition, sort])}`, String(error))
  }
}

/** The index key an item was stored with. */
export function readItemIndex(bytes: Buffer): IndexKey | undefined {
  const reader = new Reader(bytes)
  const flags = reader.head().flags
  return (flags & HAS_INDEX) === 0 ? undefined : { partition: reader.text(), sort: reader.text() }
}

function decodeFields(bytes: Buffer): Omit<TableItem, 'partition' | 'sort'> {
  const reader = new Reader(bytes)
  const { flags, version, expiresAtMs } = reader.head()
  const index = (flags & HAS_INDEX) === 0 ? undefined : { partition: reader.text(), sort: reader.text() }
  let value = JSON.parse(reader.text()) as TableValue
  if ((flags & HAS_BYTES) !== 0) {
    for (let left = reader.uint32(); left > 0; left--) {
      value = putBytesBack(value, { path: reader.text(), bytes: reader.bytes() })
    }
  }
  return {
    version,
    value,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(index === undefined ? {} : { index }),
  }
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  head(): { flags: number; version: number; expiresAtMs: number | undefined } {
    const flags = this.#bytes[0] as number
    const head = readItemHead(this.#bytes)
    this.#at = head.expiresAtMs === undefined ? 9 : 17
    return { flags, ...head }
  }

  uint32(): number {
    const value = this.#bytes.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  text(): string {
    const length = this.uint32()
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length)
    this.#at += length
    return text
  }

  /** A copy, so that a small value does not keep a large buffer alive. */
  bytes(): Uint8Array {
    const length = this.uint32()
    const bytes = new Uint8Array(this.#bytes.subarray(this.#at, this.#at + length))
    this.#at += length
    return bytes
  }
}
