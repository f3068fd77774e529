import {
  type LedgerItem,
  positionOf,
  readStoredFailure,
  type StoredFailure,
  type TableItem,
} from '@eddy/core'
import type { PlacedRecord, SimStore } from '../sim/sim-store.ts'

export const STREAM = 'orders'
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
  readonly from: { readonly at: string; readonly sequenceNumber?: string }
  readonly runs: string
  readonly ended: boolean
  readonly epoch: number
}

export interface PositionedRecord {
  readonly record: PlacedRecord
  readonly position: string
  readonly eventId: string
  readonly lane: string
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
  readonly #decoder = new TextDecoder()
  readonly #kept = new Map<string, { readonly changes: number; readonly values: unknown }>()
  #records: PositionedRecord[] = []
  #recordsAt = new Map<string, PositionedRecord>()
  #shards = 0

  constructor(store: SimStore) {
    this.#store = store
  }

  /** Shard by shard. */
  records(): readonly PositionedRecord[] {
    const { log } = this.#store
    if (!log.list().some((stream) => stream.name === STREAM)) return []
    const { shards } = log.stream(STREAM)
    const count = shards.reduce((sum, shard) => sum + shard.records.length, 0)
    if (count === this.#records.length && shards.length === this.#shards) return this.#records
    this.#shards = shards.length
    const before = this.#recordsAt
    this.#recordsAt = new Map()
    this.#records = shards.flatMap(({ records, options: { shardId, depth } }) =>
      records.map((record) => {
        const position = positionOf(0, depth, record.sequenceNumber)
        const place = `${shardId}/${position}`
        const known = before.get(place) ?? {
          record: { ...record, shardId },
          position,
          eventId: this.#eventId({ ...record, shardId }),
          lane: `${record.explicitHashKey ?? ''}/${record.partitionKey}`,
        }
        this.#recordsAt.set(place, known)
        return known
      }),
    )
    return this.#records
  }

  /** Of one shard's records, in order. */
  sequences(shardId: string): readonly string[] {
    const shard = this.#store.log.stream(STREAM).shards.find((one) => one.options.shardId === shardId)
    return shard?.records.map((record) => record.sequenceNumber) ?? []
  }

  recordAt(shardId: string, position: string): PositionedRecord | undefined {
    this.records()
    return this.#recordsAt.get(`${shardId}/${position}`)
  }

  ledger(): readonly LedgerItem[] {
    return this.#made('ledger', 'ledger', () => Array.from(this.#store.table.items('ledger'), failureOf))
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
          [...this.#store.table.items('checkpoint')].map((item) => [
            item.sort,
            item.value as unknown as StoredCheckpoint,
          ]),
        ),
    )
  }

  hasPayload(item: LedgerItem): boolean {
    if (item.payloadBlob !== undefined) return this.#store.blobs.has(item.payloadBlob)
    const lane = `${SUBSCRIPTION}/${item.id.split(':')[1] as string}`
    // At time 0 nothing has expired.
    const stored = this.#store.table.get({ partition: `ledger/${lane}`, sort: item.position }, 0)
    if ((stored?.value as unknown as StoredFailure | undefined)?.payload !== undefined) return true
    return this.#store.table.get({ partition: `payload/${lane}`, sort: item.position }, 0) !== undefined
  }

  /** The event is marked as one that may kill the process: it runs when it has its turn. */
  isMarked(shardId: string, position: string): boolean {
    const marker = this.#store.table.get({ partition: 'process', sort: 'marker' }, 0)?.value
    return (marker as { event?: string } | undefined)?.event === `${SUBSCRIPTION}/${shardId}/${position}`
  }

  queuedTokens(): string[] {
    return this.#store.allMessages(`retry/${SUBSCRIPTION}`).map((message) => message.body)
  }

  #eventId({ data, shardId, sequenceNumber }: PlacedRecord): string {
    try {
      return (JSON.parse(this.#decoder.decode(data)) as { id: string }).id
    } catch {
      return `${STREAM}/${shardId}/${sequenceNumber}`
    }
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
