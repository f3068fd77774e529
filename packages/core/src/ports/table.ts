/** What a table stores: JSON, plus bytes. `undefined` members are not stored. */
export type TableValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly TableValue[]
  | { readonly [name: string]: TableValue | undefined }

export interface ItemKey {
  readonly partition: string
  /** Ordered by UTF-8 bytes within the partition. At most 1,024 bytes. */
  readonly sort: string
}

/** A second place to find the item by; at most one an item. */
export interface IndexKey {
  readonly partition: string
  readonly sort: string
}

export interface TableItem<V extends TableValue = TableValue> extends ItemKey {
  /** 1 when created, raised by every write. A deleted and re-created item starts anew. */
  readonly version: number
  readonly value: V
  /** Epoch milliseconds; the item is not returned after it. */
  readonly expiresAtMs?: number
  readonly index?: IndexKey
}

export interface PutItem<V extends TableValue = TableValue> extends ItemKey {
  readonly value: V
  readonly expiresAtMs?: number
  readonly index?: IndexKey
}

/** `any`: no condition. `absent`: only if there is no item. A number: only if the item has this version. */
export type Expect = 'any' | 'absent' | number

export type WriteResult<V extends TableValue = TableValue> =
  | { readonly ok: true; readonly version: number }
  /** The condition did not hold; `current` is the item that stands there. */
  | { readonly ok: false; readonly current: TableItem<V> | undefined }

/** One write of a group: `put(item, expect)`. */
export interface OrderedPut {
  readonly item: PutItem
  readonly expect: Expect
}

export interface QueryRequest {
  readonly partition: string
  /** Ask the index instead of the items' own keys. Index reads may lag behind writes on some engines. */
  readonly byIndex?: boolean
  /** Inclusive bounds on the sort key. */
  readonly from?: string
  readonly to?: string
  readonly descending?: boolean
  /** 1 to 1,000. */
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: string
}

export interface QueryPage<V extends TableValue = TableValue> {
  readonly items: readonly TableItem<V>[]
  /** Undefined on the last page. A page may be short, even empty, and still have a next one. */
  readonly next: string | undefined
}

/**
 * Items with single-item conditions; the algorithms need nothing stronger. A refused condition returns the item that
 * stands there, so that the caller can decide again without a read.
 */
export interface Table {
  get<V extends TableValue = TableValue>(key: ItemKey): Promise<TableItem<V> | undefined>
  /** In the order of the keys; undefined where there is none. At most 1,000 keys. */
  getMany<V extends TableValue = TableValue>(
    keys: readonly ItemKey[],
  ): Promise<readonly (TableItem<V> | undefined)[]>
  /** Resolves after the write is durable. */
  put<V extends TableValue = TableValue>(item: PutItem<V>, expect: Expect): Promise<WriteResult<V>>
  /**
   * Makes the writes in this order, up to the first that is refused: its result is the last one. None is there without
   * those before it, but that is all: a crash or an error may leave the first few done. Optional, for engines that can
   * make them durable together; `putInOrder` does the same on every engine. At most 100.
   */
  putInOrder?(puts: readonly OrderedPut[]): Promise<readonly WriteResult[]>
  /** `ok` also when there was nothing and `expect` is `any`. */
  delete(key: ItemKey, expect: Exclude<Expect, 'absent'>): Promise<WriteResult>
  query<V extends TableValue = TableValue>(request: QueryRequest): Promise<QueryPage<V>>
  /** Items in a partition (by key or by index), counted without reading their values. */
  count(partition: string, byIndex?: boolean): Promise<number>
}
