import type { Expect, ItemKey, PutItem, QueryPage, QueryRequest, TableItem, WriteResult } from '@eddy/core'
import { cloneItem } from './clone-value.ts'
import { compareUtf8 } from './compare-utf8.ts'
import { SortedArray } from './sorted-array.ts'

interface IndexChange {
  readonly atMs: number
  readonly before: TableItem | undefined
  readonly after: TableItem | undefined
}

/** What the simulated table holds. Stored items are never changed, only replaced. */
export class TableStore {
  /** Sees every change as it takes effect, whoever's it is: late writes and those whose answer is lost as well. */
  onChange: ((before: TableItem | undefined, after: TableItem | undefined) => void) | undefined
  readonly #partitions = new Map<string, SortedArray<TableItem>>()
  readonly #index = new Map<string, SortedArray<TableItem>>()
  /** Changes of the index that do not show yet, oldest first. */
  #lagging: IndexChange[] = []
  readonly #changes = new Map<string, number>()

  get(key: ItemKey, nowMs: number): TableItem | undefined {
    const item = this.#find(key)
    if (item === undefined || !isExpired(item, nowMs)) return item
    this.#replace(item, undefined, nowMs)
    return undefined
  }

  /**
   * @param item - its value is kept as it is: who may change it later passes a copy
   * @param indexAtMs - when the write shows in index queries
   */
  put(item: PutItem, expect: Expect, nowMs: number, indexAtMs: number): WriteResult {
    const current = this.get(item, nowMs)
    if (!holds(current, expect)) return refused(current)
    const stored: TableItem = {
      partition: item.partition,
      sort: item.sort,
      version: (current?.version ?? 0) + 1,
      value: item.value,
      ...(item.expiresAtMs !== undefined && { expiresAtMs: item.expiresAtMs }),
      ...(item.index && { index: { partition: item.index.partition, sort: item.index.sort } }),
    }
    this.#replace(current, stored, indexAtMs)
    return { ok: true, version: stored.version }
  }

  delete(key: ItemKey, expect: Exclude<Expect, 'absent'>, nowMs: number, indexAtMs: number): WriteResult {
    const current = this.get(key, nowMs)
    if (!holds(current, expect)) return refused(current)
    if (current !== undefined) this.#replace(current, undefined, indexAtMs)
    return { ok: true, version: current?.version ?? 0 }
  }

  query(request: QueryRequest, nowMs: number): QueryPage {
    const byIndex = request.byIndex === true
    const source = this.#source(request.partition, byIndex, nowMs)
    if (source === undefined) return { items: [], next: undefined }
    const order = byIndex ? compareByIndex : compareByKey
    const sortOf = byIndex ? indexSort : itemSort
    const after = request.after === undefined ? undefined : parseCursor(request.after, byIndex)
    const low = source.firstNot(
      (item) =>
        (request.from !== undefined && compareUtf8(sortOf(item), request.from) < 0) ||
        (request.descending !== true && after !== undefined && order(item, after) <= 0),
    )
    const high = source.firstNot(
      (item) =>
        (request.to === undefined || compareUtf8(sortOf(item), request.to) <= 0) &&
        (request.descending !== true || after === undefined || order(item, after) < 0),
    )
    return page(source, { low, high }, request, nowMs)
  }

  count(partition: string, byIndex: boolean, nowMs: number): number {
    const source = this.#source(partition, byIndex, nowMs)
    let count = 0
    for (const item of source?.values() ?? []) if (!isExpired(item, nowMs)) count += 1
    return count
  }

  /** Every item stored, or those of one kind (what a partition's name begins with, up to `/`), expired ones included. */
  *items(kind?: string): IterableIterator<TableItem> {
    for (const [name, partition] of this.#partitions)
      if (kind === undefined || kindOf(name) === kind) yield* partition.values()
  }

  /** Grows with every change of a kind: until then, what was made of its items is good. */
  changes(kind: string): number {
    return this.#changes.get(kind) ?? 0
  }

  #source(partition: string, byIndex: boolean, nowMs: number): SortedArray<TableItem> | undefined {
    if (!byIndex) return this.#partitions.get(partition)
    this.#catchUpIndex(nowMs)
    return this.#index.get(partition)
  }

  #find(key: ItemKey): TableItem | undefined {
    const items = this.#partitions.get(key.partition)
    const item = items?.at(items.firstNot((other) => compareUtf8(other.sort, key.sort) < 0))
    return item?.sort === key.sort ? item : undefined
  }

  #replace(before: TableItem | undefined, after: TableItem | undefined, indexAtMs: number): void {
    const partition = (after ?? before)?.partition ?? ''
    const kind = kindOf(partition)
    this.#changes.set(kind, this.changes(kind) + 1)
    if (before !== undefined) removeFrom(this.#partitions, partition, before)
    if (after !== undefined) listOf(this.#partitions, partition, compareByKey).insert(after)
    this.onChange?.(before, after)
    if (before?.index === undefined && after?.index === undefined) return
    // Changes show in the order they were made, whatever their lag.
    this.#lagging.push({ atMs: Math.max(indexAtMs, this.#lagging.at(-1)?.atMs ?? 0), before, after })
  }

  #catchUpIndex(nowMs: number): void {
    let shown = 0
    for (const change of this.#lagging) {
      if (change.atMs > nowMs) break
      shown += 1
      if (change.before?.index) removeFrom(this.#index, change.before.index.partition, change.before)
      if (change.after?.index) {
        listOf(this.#index, change.after.index.partition, compareByIndex).insert(change.after)
      }
    }
    if (shown > 0) this.#lagging = this.#lagging.slice(shown)
  }
}

function kindOf(partition: string): string {
  const end = partition.indexOf('/')
  return end < 0 ? partition : partition.slice(0, end)
}

function holds(current: TableItem | undefined, expect: Expect): boolean {
  if (expect === 'any') return true
  return expect === 'absent' ? current === undefined : current?.version === expect
}

function refused(current: TableItem | undefined): WriteResult {
  return { ok: false, current: current && cloneItem(current) }
}

function isExpired(item: TableItem, nowMs: number): boolean {
  return item.expiresAtMs !== undefined && item.expiresAtMs <= nowMs
}

function page(
  source: SortedArray<TableItem>,
  range: { readonly low: number; readonly high: number },
  request: QueryRequest,
  nowMs: number,
): QueryPage {
  const items: TableItem[] = []
  const step = request.descending === true ? -1 : 1
  let at = step === 1 ? range.low : range.high - 1
  for (; at >= range.low && at < range.high; at += step) {
    const item = source.at(at) as TableItem
    if (isExpired(item, nowMs)) continue
    const last = items.length < request.limit ? undefined : items.at(-1)
    if (last !== undefined) return { items, next: cursorOf(last, request.byIndex === true) }
    items.push(cloneItem(item))
  }
  return { items, next: undefined }
}

function cursorOf(item: TableItem, byIndex: boolean): string {
  return JSON.stringify(byIndex ? [item.sort, item.partition, indexSort(item)] : [item.sort])
}

function parseCursor(cursor: string, byIndex: boolean): TableItem {
  const [sort = '', partition = '', index = ''] = JSON.parse(cursor) as string[]
  const item = { partition, sort, version: 0, value: null }
  return byIndex ? { ...item, index: { partition: '', sort: index } } : item
}

function itemSort(item: TableItem): string {
  return item.sort
}

function indexSort(item: TableItem): string {
  return item.index?.sort ?? ''
}

function compareByKey(a: TableItem, b: TableItem): number {
  return compareUtf8(a.sort, b.sort)
}

function compareByIndex(a: TableItem, b: TableItem): number {
  return (
    compareUtf8(indexSort(a), indexSort(b)) ||
    compareUtf8(a.partition, b.partition) ||
    compareUtf8(a.sort, b.sort)
  )
}

function listOf(
  lists: Map<string, SortedArray<TableItem>>,
  name: string,
  compare: (a: TableItem, b: TableItem) => number,
): SortedArray<TableItem> {
  const list = lists.get(name) ?? new SortedArray<TableItem>(compare)
  lists.set(name, list)
  return list
}

function removeFrom(lists: Map<string, SortedArray<TableItem>>, name: string, item: TableItem): void {
  const list = lists.get(name)
  list?.remove(item)
  if (list?.length === 0) lists.delete(name)
}
