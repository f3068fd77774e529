import { type Aggregate, decodeAggregate, type LogRecord, positionOf, recordName } from '@eddy/core'
import type { PlacedRecord, SimStore } from '../sim/sim-store.ts'
import type { ShardStore } from '../sim/store/shard-store.ts'
import { md5, md5Hex } from '../sim/store/stream-store.ts'

export interface PositionedRecord {
  readonly record: PlacedRecord
  /** Sequence number, and the place in an aggregate. */
  readonly name: string
  readonly position: string
  readonly eventId: string
  readonly lane: string
}

interface ReadRecord extends PositionedRecord {
  /** Readers pass over it: a second sending, or of an aggregate that is not all of its shard. */
  readonly repeated: 'copy' | 'stray' | undefined
  readonly mark: string | undefined
}

/** The one stream of a simulation. */
export const STREAM = 'orders'

/** What readers are to make of the stored records, by the rules in words: aggregates, strays, copies. */
export class StoredRecords {
  readonly #store: SimStore
  readonly #decoder = new TextDecoder()
  /** A stored record never changes, and neither does what it holds. */
  readonly #held = new Map<LogRecord, readonly ReadRecord[]>()
  #all: readonly ReadRecord[] = []
  #events: readonly PositionedRecord[] = []
  #at = new Map<string, PositionedRecord>()
  #names = new Map<string, readonly string[]>()
  #stored = -1
  #shards = 0

  constructor(store: SimStore) {
    this.#store = store
  }

  /** Events, shard by shard: what is repeated is left out. */
  events(): readonly PositionedRecord[] {
    this.#look()
    return this.#events
  }

  /** What the checkpoint counts in a shard, repeated or not, in order. */
  names(shardId: string): readonly string[] {
    this.#look()
    return this.#names.get(shardId) ?? []
  }

  repeated(reason: 'copy' | 'stray'): number {
    this.#look()
    return this.#all.filter(({ repeated }) => repeated === reason).length
  }

  at(shardId: string, position: string): PositionedRecord | undefined {
    this.#look()
    return this.#at.get(`${shardId}/${position}`)
  }

  #look(): void {
    const { log } = this.#store
    if (!log.list().some((stream) => stream.name === STREAM)) return
    const { shards } = log.stream(STREAM)
    const stored = shards.reduce((sum, shard) => sum + shard.records.length, 0)
    if (stored === this.#stored && shards.length === this.#shards) return
    this.#stored = stored
    this.#shards = shards.length
    this.#names = new Map()
    this.#all = this.#withoutCopies(shards)
    this.#events = this.#all.filter(({ repeated }) => repeated === undefined)
    this.#at = new Map(this.#events.map((one) => [`${one.record.shardId}/${one.position}`, one]))
  }

  /** Parents come before their children: a mark that was in a parent is known in the child. */
  #withoutCopies(shards: readonly ShardStore[]): readonly ReadRecord[] {
    const marks = new Map<string, Set<string>>()
    return shards.flatMap((shard) => {
      const { shardId, parentShardIds } = shard.options
      const seen = new Set(parentShardIds.flatMap((parent) => [...(marks.get(parent) ?? [])]))
      marks.set(shardId, seen)
      const records = shard.records.flatMap((record) => this.#heldBy(shard, record))
      this.#names.set(
        shardId,
        records.map(({ name }) => name),
      )
      return records.map((record) => {
        if (record.repeated !== undefined || record.mark === undefined) return record
        const isCopy = seen.has(record.mark)
        seen.add(record.mark)
        return isCopy ? { ...record, repeated: 'copy' } : record
      })
    })
  }

  #heldBy(shard: ShardStore, stored: LogRecord): readonly ReadRecord[] {
    const known = this.#held.get(stored)
    if (known !== undefined) return known
    const aggregate = decodeAggregate(stored.data, md5)
    const records =
      aggregate === undefined
        ? [this.#read(shard, stored, undefined, false)]
        : this.#usersOf(shard, stored, aggregate)
    this.#held.set(stored, records)
    return records
  }

  #usersOf(shard: ShardStore, stored: LogRecord, aggregate: Aggregate): readonly ReadRecord[] {
    const users = Array.from({ length: aggregate.count }, (_, index) =>
      aggregate.record(stored, index, false),
    )
    const isStray = users.some((user) => {
      const hash = BigInt(user.explicitHashKey ?? `0x${md5Hex(user.partitionKey)}`)
      return hash < shard.options.startingHashKey || hash > shard.options.endingHashKey
    })
    return users.map((user) => this.#read(shard, user, user.subSequenceNumber, isStray))
  }

  #read(
    { options: { shardId, depth } }: ShardStore,
    record: LogRecord,
    subSequenceNumber: number | undefined,
    isStray: boolean,
  ): ReadRecord {
    const name = recordName({ sequenceNumber: record.sequenceNumber, subSequenceNumber })
    const event = this.#eventOf(record)
    const { eddyproducer, eddysequence } = event
    return {
      record: { ...record, shardId },
      name,
      position: positionOf(0, depth, record.sequenceNumber, subSequenceNumber),
      eventId: event.id ?? `${STREAM}/${shardId}/${name}`,
      lane: `${record.explicitHashKey ?? ''}/${record.partitionKey}`,
      repeated: isStray ? 'stray' : undefined,
      mark: eddyproducer === undefined ? undefined : `${eddyproducer} ${eddysequence}`,
    }
  }

  #eventOf({ data }: LogRecord): {
    readonly id?: string
    readonly eddyproducer?: string
    readonly eddysequence?: string
  } {
    try {
      return JSON.parse(this.#decoder.decode(data)) as { id: string }
    } catch {
      return {}
    }
  }
}
