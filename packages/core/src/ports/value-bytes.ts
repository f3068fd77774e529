import { InvalidOptionError } from '../errors/request-errors.ts'
import type { TableValue } from './table.ts'

const MAX_DEPTH = 200

type Path = readonly (string | number)[]

/** Bytes that were taken out of a value. */
export interface BytesInValue {
  /** Where they belong: a list of names and indexes, as JSON. */
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * A value as JSON, with null where bytes belong, and the bytes beside it: JSON stays as fast as JSON is, and bytes stay
 * bytes.
 *
 * @throws InvalidOptionError when the value is not JSON and bytes
 */
export function takeBytesOut(value: TableValue): {
  readonly json: string
  readonly found: readonly BytesInValue[]
} {
  const found: BytesInValue[] = []
  return { json: JSON.stringify(withoutBytes(value, [], found)), found }
}

/** Puts them where they were taken from, into what the JSON was parsed to; returns the value. */
export function putBytesBack(root: TableValue, { path, bytes }: BytesInValue): TableValue {
  const steps = JSON.parse(path) as Path
  let at = root as unknown as Record<string | number, unknown>
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  const last = steps.at(-1)
  if (last === undefined) return bytes
  at[last] = bytes
  return root
}

/**
 * The value with null in place of bytes; the same object where there are none.
 * @param path - of the value; the same list all the way down
 */
function withoutBytes(
  value: TableValue | undefined,
  path: (string | number)[],
  found: BytesInValue[],
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
  found: BytesInValue[],
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

function notJson(path: Path, value: unknown): InvalidOptionError {
  return new InvalidOptionError(['value', ...path].join('.'), 'JSON or a Uint8Array', String(value))
}
