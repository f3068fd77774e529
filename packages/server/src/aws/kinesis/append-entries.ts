import {
  type AppendEntry,
  type AppendResult,
  InvalidOptionError,
  StreamNotFoundError,
  ThrottledError,
} from '@eddy/core'
import { maxRecordBytesOf } from './describe-stream.ts'
import type { FoundStream } from './find-stream.ts'
import { type KinesisContext, MAX_RECORD_BYTES } from './kinesis-context.ts'
import {
  dryRun,
  INTERNAL_FAILURE_MESSAGE,
  internalFailure,
  invalidArgument,
  streamNotFound,
  throughputExceeded,
  validation,
} from './kinesis-errors.ts'

/** What the log keeps for a record without a key, which only AUTO distribution allows: logs know no such record. */
export const NO_KEY = '\u0000\u0000aws-kinesis-no-partition-key'

const HASH_KEY_WORDS = 4
const HASH_KEY_SPACE = 1n << 128n

export interface RecordEntry {
  readonly Data: Uint8Array
  readonly PartitionKey?: string
  readonly ExplicitHashKey?: string
}

/**
 * The entries as the log takes them, once all of them are such as the stream allows: a request with one that is not is
 * refused as a whole.
 *
 * @param place - where the record is, for a refusal: `records.3.member.` or nothing
 * @throws AwsError
 */
export function toEntries(
  context: KinesisContext,
  stream: FoundStream,
  records: readonly RecordEntry[],
  place: (index: number) => string,
): AppendEntry[] {
  requireWritable(context, stream)
  const isAuto = stream.notes.strategy === 'AUTO'
  const maxBytes = maxRecordBytesOf(stream)
  // The model knows the service's own limit; an application may give its stream a lower one.
  const maxKeyCharacters = stream.info.limits?.maxPartitionKeyCharacters ?? Number.POSITIVE_INFINITY
  let requestBytes = 0
  const entries = records.map((record, index): AppendEntry => {
    const { Data: data, PartitionKey } = record
    if (PartitionKey === undefined && !isAuto)
      throw invalidKey('null', place(index), 'Member must not be null')
    if (PartitionKey !== undefined && PartitionKey.length > maxKeyCharacters)
      throw invalidKey(
        `'${PartitionKey}'`,
        place(index),
        `Member must have length less than or equal to ${maxKeyCharacters}`,
      )
    const partitionKey = PartitionKey ?? NO_KEY
    // As the log counts them: what it would refuse for its size is refused here, for good.
    const bytes = data.length + Buffer.byteLength(partitionKey)
    requestBytes += bytes
    if (bytes > maxBytes) throw tooLarge(context, stream, bytes, maxBytes)
    if (isAuto) return { partitionKey, explicitHashKey: randomHashKey(context), data }
    const { ExplicitHashKey: explicitHashKey } = record
    if (explicitHashKey === undefined) return { partitionKey, data }
    checkHashKey(explicitHashKey)
    return { partitionKey, explicitHashKey, data }
  })
  checkRequestBytes(stream, requestBytes)
  return entries
}

/** While a stream is being created or deleted, writing to it is as if it were not there. @throws AwsError */
export function requireWritable({ accountId }: KinesisContext, { name, status }: FoundStream): void {
  if (status === 'CREATING' || status === 'DELETING') throw streamNotFound(name, accountId)
}

/** Data and partition keys together. @throws AwsError */
export function checkRequestBytes({ info }: FoundStream, bytes: number): void {
  const limit = info.limits?.maxRequestBytes ?? MAX_RECORD_BYTES
  // Before the limit was raised the service said so of 5 MB; the figure of today is unverified.
  if (bytes > limit)
    throw invalidArgument(`Records size exceeds ${Math.floor(limit / 1_024 / 1_024)} MB limit`)
}

/** Appends; what concerns the request as a whole is thrown. @throws AwsError */
export async function append(
  context: KinesisContext,
  { name }: FoundStream,
  entries: readonly AppendEntry[],
  isDryRun: boolean | undefined,
): Promise<readonly AppendResult[]> {
  if (isDryRun === true) throw dryRun()
  try {
    // The service promises no order within a call: clients that count on one would find out there.
    return await context.engine.log.append(name, entries, { keyOrder: 'free' })
  } catch (error) {
    if (error instanceof StreamNotFoundError) throw streamNotFound(name, context.accountId)
    if (error instanceof ThrottledError) throw throughputExceeded(error.message)
    if (error instanceof InvalidOptionError) throw invalidArgument(error.message)
    // Any of them may have been stored, or none: a client that sends them again may make copies, as on the service.
    context.logger.error({ error, stream: name }, 'AWS endpoint: an append failed')
    throw internalFailure()
  }
}

/** How the service words a refused entry: only these two codes exist. */
export function refusal(
  { accountId }: KinesisContext,
  result: AppendResult & { readonly ok: false },
): { readonly code: string; readonly message: string } {
  if (result.code !== 'throttled') return { code: 'InternalFailure', message: INTERNAL_FAILURE_MESSAGE }
  // The log knows the shard, and no account but this engine's own.
  const message = result.message.replace(/account \d{12}\.$/, `account ${accountId}.`)
  return { code: 'ProvisionedThroughputExceededException', message }
}

function invalidKey(value: string, place: string, constraint: string): Error {
  return validation(
    `1 validation error detected: Value ${value} at '${place}partitionKey' failed to satisfy constraint: ${constraint}`,
  )
}

function checkHashKey(hashKey: string): void {
  if (BigInt(hashKey) < HASH_KEY_SPACE) return
  throw invalidArgument(
    'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
      `Specified value was ${hashKey}`,
  )
}

/** Unverified error and text. */
function tooLarge(context: KinesisContext, { name }: FoundStream, bytes: number, maxBytes: number): Error {
  return invalidArgument(
    `A record of ${bytes} bytes (data and partition key) exceeds the maximum record size of ${maxBytes} bytes of stream ` +
      `${name} under account ${context.accountId}.`,
  )
}

/** AUTO spreads records evenly, wherever their keys would place them. */
function randomHashKey({ engine }: KinesisContext): string {
  let hashKey = 0n
  for (let i = 0; i < HASH_KEY_WORDS; i++)
    hashKey = (hashKey << 32n) | BigInt(Math.floor(engine.clock.random() * 2 ** 32))
  return hashKey.toString()
}
