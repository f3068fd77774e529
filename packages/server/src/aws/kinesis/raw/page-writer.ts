import type { RecordBytes } from '@eddy/core'
import type { RawAnswer } from '../../aws-service.ts'
import { NO_KEY } from '../append-entries.ts'
import type { AnswerBuffers } from './answer-buffers.ts'

const BEGIN = Buffer.from('{"Records":[')
const SEQUENCE_NUMBER = Buffer.from('{"SequenceNumber":"')
const PARTITION_KEY = Buffer.from(',"PartitionKey":')
const RECORD_END = Buffer.from(',"EncryptionType":"NONE"}')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
/** Of a record's JSON, beside its data and key: 132 characters of names, a sequence number, a time. */
const RECORD_OVERHEAD_BYTES = 256
/** JSON escapes a byte of a key with six characters at most. */
const KEY_EXPANSION = 6
/** An answer that fills less of its buffer is copied: the buffer is free at once. */
const MIN_FILL = 1 / 8

/** Writes an answer of GetRecords record by record, with members in the order of the general way. */
export class PageWriter {
  readonly #buffers: AnswerBuffers
  #target: Buffer
  #at = 0
  #records = 0
  /** The chunk that the records are in, as a Buffer. */
  #source: Buffer = BEGIN
  #timeOf: number | undefined
  /** What lies between sequence number and data. Records that came together have one time: it is written once for all. */
  #time: Buffer = BEGIN

  constructor(buffers: AnswerBuffers) {
    this.#buffers = buffers
    this.#target = buffers.take(BEGIN.length)
    this.#put(BEGIN)
  }

  add(record: RecordBytes): void {
    const { sequenceNumber, arrivedAtMs, bytes, keyStart, keyEnd, dataStart, dataEnd } = record
    this.#reserve(
      base64Bytes(dataEnd - dataStart) + (keyEnd - keyStart) * KEY_EXPANSION + RECORD_OVERHEAD_BYTES,
    )
    if (bytes !== this.#source) this.#source = asBuffer(bytes)
    if (arrivedAtMs !== this.#timeOf) {
      this.#timeOf = arrivedAtMs
      this.#time = Buffer.from(`","ApproximateArrivalTimestamp":${arrivedAtMs / 1_000},"Data":"`)
    }
    if (this.#records > 0) this.#target[this.#at++] = COMMA
    this.#records += 1
    this.#put(SEQUENCE_NUMBER)
    for (let i = 0; i < sequenceNumber.length; i++) this.#target[this.#at++] = sequenceNumber.charCodeAt(i)
    this.#put(this.#time)
    this.#at += this.#target.write(this.#source.toString('base64', dataStart, dataEnd), this.#at, 'latin1')
    this.#target[this.#at++] = QUOTE
    this.#putKey(keyStart, keyEnd)
    this.#put(RECORD_END)
  }

  /** @param tail - the members behind the records, and the end */
  finish(tail: string): RawAnswer {
    this.#reserve(tail.length * 3)
    this.#at += this.#target.write(tail, this.#at, 'utf8')
    const target = this.#target
    const body = target.subarray(0, this.#at)
    if (body.length >= target.length * MIN_FILL)
      return { body, release: () => this.#buffers.giveBack(target) }
    const copy = Buffer.from(body)
    this.#buffers.giveBack(target)
    return { body: copy }
  }

  /** For an answer that is not given: nothing may be written any more. */
  discard(): void {
    this.#buffers.giveBack(this.#target)
  }

  #put(bytes: Buffer): void {
    this.#target.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #putKey(start: number, end: number): void {
    const from = this.#at
    this.#put(PARTITION_KEY)
    const target = this.#target
    let at = this.#at
    target[at++] = QUOTE
    for (let i = start; i < end; i++) {
      const byte = this.#source[i] as number
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        // Not written in JSON as it is.
        this.#at = from
        this.#putUnusualKey(this.#source.toString('utf8', start, end))
        return
      }
      target[at++] = byte
    }
    target[at++] = QUOTE
    this.#at = at
  }

  #putUnusualKey(key: string): void {
    if (key === NO_KEY) return
    this.#put(PARTITION_KEY)
    this.#at += this.#target.write(JSON.stringify(key), this.#at, 'utf8')
  }

  #reserve(bytes: number): void {
    const filled = this.#target
    if (filled.length - this.#at >= bytes) return
    this.#target = this.#buffers.take(Math.max(this.#at + bytes, filled.length * 2))
    this.#target.set(filled.subarray(0, this.#at))
    this.#buffers.giveBack(filled)
  }
}

function base64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
