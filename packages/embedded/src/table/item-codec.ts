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

export interface StoredItem {
  readonly version: number
  readonly value: TableValue
  readonly expiresAtMs?: number | undefined
  readonly index?: IndexKey | undefined
}

type Path = readonly (string | number)[]

interface Found {
  readonly path: Path
  readonly bytes: Uint8Array
}

/** @throws InvalidOptionError when the value is not JSON and bytes */
export function encodeItem(item: StoredItem): Buffer {
  const found: Found[] = []
  const json = JSON.stringify(withoutBytes(item.value, [], found))
  const { expiresAtMs, index } = item
  const flags =
    (expiresAtMs === undefined ? 0 : HAS_EXPIRY) |
    (index === undefined ? 0 : HAS_INDEX) |
    (found.length === 0 ? 0 : HAS_BYTES)
  const parts: Uint8Array[] = [Buffer.from([flags]), float64(item.version)]
  if (expiresAtMs !== undefined) parts.push(float64(expiresAtMs))
  if (index !== undefined) parts.push(...sized(index.partition), ...sized(index.sort))
  parts.push(...sized(json))
  if (found.length > 0) {
    parts.push(uint32(found.length))
    for (const { path, bytes } of found)
      parts.push(...sized(JSON.stringify(path)), uint32(bytes.length), bytes)
  }
  return Buffer.concat(parts)
}

/** Version and expiry alone, without decoding the value. */
export function readItemHead(bytes: Buffer): { version: number; expiresAtMs: number | undefined } {
  const hasExpiry = ((bytes[0] as number) & HAS_EXPIRY) !== 0
  return { version: bytes.readDoubleLE(1), expiresAtMs: hasExpiry ? bytes.readDoubleLE(9) : undefined }
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

/** The value with null in place of bytes; the same object where there are none. */
function withoutBytes(value: TableValue | undefined, path: Path, found: Found[]): TableValue | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) throw notJson(path, value)
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  ) {
    return value
  }
  if (value === undefined) {
    if (path.length === 0) throw notJson(path, value)
    return undefined
  }
  if (value instanceof Uint8Array) {
    found.push({ path, bytes: value })
    return null
  }
  if (typeof value !== 'object' || path.length > MAX_DEPTH) throw notJson(path, value)
  return withoutBytesInside(value, path, found)
}

function withoutBytesInside(
  value: readonly TableValue[] | { readonly [name: string]: TableValue | undefined },
  path: Path,
  found: Found[],
): TableValue {
  let copy: Record<string | number, TableValue | undefined> | undefined
  for (const [name, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? Number(name) : name
    const plain = withoutBytes(member as TableValue | undefined, [...path, at], found)
    if (plain === member) continue
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<
      string | number,
      TableValue | undefined
    >
    copy[at] = plain
  }
  return (copy ?? value) as TableValue
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

function float64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(value, 0)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value, 0)
  return bytes
}

function sized(text: string): [Buffer, Buffer] {
  const bytes = Buffer.from(text, 'utf8')
  return [uint32(bytes.length), bytes]
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
