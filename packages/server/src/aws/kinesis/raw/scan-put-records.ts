import type { RecordEntry } from '../append-entries.ts'
import type { PutRecordsInput } from '../put-records.ts'
import { parseStreamArn } from '../stream-arn.ts'
import { ByteScanner } from './byte-scanner.ts'

const MAX_RECORDS = 500
const NAME = /^[a-zA-Z0-9_.-]{1,128}$/
const HASH_KEY = /^(?:0|[1-9]\d{0,38})$/
const MAX_KEY_CHARACTERS = 256

const RECORDS = quoted('Records')
const STREAM_NAME = quoted('StreamName')
const STREAM_ARN = quoted('StreamARN')
const DATA = quoted('Data')
const PARTITION_KEY = quoted('PartitionKey')
const EXPLICIT_HASH_KEY = quoted('ExplicitHashKey')

/**
 * A JSON PutRecords, read from its bytes: the one request whose body is large and comes often. Base64 is decoded from the
 * body into one buffer for all records.
 *
 * @returns undefined for what is not plainly right, or not as plain as SDKs write it: the general way reads it then, and
 * finds the words for what is wrong with it
 */
export function scanPutRecords(body: Buffer): PutRecordsInput | undefined {
  const scanner = new ByteScanner(body)
  let records: readonly RecordEntry[] | undefined
  let streamName: string | undefined
  let streamArn: string | undefined
  if (!scanner.takes('{')) return undefined
  do {
    if (records === undefined && scanner.takesName(RECORDS)) {
      records = scanRecords(scanner)
      if (records === undefined) return undefined
    } else if (streamName === undefined && scanner.takesName(STREAM_NAME)) {
      streamName = scanner.plainString()
      if (streamName === undefined || !NAME.test(streamName)) return undefined
    } else if (streamArn === undefined && scanner.takesName(STREAM_ARN)) {
      streamArn = scanner.plainString()
      if (streamArn === undefined || parseStreamArn(streamArn) === undefined) return undefined
    } else return undefined
  } while (scanner.takes(','))
  if (!scanner.takes('}') || !scanner.isAtEnd) return undefined
  if (records === undefined || (streamName ?? streamArn) === undefined) return undefined
  return {
    Records: records,
    ...(streamName !== undefined && { StreamName: streamName }),
    ...(streamArn !== undefined && { StreamARN: streamArn }),
  }
}

function scanRecords(scanner: ByteScanner): readonly RecordEntry[] | undefined {
  if (!scanner.takes('[')) return undefined
  const records: RecordEntry[] = []
  do {
    const record = records.length < MAX_RECORDS ? scanRecord(scanner) : undefined
    if (record === undefined) return undefined
    records.push(record)
  } while (scanner.takes(','))
  return scanner.takes(']') ? records : undefined
}

function scanRecord(scanner: ByteScanner): RecordEntry | undefined {
  if (!scanner.takes('{')) return undefined
  let data: Uint8Array | undefined
  let partitionKey: string | undefined
  let explicitHashKey: string | undefined
  do {
    if (data === undefined && scanner.takesName(DATA)) {
      data = scanner.base64()
      if (data === undefined) return undefined
    } else if (partitionKey === undefined && scanner.takesName(PARTITION_KEY)) {
      partitionKey = scanner.plainString()
      if (!isKey(partitionKey)) return undefined
    } else if (explicitHashKey === undefined && scanner.takesName(EXPLICIT_HASH_KEY)) {
      explicitHashKey = scanner.plainString()
      if (explicitHashKey === undefined || !HASH_KEY.test(explicitHashKey)) return undefined
    } else return undefined
  } while (scanner.takes(','))
  if (!scanner.takes('}') || data === undefined || partitionKey === undefined) return undefined
  return explicitHashKey === undefined
    ? { Data: data, PartitionKey: partitionKey }
    : { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey }
}

function isKey(key: string | undefined): boolean {
  return key !== undefined && key.length > 0 && key.length <= MAX_KEY_CHARACTERS
}

function quoted(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(`"${name}"`))
}
