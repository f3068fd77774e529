import type { PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import type { AppendEntry, AppendResult } from '@eddy/core'

const MAX_KEY_CHARACTERS = 256
const HASH_KEY = /^(0|[1-9]\d{0,38})$/

/** One record's fate, as PutRecords answers it. */
export function resultOfEntry({
  ShardId,
  SequenceNumber,
  ErrorCode,
  ErrorMessage,
}: PutRecordsResultEntry): AppendResult {
  if (ErrorCode === undefined || ErrorCode === '') {
    if (ShardId !== undefined && SequenceNumber !== undefined) return stored(ShardId, SequenceNumber)
    return failed('internal', 'the answer names neither a shard nor an error')
  }
  const message = `${ErrorCode}: ${ErrorMessage ?? 'no message'}`
  // Every other code of an entry is the service's own trouble (InternalFailure, its keys): it may be over soon.
  return failed(ErrorCode === 'ProvisionedThroughputExceededException' ? 'throttled' : 'internal', message)
}

export function stored(shardId: string, sequenceNumber: string): AppendResult {
  return { ok: true, shardId, sequenceNumber, duplicate: false }
}

/** Not stored; the same record may be sent again. */
export function failed(code: 'throttled' | 'internal', message: string): AppendResult {
  return { ok: false, code, retryable: true, message }
}

/**
 * Why Kinesis would refuse the whole request for this record; undefined when it would not. What is found here fails
 * alone.
 */
export function refusalOf(entry: AppendEntry, maxRecordBytes: number): AppendResult | undefined {
  const { partitionKey, explicitHashKey, data } = entry
  if (partitionKey === '' || [...partitionKey].length > MAX_KEY_CHARACTERS)
    return refused('invalid', `partitionKey: expected 1 to ${MAX_KEY_CHARACTERS} characters`)
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey))
    return refused('invalid', 'explicitHashKey: expected a decimal integer from 0 to 2^128 - 1')
  const bytes = data.length + Buffer.byteLength(partitionKey)
  if (bytes <= maxRecordBytes) return undefined
  return refused(
    'too-large',
    `a record of ${bytes} bytes with its key is over the stream's limit of ${maxRecordBytes} bytes. Raise it with UpdateMaxRecordSize, or store the body elsewhere.`,
  )
}

function refused(code: 'invalid' | 'too-large', message: string): AppendResult {
  return { ok: false, code, retryable: false, message }
}

function isHashKey(text: string): boolean {
  return HASH_KEY.test(text) && BigInt(text) < 1n << 128n
}
