import type { LogRecord } from '../ports/log.ts'
import type { Tag } from './aggregate-format.ts'
import { BYTES, ProtobufReader } from './protobuf-reader.ts'
import type { UserRecord } from './user-record.ts'

/** Of a row in an aggregate's table: see `decodeAggregate`. */
export const COLUMNS = 6

const decoder = new TextDecoder('utf-8')

/** What a record of the stream holds when it is an aggregate: its user records, each made when it is asked for. */
export class Aggregate {
  readonly #data: Uint8Array
  readonly #keys: readonly string[]
  readonly #hashKeys: readonly string[]
  readonly #table: Uint32Array
  readonly #keyBytes: number
  /** User records, 1 to 1,000,000. */
  readonly count: number

  constructor(
    data: Uint8Array,
    keys: readonly string[],
    hashKeys: readonly string[],
    table: Uint32Array,
    keyBytes: number,
  ) {
    this.#data = data
    this.#keys = keys
    this.#hashKeys = hashKeys
    this.#table = table
    this.#keyBytes = keyBytes
    this.count = table.length / COLUMNS
  }

  /** What it takes in memory beside its record's data: many times as much, where it holds little but short keys. */
  get indexBytes(): number {
    return this.#table.byteLength + this.#keyBytes
  }

  partitionKey(index: number): string {
    return this.#keys[this.#cell(index, 0)] as string
  }

  explicitHashKey(index: number): string | undefined {
    return this.#hashKeys[this.#cell(index, 1) - 1]
  }

  /** A copy: an event that waits for long must not keep all the others of its aggregate in memory (I6). */
  data(index: number): Uint8Array {
    const start = this.#cell(index, 2)
    const copy = new Uint8Array(this.#cell(index, 3))
    copy.set(this.#data.subarray(start, start + copy.length))
    return copy
  }

  /** What the KPL calls tags; nothing in Eddy reads them. */
  tags(index: number): readonly Tag[] {
    const start = this.#cell(index, 4)
    const record = new ProtobufReader(this.#data, start, start + this.#cell(index, 5))
    const tags: Tag[] = []
    while (record.next()) if (record.wireType === BYTES && record.field === 4) tags.push(this.#tag(record))
    return tags
  }

  /** @param stored - the record that the aggregate is the data of */
  record(stored: LogRecord, index: number, isStray: boolean): UserRecord {
    const explicitHashKey = this.explicitHashKey(index)
    return {
      sequenceNumber: stored.sequenceNumber,
      subSequenceNumber: index,
      partitionKey: this.partitionKey(index),
      ...(explicitHashKey !== undefined && { explicitHashKey }),
      data: this.data(index),
      arrivedAtMs: stored.arrivedAtMs,
      ...(isStray && { isStray: true as const }),
    }
  }

  /** What places the user records, each once: explicit hash keys, and the keys of those without one. */
  *placedBy(): Generator<{ readonly partitionKey: string } | { readonly explicitHashKey: string }> {
    const seen = new Uint8Array(this.#keys.length + this.#hashKeys.length)
    for (let index = 0; index < this.count; index += 1) {
      const hashKey = this.#cell(index, 1) - 1
      const entry = hashKey >= 0 ? this.#keys.length + hashKey : this.#cell(index, 0)
      if (seen[entry] === 1) continue
      seen[entry] = 1
      yield hashKey >= 0
        ? { explicitHashKey: this.#hashKeys[hashKey] as string }
        : { partitionKey: this.#keys[entry] as string }
    }
  }

  #cell(index: number, column: number): number {
    return this.#table[index * COLUMNS + column] as number
  }

  #tag({ bytes, start, length }: ProtobufReader): Tag {
    const tag = new ProtobufReader(bytes, start, start + length)
    let key = ''
    let value: string | undefined
    while (tag.next()) {
      if (tag.wireType !== BYTES) continue
      const text = decoder.decode(bytes.subarray(tag.start, tag.start + tag.length))
      if (tag.field === 1) key = text
      else if (tag.field === 2) value = text
    }
    return { key, ...(value !== undefined && { value }) }
  }
}
