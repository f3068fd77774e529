import {
  CorruptDataError,
  type IndexKey,
  InvalidOptionError,
  type TableItem,
  type TableValue,
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
const MAX_DEPTH = 200
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

type Path = readonly (string | number)[]

interface Found {
  /** As JSON. */
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * The item's bytes, but for its version, which only the commit knows: `setItemVersion`. Encoded as early as this, since
 * what waits for its commit as text and objects keeps the garbage collector busy.
 *
 * @throws InvalidOptionError when the value is not JSON and bytes
 */
export function encodeItem(item: Omit<StoredItem, 'version'>): Buffer {
  const found: Found[] = []
  const json = JSON.stringify(withoutBytes(item.value, [], found))
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

function mostBytes(json: string, found: readonly Found[], index: IndexKey | undefined): number {
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
      value = setAt(value, JSON.parse(reader.text()) as Path, reader.bytes())
    }
  }
  return {
    version,
    value,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(index === undefined ? {} : { index }),
  }
}

/**
 * The value with null in place of bytes; the same object where there are none.
 * @param path - of the value; the same list all the way down
 */
function withoutBytes(
  value: TableValue | undefined,
  path: (string | number)[],
  found: Found[],
): TableValue | undefined {
  if (isPlain(value, path)) return value
  if (value instanceof Uint8Array) {
    found.push({ path: JSON.stringify(path), bytes: value })
    return null
  }
  if (typeof value !== 'object' || path.length > MAX_DEPTH) throw notJson(path, value)
  return withoutBytesInside(value, path, found)
}

function withoutBytesInside(
  value: readonly TableValue[] | { readonly [name: string]: TableValue | undefined },
  path: (string | number)[],
  found: Found[],
): TableValue {
  const isList = Array.isArray(value)
  const members = value as { readonly [name: string]: TableValue | undefined }
  let copy: Record<string | number, TableValue | undefined> | undefined
  // Most members are text and numbers: no list of the names is made for them.
  for (const name in members) {
    const member = members[name]
    if (typeof member === 'string') continue
    const at = isList ? Number(name) : name
    path.push(at)
    const plain = withoutBytes(member, path, found)
    path.pop()
    if (plain === member) continue
    copy ??= (isList ? [...value] : { ...value }) as Record<string | number, TableValue | undefined>
    copy[at] = plain
  }
  return (copy ?? value) as TableValue
}

/** Neither bytes nor something that may hold them. @throws InvalidOptionError for a number that JSON has not */
function isPlain(
  value: TableValue | undefined,
  path: Path,
): value is null | string | boolean | number | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number' && Number.isFinite(value)) return true
  if (typeof value === 'number' || (value === undefined && path.length === 0)) throw notJson(path, value)
  return value === undefined
}

function setAt(root: TableValue, path: Path, bytes: Uint8Array): TableValue {
  let at = root as unknown as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  const last = path.at(-1)
  if (last === undefined) return bytes
  at[last] = bytes
  return root
}

function notJson(path: Path, value: unknown): InvalidOptionError {
  return new InvalidOptionError(['value', ...path].join('.'), 'JSON or a Uint8Array', String(value))
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
