import {
  type LogRecord,
  type ReadEachRequest,
  type ReadResult,
  ShardNotFoundError,
  StreamNotFoundError,
  ThrottledError,
} from '@eddy/core'
import { AwsError } from '../aws-error.ts'
import type { AwsStructure } from '../aws-service.ts'
import { NO_KEY } from './append-entries.ts'
import { type FoundStream, findNamed, nameOf, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import {
  dryRun,
  internalFailure,
  invalidArgument,
  rateExceededForShard,
  shardDoesNotExist,
  throughputExceeded,
} from './kinesis-errors.ts'
import { horizonMs } from './retention-period.ts'
import { isOfStream, openIterator, type ShardIterator, sealIterator } from './shard-iterators.ts'

const MAX_RECORDS = 10_000
const MAX_READ_BYTES = 10 * 1_024 * 1_024
const ITERATOR_LIFETIME_MS = 300_000

export interface GetRecordsInput extends Pick<StreamRef, 'StreamARN'> {
  readonly ShardIterator: string
  readonly Limit?: number
  readonly DryRun?: boolean
}

/** What an answer says behind its records. */
export interface PageEnd {
  /** Undefined: the shard is closed, and this was its end. */
  readonly nextIterator: string | undefined
  readonly millisBehindLatest: number
  readonly childShards: readonly AwsStructure[]
}

/**
 * Reads from the log, one way or another.
 *
 * @param notBeforeMs - what arrived before has expired. It comes first, since arrival never falls within a shard; logs
 * remove it a little later.
 */
type Read<R> = (request: ReadEachRequest, notBeforeMs: number) => Promise<R>

export async function getRecords(context: KinesisContext, input: GetRecordsInput): Promise<AwsStructure> {
  const { log } = context.engine
  const { read, end } = await readPage(context, input, async (request, notBeforeMs) => {
    const result = await log.read({ ...request, waitMs: 0 })
    return { ...result, records: result.records.filter(({ arrivedAtMs }) => arrivedAtMs >= notBeforeMs) }
  })
  return {
    Records: read.records.map(toMembers),
    ...(end.nextIterator === undefined
      ? { ChildShards: end.childShards }
      : { NextShardIterator: end.nextIterator }),
    MillisBehindLatest: end.millisBehindLatest,
  }
}

function toMembers({ sequenceNumber, arrivedAtMs, data, partitionKey }: LogRecord): AwsStructure {
  return {
    SequenceNumber: sequenceNumber,
    ApproximateArrivalTimestamp: new Date(arrivedAtMs),
    Data: data,
    ...(partitionKey !== NO_KEY && { PartitionKey: partitionKey }),
    EncryptionType: 'NONE',
  }
}

/** @throws AwsError */
export async function readPage<R extends Pick<ReadResult, 'next' | 'millisBehindLatest'>>(
  context: KinesisContext,
  input: GetRecordsInput,
  read: Read<R>,
): Promise<{ readonly read: R; readonly end: PageEnd }> {
  const { engine, tokens } = context
  const iterator = openIterator(tokens, input.ShardIterator)
  if (iterator === undefined) throw invalidArgument('Invalid ShardIterator.')
  const stream = await streamOf(context, iterator, input)
  checkAge(iterator, stream, engine.clock.now())
  if (input.DryRun === true) throw dryRun()
  const result = await readFrom(context, stream, iterator, input.Limit, read)
  const { next, millisBehindLatest } = result
  return {
    read: result,
    end: {
      nextIterator:
        next === undefined || next.at === 'latest'
          ? undefined
          : sealIterator(tokens, { ...iterator, from: next, issuedAtMs: engine.clock.now() }),
      millisBehindLatest: Math.max(0, Math.floor(millisBehindLatest)),
      childShards: next === undefined ? await childrenOf(context, iterator) : [],
    },
  }
}

async function streamOf(
  context: KinesisContext,
  iterator: ShardIterator,
  input: GetRecordsInput,
): Promise<FoundStream> {
  const { name, shardId } = iterator
  if (input.StreamARN !== undefined && nameOf(context, input) !== name)
    // Unverified text.
    throw invalidArgument(`StreamARN ${input.StreamARN} is not that of the shard iterator's stream.`)
  const stream = await findNamed(context, name).catch((error: unknown) => {
    if (error instanceof AwsError) return undefined
    throw error
  })
  if (stream === undefined || !isOfStream(iterator, stream.info.streamId))
    throw shardDoesNotExist({ shardId, name, accountId: context.accountId })
  return stream
}

function checkAge({ issuedAtMs }: ShardIterator, { info }: FoundStream, nowMs: number): void {
  const lifetimeMs = info.limits?.iteratorLifetimeMs ?? ITERATOR_LIFETIME_MS
  if (nowMs - issuedAtMs <= lifetimeMs) return
  throw new AwsError(
    'ExpiredIteratorException',
    `Iterator expired. The iterator was created at time ${utcText(issuedAtMs)} while right now it is ${utcText(nowMs)} ` +
      `which is further in the future than the tolerated delay of ${lifetimeMs} milliseconds.`,
  )
}

async function readFrom<R>(
  { engine, accountId, logger, readTurns }: KinesisContext,
  stream: FoundStream,
  { shardId, from }: ShardIterator,
  limit: number | undefined,
  read: Read<R>,
): Promise<R> {
  await readTurns.next()
  const { name } = stream
  const request = { stream: name, shardId, from, maxRecords: limit ?? MAX_RECORDS, maxBytes: MAX_READ_BYTES }
  try {
    return await read(request, horizonMs(stream, engine.clock.now()))
  } catch (error) {
    const place = { shardId, name, accountId }
    if (error instanceof ThrottledError) throw throughputExceeded(rateExceededForShard(place))
    if (error instanceof StreamNotFoundError || error instanceof ShardNotFoundError)
      throw shardDoesNotExist(place)
    logger.error({ error, stream: name, shardId }, 'AWS endpoint: a read failed')
    throw internalFailure()
  }
}

async function childrenOf(
  { engine }: KinesisContext,
  { name, shardId }: ShardIterator,
): Promise<AwsStructure[]> {
  const shards = await engine.log.listShards(name)
  return shards
    .filter(({ parentShardIds }) => parentShardIds.includes(shardId))
    .map((child) => ({
      ShardId: child.shardId,
      ParentShards: child.parentShardIds,
      HashKeyRange: { StartingHashKey: child.startingHashKey, EndingHashKey: child.endingHashKey },
    }))
}

/** `Thu Jan 22 01:22:02 UTC 2015` */
function utcText(atMs: number): string {
  const [day = '', date, month, year, time] = new Date(atMs).toUTCString().split(' ')
  return `${day.slice(0, -1)} ${month} ${date} ${time} UTC ${year}`
}
