import {
  type Clock,
  EngineClosedError,
  type Expect,
  InvalidOptionError,
  type ItemKey,
  type OrderedPut,
  type PutItem,
  type QueryPage,
  type QueryRequest,
  type Table,
  type TableItem,
  type TableValue,
  type WriteResult,
} from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import type { CommitOperation, GroupCommitter } from '../store/group-commit.ts'
import { countItems } from './count-items.ts'
import { decodeItem, encodeItem, readItemHead, readItemIndex, setItemVersion } from './item-codec.ts'
import { queryItems } from './query-items.ts'
import { expiryKey, indexKey, itemKey, itemOfExpiryKey } from './table-keys.ts'

const MAX_KEYS = 1_000
const MAX_ORDERED = 100
const EXPIRED_A_STEP = 500
const ITEM_OVERHEAD_BYTES = 256
const NOTHING = Buffer.from([0])

/** Index and expiry entries that stand already as the new item wants them. */
interface KeptPointers {
  readonly index: boolean
  readonly expiry: boolean
}

const NO_POINTERS: KeptPointers = { index: false, expiry: false }

export interface TableMaps {
  readonly items: ByteMap
  /** index key -> item key. */
  readonly index: ByteMap
  /** expiry key -> nothing. */
  readonly expiry: ByteMap
}

export interface EmbeddedTableParts {
  readonly maps: TableMaps
  readonly committer: GroupCommitter
  readonly clock: Clock
  readonly closing: AbortSignal
}

/** The `Table` port over LMDB. Conditions are tested inside the commit, so they are exact. */
export class EmbeddedTable implements Table {
  readonly #maps: TableMaps
  readonly #committer: GroupCommitter
  readonly #clock: Clock
  readonly #closing: AbortSignal

  constructor(parts: EmbeddedTableParts) {
    this.#maps = parts.maps
    this.#committer = parts.committer
    this.#clock = parts.clock
    this.#closing = parts.closing
  }

  async get<V extends TableValue = TableValue>(key: ItemKey): Promise<TableItem<V> | undefined> {
    this.#requireOpen()
    return this.#live(itemKey(key.partition, key.sort)) as TableItem<V> | undefined
  }

  async getMany<V extends TableValue = TableValue>(
    keys: readonly ItemKey[],
  ): Promise<readonly (TableItem<V> | undefined)[]> {
    this.#requireOpen()
    if (keys.length > MAX_KEYS) throw new InvalidOptionError('keys', `at most ${MAX_KEYS}`, keys.length)
    return keys.map((key) => this.#live(itemKey(key.partition, key.sort)) as TableItem<V> | undefined)
  }

  async put<V extends TableValue = TableValue>(item: PutItem<V>, expect: Expect): Promise<WriteResult<V>> {
    const { bytes, run } = this.#preparePut(item, expect)
    return this.#committer.submit(bytes, run) as Promise<WriteResult<V>>
  }

  /** In one commit. */
  async putInOrder(puts: readonly OrderedPut[]): Promise<readonly WriteResult[]> {
    if (puts.length > MAX_ORDERED) throw new InvalidOptionError('puts', `at most ${MAX_ORDERED}`, puts.length)
    const prepared = puts.map(({ item, expect }) => this.#preparePut(item, expect))
    const bytes = prepared.reduce((sum, put) => sum + put.bytes, 0)
    return this.#committer.submit(bytes, (scope) => {
      const results: WriteResult[] = []
      for (const { run } of prepared) {
        const result = run(scope)
        results.push(result)
        if (!result.ok) break
      }
      return results
    })
  }

  async delete(key: ItemKey, expect: Exclude<Expect, 'absent'>): Promise<WriteResult> {
    const bytes = itemKey(key.partition, key.sort)
    return this.#committer.submit(ITEM_OVERHEAD_BYTES, (scope): WriteResult => {
      const stored = this.#peek(bytes)
      const current = stored !== undefined && !this.#isExpired(stored) ? stored : undefined
      if (!holds(current, expect)) return this.#refused(bytes, current)
      if (stored !== undefined) this.#remove(scope, bytes, stored)
      return { ok: true, version: current === undefined ? 0 : readItemHead(current).version }
    })
  }

  async query<V extends TableValue = TableValue>(request: QueryRequest): Promise<QueryPage<V>> {
    this.#requireOpen()
    return queryItems(this.#maps, request, this.#clock.now()) as QueryPage<V>
  }

  async count(partition: string, byIndex = false): Promise<number> {
    this.#requireOpen()
    return countItems(this.#maps, partition, byIndex, this.#clock.now())
  }

  /** Removes expired items, a bounded number; true when there are more. */
  async removeExpired(): Promise<boolean> {
    const nowMs = this.#clock.now()
    const due = { end: expiryKey(nowMs, Buffer.alloc(0)), limit: EXPIRED_A_STEP }
    let hasAny = false
    for (const _ of this.#maps.expiry.getKeys({ ...due, limit: 1 })) hasAny = true
    if (!hasAny) return false
    return this.#committer.submit(EXPIRED_A_STEP * 64, (scope) => {
      const keys = [...this.#maps.expiry.getKeys(due)].map((key) => Buffer.from(key))
      for (const key of keys) {
        const item = itemOfExpiryKey(key)
        const stored = this.#peek(item)
        if (stored !== undefined && this.#isExpired(stored)) this.#remove(scope, item, stored)
        scope.remove(this.#maps.expiry, key)
      }
      return keys.length === EXPIRED_A_STEP
    })
  }

  #requireOpen(): void {
    if (this.#closing.aborted) throw new EngineClosedError()
  }

  #preparePut(
    item: PutItem,
    expect: Expect,
  ): { readonly bytes: number; readonly run: CommitOperation<WriteResult> } {
    const key = itemKey(item.partition, item.sort)
    const { value, expiresAtMs, index } = item
    if (expiresAtMs !== undefined && !(expiresAtMs >= 0 && expiresAtMs <= Number.MAX_SAFE_INTEGER)) {
      throw new InvalidOptionError('expiresAtMs', 'epoch milliseconds', expiresAtMs)
    }
    // The version is only known inside the commit; everything else is checked here.
    const encoded = encodeItem({ value, expiresAtMs, index })
    const newIndexKey = index === undefined ? undefined : indexKey(index.partition, index.sort, key)
    const run = (scope: CommitScope): WriteResult => {
      const stored = this.#peek(key)
      const current = stored !== undefined && !this.#isExpired(stored) ? stored : undefined
      if (!holds(current, expect)) return this.#refused(key, current)
      const version = current === undefined ? 1 : readItemHead(current).version + 1
      const kept =
        stored === undefined
          ? NO_POINTERS
          : this.#removePointers(scope, key, stored, newIndexKey, expiresAtMs)
      setItemVersion(encoded, version)
      scope.put(this.#maps.items, key, encoded)
      if (newIndexKey !== undefined && !kept.index) scope.put(this.#maps.index, newIndexKey, key)
      if (expiresAtMs !== undefined && !kept.expiry)
        scope.put(this.#maps.expiry, expiryKey(expiresAtMs, key), NOTHING)
      return { ok: true, version }
    }
    return { bytes: encoded.length + ITEM_OVERHEAD_BYTES, run }
  }

  #live(key: Buffer): TableItem | undefined {
    const bytes = this.#peek(key)
    return bytes === undefined || this.#isExpired(bytes) ? undefined : decodeItem(key, bytes)
  }

  /** The stored bytes, valid until the next read: most reads want a few of them, or decode them at once. */
  #peek(key: Buffer): Buffer | undefined {
    return this.#maps.items.getBinaryFast(key)
  }

  #isExpired(bytes: Buffer): boolean {
    const { expiresAtMs } = readItemHead(bytes)
    return expiresAtMs !== undefined && expiresAtMs < this.#clock.now()
  }

  #refused(key: Buffer, current: Buffer | undefined): WriteResult {
    return { ok: false, current: current === undefined ? undefined : decodeItem(key, current) }
  }

  #remove(scope: CommitScope, key: Buffer, stored: Buffer): void {
    this.#removePointers(scope, key, stored, undefined, undefined)
    scope.remove(this.#maps.items, key)
  }

  /** Removes the stored item's index and expiry entries, except those that the new one has too, and says which. */
  #removePointers(
    scope: CommitScope,
    key: Buffer,
    stored: Buffer,
    keptIndexKey: Buffer | undefined,
    keptExpiresAtMs: number | undefined,
  ): KeptPointers {
    const index = readItemIndex(stored)
    const { expiresAtMs } = readItemHead(stored)
    const oldIndexKey = index === undefined ? undefined : indexKey(index.partition, index.sort, key)
    const kept = {
      index: oldIndexKey !== undefined && keptIndexKey !== undefined && oldIndexKey.equals(keptIndexKey),
      expiry: expiresAtMs !== undefined && expiresAtMs === keptExpiresAtMs,
    }
    if (oldIndexKey !== undefined && !kept.index) scope.remove(this.#maps.index, oldIndexKey)
    if (expiresAtMs !== undefined && !kept.expiry)
      scope.remove(this.#maps.expiry, expiryKey(expiresAtMs, key))
    return kept
  }
}

function holds(current: Buffer | undefined, expect: Expect): boolean {
  if (expect === 'any') return true
  if (expect === 'absent') return current === undefined
  return current !== undefined && readItemHead(current).version === expect
}
