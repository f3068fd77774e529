import type { LogRecord } from '@eddy/core'
import type { RawOperation } from '../../aws-service.ts'
import { NO_KEY } from '../append-entries.ts'
import { type GetRecordsInput, type RecordsPage, readPage } from '../get-records.ts'
import type { KinesisContext } from '../kinesis-context.ts'
import { parseStreamArn } from '../stream-arn.ts'

/** A request of the members that are read here is far shorter. */
const MAX_BODY_BYTES = 2_048
const MAX_ITERATOR_CHARACTERS = 512
const MAX_LIMIT = 10_000
/** Of a record's JSON, beside its data and key: 91 characters of names, a sequence number, a time. */
const RECORD_OVERHEAD_BYTES = 256
const FRAME_BYTES = 64
/** Written in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

/** GetRecords from bytes to bytes; what it does and answers is what `getRecords` does and answers. */
export function rawGetRecords(context: KinesisContext): RawOperation {
  return (body) => {
    const input = plainInput(body)
    return input === undefined ? undefined : readPage(context, input).then(answerOf)
  }
}

function plainInput(body: Uint8Array): GetRecordsInput | undefined {
  if (body.length > MAX_BODY_BYTES) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { ShardIterator, Limit, StreamARN, ...others } = parsed as Record<string, unknown>
  if (Object.keys(others).length > 0) return undefined
  if (typeof ShardIterator !== 'string' || ShardIterator.length > MAX_ITERATOR_CHARACTERS) return undefined
  if (ShardIterator.length === 0) return undefined
  if (StreamARN !== undefined && (typeof StreamARN !== 'string' || parseStreamArn(StreamARN) === undefined))
    return undefined
  const arn = typeof StreamARN === 'string' ? { StreamARN } : {}
  if (Limit === undefined) return { ShardIterator, ...arn }
  if (!Number.isInteger(Limit) || Number(Limit) < 1 || Number(Limit) > MAX_LIMIT) return undefined
  return { ShardIterator, Limit: Number(Limit), ...arn }
}

/** Members are in the order of the general way. */
function answerOf(page: RecordsPage): Uint8Array {
  const keys = page.records.map(keyMember)
  const tail = tailOf(page)
  const answer = Buffer.allocUnsafe(lengthBound(page.records, keys) + tail.length)
  let at = 0
  let timeOf: number | undefined
  let time = ''
  let view: Buffer = Buffer.from('')
  // What lies between two records' data is one text: fewer and longer writes are the cheaper ones.
  let text = '{"Records":['
  for (let i = 0; i < page.records.length; i++) {
    const { sequenceNumber, arrivedAtMs, data } = page.records[i] as LogRecord
    // Records that came together have one time, and writing a fraction costs more than comparing it.
    if (arrivedAtMs !== timeOf) {
      timeOf = arrivedAtMs
      time = String(arrivedAtMs / 1_000)
    }
    text += `{"SequenceNumber":"${sequenceNumber}","ApproximateArrivalTimestamp":${time},"Data":"`
    at += answer.write(text, at, 'utf8')
    // Neighbours lie in one stretch of memory, mostly.
    if (view.buffer !== data.buffer) view = Buffer.from(data.buffer)
    at += answer.write(view.toString('base64', data.byteOffset, data.byteOffset + data.length), at, 'latin1')
    text = `"${keys[i]},"EncryptionType":"NONE"}${i === page.records.length - 1 ? '' : ','}`
  }
  at += answer.write(text + tail, at, 'utf8')
  return answer.subarray(0, at)
}

function keyMember({ partitionKey }: LogRecord): string {
  if (partitionKey === NO_KEY) return ''
  return PLAIN.test(partitionKey)
    ? `,"PartitionKey":"${partitionKey}"`
    : `,"PartitionKey":${JSON.stringify(partitionKey)}`
}

function lengthBound(records: readonly LogRecord[], keys: readonly string[]): number {
  let bytes = FRAME_BYTES
  for (let i = 0; i < records.length; i++) {
    const { length } = (records[i] as LogRecord).data
    // A character of a key has three bytes at most: a pair of surrogates has four, and JSON escapes a lone one.
    bytes += Math.ceil(length / 3) * 4 + (keys[i] as string).length * 3 + RECORD_OVERHEAD_BYTES
  }
  return bytes
}

function tailOf({ nextIterator, childShards, millisBehindLatest }: RecordsPage): string {
  const end =
    nextIterator === undefined
      ? `"ChildShards":${JSON.stringify(childShards)}`
      : `"NextShardIterator":"${nextIterator}"`
  return `],${end},"MillisBehindLatest":${millisBehindLatest}}`
}
