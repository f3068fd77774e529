import { type LedgerItem, positionOf } from '@eddy/core'
import type { PlacedRecord, SimStore } from '../sim/sim-store.ts'

export const STREAM = 'orders'
export const SUBSCRIPTION = 'billing'

export interface StoredHold {
  readonly state: 'held' | 'open'
  readonly lo: string
  readonly tail: string
  readonly laneId: string
  readonly key: string
}

export interface StoredCheckpoint {
  readonly from: { readonly at: string; readonly sequenceNumber?: string }
  readonly runs: string
  readonly ended: boolean
}

export interface PositionedRecord {
  readonly record: PlacedRecord
  readonly position: string
  readonly eventId: string
  readonly lane: string
}

/** What is stored, past all ports and faults. */
export class StoredView {
  readonly #store: SimStore
  readonly #decoder = new TextDecoder()

  constructor(store: SimStore) {
    this.#store = store
  }

  records(): PositionedRecord[] {
    if (!this.#store.log.list().some((stream) => stream.name === STREAM)) return []
    const depths = new Map(
      this.#store.log.stream(STREAM).shards.map((shard) => [shard.options.shardId, shard.options.depth]),
    )
    return this.#store.allRecords(STREAM).map((record) => ({
      record,
      position: positionOf(0, depths.get(record.shardId) ?? 0, record.sequenceNumber),
      eventId: (JSON.parse(this.#decoder.decode(record.data)) as { id: string }).id,
      lane: `${record.explicitHashKey ?? ''}/${record.partitionKey}`,
    }))
  }

  ledger(): LedgerItem[] {
    return this.#itemsUnder('ledger/').map((item) => item.value as unknown as LedgerItem)
  }

  holds(): StoredHold[] {
    return this.#itemsUnder('hold/').map((item) => item.value as unknown as StoredHold)
  }

  checkpoints(): Map<string, StoredCheckpoint> {
    return new Map(
      this.#itemsUnder('checkpoint/').map((item) => [item.sort, item.value as unknown as StoredCheckpoint]),
    )
  }

  hasPayload(item: LedgerItem): boolean {
    if (item.payloadBlob !== undefined) return this.#store.blobs.has(item.payloadBlob)
    const laneId = item.id.split(':')[1] as string
    return this.#store
      .allItems(`payload/${SUBSCRIPTION}/${laneId}`)
      .some((stored) => stored.sort === item.position)
  }

  queuedTokens(): string[] {
    return this.#store.allMessages(`retry/${SUBSCRIPTION}`).map((message) => message.body)
  }

  #itemsUnder(prefix: string): ReturnType<SimStore['allItems']> {
    return this.#store.allItems().filter((item) => item.partition.startsWith(prefix))
  }
}
