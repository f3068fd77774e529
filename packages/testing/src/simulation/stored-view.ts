import { type LedgerItem, readStoredFailure, type StoredFailure, type TableItem } from '@eddy/core'
import type { SimStore } from '../sim/sim-store.ts'
import { type PositionedRecord, STREAM, StoredRecords } from './stored-records.ts'

export { STREAM } from './stored-records.ts'

export const SUBSCRIPTION = 'billing'

export interface StoredHold {
  readonly state: 'held' | 'open'
  readonly lo: string
  readonly tail: string
  readonly laneId: string
  readonly key: string
  readonly explicitHashKey?: string
  readonly epoch: number
  readonly shardId: string
  readonly updatedAtMs: number
}

export interface StoredCheckpoint {
  readonly from: {
    readonly at: string
    readonly sequenceNumber?: string
    readonly subSequenceNumber?: number
  }
  readonly runs: string
  readonly ended: boolean
  readonly epoch: number
}

/** The failure that an item of the ledger's partitions holds: how it is stored is the ledger's own affair. */
export function failureOf(stored: TableItem): LedgerItem {
  return readStoredFailure(stored.value as unknown as StoredFailure)
}

/** True for a record that is no event: it has a name all the same. */
export function isGarbage({ eventId }: PositionedRecord): boolean {
  return eventId.startsWith(`${STREAM}/`)
}

/** What is stored, past all ports and faults. Looked at all the time: what was made of it is kept until it changes. */
export class StoredView {
  readonly #store: SimStore
  readonly #records: StoredRecords
  readonly #kept = new Map<string, { readonly changes: number; readonly values: unknown }>()
  /** By stored value, which is never changed, only replaced: of hundreds one at a time. */
  #failures: ReadonlyMap<TableItem['value'], LedgerItem> = new Map()

  constructor(store: SimStore) {
    this.#store = store
    this.#records = new StoredRecords(store)
  }

  /** Events, shard by shard, those of aggregates one by one. */
  records(): readonly PositionedRecord[] {
    return this.#records.events()
  }

  /** Names of one shard's records as its checkpoint counts them, in order. */
  sequences(shardId: string): readonly string[] {
    return this.#records.names(shardId)
  }

  /** Records that readers pass over, by reason. */
  repeated(reason: 'copy' | 'stray'): number {
    return this.#records.repeated(reason)
  }

  recordAt(shardId: string, position: string): PositionedRecord | undefined {
    return this.#records.at(shardId, position)
  }

  ledger(): readonly LedgerItem[] {
    return this.#made('ledger', 'ledger', () => {
      const known = this.#failures
      const failures = new Map<TableItem['value'], LedgerItem>()
      for (const stored of this.#store.table.items('ledger'))
        failures.set(stored.value, known.get(stored.value) ?? failureOf(stored))
      this.#failures = failures
      return [...failures.values()]
    })
  }

  /** Several where items of edits stand at the place of their original. */
  itemAt(shardId: string, position: string): LedgerItem | undefined {
    return this.itemsByPlace().get(`${shardId}/${position}`)
  }

  /** By `shard/position`. */
  itemsByPlace(): ReadonlyMap<string, LedgerItem> {
    return this.#made(
      'ledger',
      'places',
      () => new Map(this.ledger().map((item) => [`${item.shardId}/${item.position}`, item])),
    )
  }

  holds(): readonly StoredHold[] {
    return this.#made('hold', 'holds', () => this.#valuesOf<StoredHold>('hold'))
  }

  checkpoints(): ReadonlyMap<string, StoredCheckpoint> {
    return this.#made(
      'checkpoint',
      'checkpoints',
      () =>
        new Map(
          this.#store
            .allItems(`checkpoint/${SUBSCRIPTION}`)
            .map((item) => [item.sort, item.value as unknown as StoredCheckpoint]),
        ),
    )
  }

  /** `expiring`: it will be gone before its item is. */
  payloadOf(item: LedgerItem): 'kept' | 'expiring' | 'missing' {
    if (item.payloadBlob !== undefined) return this.#store.blobs.has(item.payloadBlob) ? 'kept' : 'missing'
    const lane = `${SUBSCRIPTION}/${item.id.split(':')[1] as string}`
    // At time 0 nothing has expired.
    const stored = this.#store.table.get({ partition: `ledger/${lane}`, sort: item.position }, 0)
    if ((stored?.value as unknown as StoredFailure | undefined)?.payload !== undefined) return 'kept'
    const payload = this.#store.table.get({ partition: `payload/${lane}`, sort: item.position }, 0)
    if (payload === undefined) return 'missing'
    return payload.expiresAtMs === undefined ? 'kept' : 'expiring'
  }

  /** The event is marked as one that may kill the process: it runs when it has its turn. */
  isMarked(shardId: string, position: string): boolean {
    const marker = this.#store.table.get({ partition: 'process', sort: 'marker' }, 0)?.value
    return (marker as { event?: string } | undefined)?.event === `${SUBSCRIPTION}/${shardId}/${position}`
  }

  queuedTokens(): string[] {
    return this.#store.allMessages(`retry/${SUBSCRIPTION}`).map((message) => message.body)
  }

  #valuesOf<T>(kind: string): T[] {
    return Array.from(this.#store.table.items(kind), (item) => item.value as unknown as T)
  }

  #made<T>(kind: string, name: string, make: () => T): T {
    const changes = this.#store.table.changes(kind)
    const kept = this.#kept.get(name)
    if (kept?.changes === changes) return kept.values as T
    const values = make()
    this.#kept.set(name, { changes, values })
    return values
  }
}
