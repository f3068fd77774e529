import { InvalidOptionError, type QueryPage, type QueryRequest, type TableItem } from '@eddy/core'
import { asBuffer } from '../store/as-buffer.ts'
import { afterPrefix } from '../store/key-bytes.ts'
import type { TableMaps } from './embedded-table.ts'
import { decodeItem } from './item-codec.ts'
import { afterSortBound, partitionPrefix, sortBound } from './table-keys.ts'

const MAX_LIMIT = 1_000
/** A page ends here too, so that one query never holds the process for long. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024

/** One page of a partition in sort order. `next` is the last key looked at. */
export function queryItems(maps: TableMaps, request: QueryRequest, nowMs: number): QueryPage {
  const { limit } = request
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new InvalidOptionError('limit', `a whole number from 1 to ${MAX_LIMIT}`, limit)
  }
  const map = request.byIndex === true ? maps.index : maps.items
  const items: TableItem[] = []
  let seen = 0
  let bytes = 0
  let last: Buffer | undefined
  // One key more than the limit tells whether there is a next page.
  for (const { key, value } of map.getRange({ ...rangeOf(request), limit: limit + 1 })) {
    if (seen === limit || bytes >= MAX_PAGE_BYTES) return { items, next: last?.toString('base64url') }
    const item = request.byIndex === true ? loadItem(maps, value) : { key, value }
    if (item !== undefined) {
      const decoded = decodeItem(asBuffer(item.key), asBuffer(item.value))
      if (decoded.expiresAtMs === undefined || decoded.expiresAtMs >= nowMs) items.push(decoded)
      bytes += item.value.length
    }
    seen++
    last = Buffer.from(key)
  }
  return { items, next: undefined }
}

function loadItem(maps: TableMaps, key: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
  const value = maps.items.getBinary(key)
  return value === undefined ? undefined : { key, value }
}

interface Range {
  readonly start: Buffer
  readonly end: Buffer
  readonly reverse: boolean
  readonly exclusiveStart: boolean
  readonly inclusiveEnd: boolean
}

function rangeOf(request: QueryRequest): Range {
  const byIndex = request.byIndex === true
  const prefix = partitionPrefix('partition', request.partition)
  const low = request.from === undefined ? prefix : sortBound(prefix, request.from, byIndex)
  const high = request.to === undefined ? afterPrefix(prefix) : afterSortBound(prefix, request.to, byIndex)
  const after = request.after === undefined ? undefined : Buffer.from(request.after, 'base64url')
  if (request.descending === true) {
    // `high` lies just above the last key asked for and `low` is asked for itself.
    return { start: after ?? high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true }
  }
  return {
    start: after ?? low,
    end: high,
    reverse: false,
    exclusiveStart: after !== undefined,
    inclusiveEnd: false,
  }
}
