import { isHashKey } from '../model/hash-key.ts'
import { Aggregate, COLUMNS } from './aggregate.ts'
import { beginsAggregate, MAGIC, MAX_USER_RECORDS, MD5_BYTES } from './aggregate-format.ts'
import { BYTES, ProtobufReader, VARINT } from './protobuf-reader.ts'

const MAX_KEY_CHARACTERS = 256
/** Of UTF-8: three for each character at most. */
const MAX_KEY_BYTES = MAX_KEY_CHARACTERS * 3
const FIRST_ROWS = 64
/** What a key takes in memory beside its characters, by measurement: the string and its place in the list. */
const KEY_BYTES = 32

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The aggregate that a record's data holds, in time and memory that grow with its bytes and no faster. Undefined for
 * everything else, which is then a record like any other: data of another format, a checksum that is wrong (as the KCL
 * has it), a message that is broken, empty, without a key or with one that no stream accepts, or of more than 1,000,000
 * records. Never throws, whatever the bytes.
 */
export function decodeAggregate(
  data: Uint8Array,
  md5: (bytes: Uint8Array) => Uint8Array,
): Aggregate | undefined {
  if (!beginsAggregate(data)) return undefined
  const end = data.length - MD5_BYTES
  const checksum = md5(data.subarray(MAGIC.length, end))
  for (let index = 0; index < MD5_BYTES; index += 1)
    if (checksum[index] !== data[end + index]) return undefined
  return readMessage(data, end)
}

function readMessage(data: Uint8Array, end: number): Aggregate | undefined {
  const keys: string[] = []
  const hashKeys: string[] = []
  const message = new ProtobufReader(data, MAGIC.length, end)
  let table = new Uint32Array(FIRST_ROWS * COLUMNS)
  let count = 0
  let keyBytes = 0
  while (message.next()) {
    if (message.wireType !== BYTES) continue
    if (message.field === 1 || message.field === 2) {
      const text = textOf(message)
      if (text === undefined || !(message.field === 1 ? isKey(text) : isHashKey(text))) return undefined
      if (message.field === 1) keys.push(text)
      else hashKeys.push(text)
      keyBytes += KEY_BYTES + message.length
    } else if (message.field === 3) {
      if (count === MAX_USER_RECORDS) return undefined
      if ((count + 1) * COLUMNS > table.length) table = doubled(table)
      if (!readRecord(message, table, count * COLUMNS)) return undefined
      count += 1
    }
  }
  if (message.isBroken || count === 0) return undefined
  // The tables may come after the records that point into them.
  for (let at = 0; at < count * COLUMNS; at += COLUMNS) {
    if ((table[at] as number) >= keys.length || (table[at + 1] as number) > hashKeys.length) return undefined
  }
  return new Aggregate(data, keys, hashKeys, table.slice(0, count * COLUMNS), keyBytes)
}

/** Writes the row of one record: key index, hash key index + 1 (0: none), data's start and length, message's start and length. */
function readRecord({ bytes, start, length }: ProtobufReader, table: Uint32Array, at: number): boolean {
  const record = new ProtobufReader(bytes, start, start + length)
  let hasKey = false
  let hasData = false
  table[at + 1] = 0
  while (record.next()) {
    if (record.wireType === VARINT && record.field === 1) {
      if (record.value > MAX_USER_RECORDS) return false
      table[at] = record.value
      hasKey = true
    } else if (record.wireType === VARINT && record.field === 2) {
      if (record.value > MAX_USER_RECORDS) return false
      table[at + 1] = record.value + 1
    } else if (record.wireType === BYTES && record.field === 3) {
      table[at + 2] = record.start
      table[at + 3] = record.length
      hasData = true
    }
  }
  table[at + 4] = start
  table[at + 5] = length
  return hasKey && hasData && !record.isBroken
}

function textOf({ bytes, start, length }: ProtobufReader): string | undefined {
  if (length > MAX_KEY_BYTES) return undefined
  try {
    return decoder.decode(bytes.subarray(start, start + length))
  } catch {
    return undefined
  }
}

function isKey(text: string): boolean {
  return text.length >= 1 && text.length <= MAX_KEY_CHARACTERS
}

function doubled(table: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(table.length * 2)
  larger.set(table)
  return larger
}
