import type { Clock } from '../../../src/ports/clock.ts'
import type {
  Expect,
  ItemKey,
  PutItem,
  QueryPage,
  QueryRequest,
  Table,
  TableItem,
  TableValue,
  WriteResult,
} from '../../../src/ports/table.ts'

/** The table's contract over a map: conditions, index, paging, expiry; values are copied in and out. */
export class MemoryTable implements Table {
  readonly #items = new Map<string, TableItem>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async get<V extends TableValue>(key: ItemKey): Promise<TableItem<V> | undefined> {
    return structuredClone(this.#find(key)) as TableItem<V> | undefined
  }

  async getMany<V extends TableValue>(
    keys: readonly ItemKey[],
  ): Promise<readonly (TableItem<V> | undefined)[]> {
    return await Promise.all(keys.map((key) => this.get<V>(key)))
  }

  async put<V extends TableValue>(item: PutItem<V>, expect: Expect): Promise<WriteResult<V>> {
    const current = this.#find(item)
    if (!holds(expect, current))
      return { ok: false, current: structuredClone(current) as TableItem<V> | undefined }
    const version = (current?.version ?? 0) + 1
    this.#items.set(nameOf(item), structuredClone({ ...item, version }) as TableItem)
    return { ok: true, version }
  }

  async delete(key: ItemKey, expect: Exclude<Expect, 'absent'>): Promise<WriteResult> {
    const current = this.#find(key)
    if (!holds(expect, current)) return { ok: false, current: structuredClone(current) }
    this.#items.delete(nameOf(key))
    return { ok: true, version: current?.version ?? 0 }
  }

  async query<V extends TableValue>(request: QueryRequest): Promise<QueryPage<V>> {
    const { from, to, limit, after, descending = false } = request
    const found: { readonly sort: string; readonly item: TableItem }[] = []
    for (const item of this.#items.values()) {
      const place = request.byIndex === true ? item.index : item
      if (place?.partition !== request.partition || this.#find(item) === undefined) continue
      if ((from !== undefined && place.sort < from) || (to !== undefined && place.sort > to)) continue
      if (after !== undefined && (descending ? place.sort >= after : place.sort <= after)) continue
      found.push({ sort: place.sort, item })
    }
    found.sort((a, b) => (a.sort < b.sort ? -1 : 1) * (descending ? -1 : 1))
    const page = found.slice(0, limit)
    return {
      items: page.map(({ item }) => structuredClone(item) as TableItem<V>),
      next: found.length > limit ? page.at(-1)?.sort : undefined,
    }
  }

  async count(partition: string, byIndex = false): Promise<number> {
    let count = 0
    for (const item of this.#items.values()) {
      if ((byIndex ? item.index?.partition : item.partition) === partition) count += 1
    }
    return count
  }

  #find(key: ItemKey): TableItem | undefined {
    const item = this.#items.get(nameOf(key))
    return item?.expiresAtMs !== undefined && item.expiresAtMs < this.#clock.now() ? undefined : item
  }
}

function nameOf(key: ItemKey): string {
  return `${key.partition}\n${key.sort}`
}

function holds(expect: Expect, current: TableItem | undefined): boolean {
  if (expect === 'any') return true
  return expect === 'absent' ? current === undefined : current?.version === expect
}
