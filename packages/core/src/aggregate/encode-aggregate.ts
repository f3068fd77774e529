import { utf8Bytes } from '../limits/utf8-bytes.ts'
import { FRAME_BYTES, MAGIC, type Tag } from './aggregate-format.ts'

/** What becomes a user record of an aggregate. */
export interface AggregateEntry {
  readonly partitionKey: string
  readonly explicitHashKey?: string
  readonly data: Uint8Array
  readonly tags?: readonly Tag[]
}

const encoder = new TextEncoder()
/** No explicit hash key. */
const NONE = -1

/** Puts entries into one aggregate, in their order, and knows its exact size before and after each. */
export class AggregateBuilder {
  readonly #keys = new TextTable()
  readonly #hashKeys = new TextTable()
  readonly #records: { readonly entry: AggregateEntry; readonly key: number; readonly hashKey: number }[] = []
  /** Of the message: tables and records. */
  #messageBytes = 0

  get count(): number {
    return this.#records.length
  }

  /** Of the whole aggregate as it stands. */
  get bytes(): number {
    return FRAME_BYTES + this.#messageBytes
  }

  /** What the aggregate would measure with this entry as its next one. */
  bytesWith(entry: AggregateEntry): number {
    const { partitionKey, explicitHashKey } = entry
    const key = this.#keys.indexOf(partitionKey)
    const hashKey = explicitHashKey === undefined ? NONE : this.#hashKeys.indexOf(explicitHashKey)
    return (
      this.bytes +
      this.#keys.bytesFor(partitionKey) +
      (explicitHashKey === undefined ? 0 : this.#hashKeys.bytesFor(explicitHashKey)) +
      lengthDelimited(recordBytes(entry, key, hashKey))
    )
  }

  add(entry: AggregateEntry): void {
    const bytes = this.bytesWith(entry)
    const { partitionKey, explicitHashKey } = entry
    const key = this.#keys.add(partitionKey)
    const hashKey = explicitHashKey === undefined ? NONE : this.#hashKeys.add(explicitHashKey)
    this.#records.push({ entry, key, hashKey })
    this.#messageBytes = bytes - FRAME_BYTES
  }

  /** The aggregate's bytes: data of a record. */
  build(md5: (bytes: Uint8Array) => Uint8Array): Uint8Array {
    const out = new Uint8Array(this.bytes)
    out.set(MAGIC)
    const writer = new Writer(out, MAGIC.length)
    for (const key of this.#keys.texts) writer.delimited(1, key)
    for (const hashKey of this.#hashKeys.texts) writer.delimited(2, hashKey)
    for (const { entry, key, hashKey } of this.#records) writeRecord(writer, entry, key, hashKey)
    out.set(md5(out.subarray(MAGIC.length, writer.at)), writer.at)
    return out
  }
}

function writeRecord(writer: Writer, entry: AggregateEntry, key: number, hashKey: number): void {
  writer.start(3, recordBytes(entry, key, hashKey))
  writer.number(1, key)
  if (hashKey !== NONE) writer.number(2, hashKey)
  writer.delimited(3, entry.data)
  for (const tag of entry.tags ?? []) {
    writer.start(4, tagBytes(tag))
    writer.delimited(1, encoder.encode(tag.key))
    if (tag.value !== undefined) writer.delimited(2, encoder.encode(tag.value))
  }
}

function recordBytes({ data, tags }: AggregateEntry, key: number, hashKey: number): number {
  let bytes = 1 + varintBytes(key) + lengthDelimited(data.length)
  if (hashKey !== NONE) bytes += 1 + varintBytes(hashKey)
  if (tags !== undefined) for (const tag of tags) bytes += lengthDelimited(tagBytes(tag))
  return bytes
}

function tagBytes({ key, value }: Tag): number {
  const bytes = lengthDelimited(utf8Bytes(key))
  return value === undefined ? bytes : bytes + lengthDelimited(utf8Bytes(value))
}

/** A field of bytes whose number is below 16. */
function lengthDelimited(length: number): number {
  return 1 + varintBytes(length) + length
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

/** The texts of a table, each once, in the order in which they came. */
class TextTable {
  readonly #indexes = new Map<string, number>()
  readonly texts: Uint8Array[] = []

  /** Where the text is, or would be: the table's length. */
  indexOf(text: string): number {
    return this.#indexes.get(text) ?? this.texts.length
  }

  add(text: string): number {
    const index = this.indexOf(text)
    if (index === this.texts.length) {
      this.#indexes.set(text, index)
      this.texts.push(encoder.encode(text))
    }
    return index
  }

  /** What the message grows by when the text is added. */
  bytesFor(text: string): number {
    return this.#indexes.has(text) ? 0 : lengthDelimited(utf8Bytes(text))
  }
}

class Writer {
  readonly #out: Uint8Array
  at: number

  constructor(out: Uint8Array, at: number) {
    this.#out = out
    this.at = at
  }

  number(field: number, value: number): void {
    this.#varint(field * 8)
    this.#varint(value)
  }

  /** The head of a field of bytes, which are to follow. */
  start(field: number, length: number): void {
    this.#varint(field * 8 + 2)
    this.#varint(length)
  }

  delimited(field: number, bytes: Uint8Array): void {
    this.start(field, bytes.length)
    this.#out.set(bytes, this.at)
    this.at += bytes.length
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      this.#out[this.at] = (rest % 128) | 0x80
      this.at += 1
    }
    this.#out[this.at] = rest
    this.at += 1
  }
}
