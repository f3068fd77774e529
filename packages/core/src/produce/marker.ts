import type { PendingRecord } from './pending-record.ts'
import { markEvent } from './producer-marks.ts'

/** What a mark may be called without being hashed. */
const PLAIN_ID = /^[\w.:/-]{1,64}$/
/** Of a mark's sequence, which has 15 digits at most. */
const MAX_SEQUENCE = 999_999_999_999_999

/**
 * Writes the producer's mark into events, for logs that do not drop copies: readers do, by it.
 *
 * Records that the producer numbers itself are numbered by predicted shard, since readers remember runs. Whoever names its
 * producer keeps its name and number, so that a repeated call is known.
 */
export class Marker {
  readonly #id: string
  readonly #md5Hex: (text: string) => string
  readonly #shards = new Map<string, { readonly id: string; next: number }>()

  /** @param id - of one producer and stream, never used again; at most 48 characters */
  constructor(id: string, md5Hex: (text: string) => string) {
    this.#id = id
    this.#md5Hex = md5Hex
  }

  /** Once a record, whatever becomes of it. Bytes that are no JSON object stay as they are. */
  mark(record: PendingRecord, shardId: string): void {
    if (record.isMarked) return
    record.isMarked = true
    const mark = record.isOwnMark ? this.#next(shardId) : this.#stated(record)
    if (mark === undefined) return
    const data = markEvent(record.entry.data, mark)
    record.bytes += data.length - record.entry.data.length
    record.entry = { ...record.entry, data }
  }

  #next(shardId: string): { readonly producer: string; readonly sequence: number } {
    let shard = this.#shards.get(shardId)
    if (shard === undefined) {
      shard = { id: `${this.#id}.${this.#shards.size}`, next: 0 }
      this.#shards.set(shardId, shard)
    }
    const sequence = shard.next
    shard.next += 1
    return { producer: shard.id, sequence }
  }

  #stated({
    entry: { producerId, producerSequence },
  }: PendingRecord): { readonly producer: string; readonly sequence: number } | undefined {
    if (producerId === undefined || producerSequence === undefined || producerSequence > MAX_SEQUENCE)
      return undefined
    const producer = PLAIN_ID.test(producerId) ? producerId : this.#md5Hex(producerId)
    return { producer, sequence: producerSequence }
  }
}
