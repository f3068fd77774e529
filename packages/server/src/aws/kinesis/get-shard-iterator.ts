import { compareSequence, type ShardInfo, type StartPosition } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { type FoundStream, findStream, type StreamRef, shardsOf } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { dryRun, invalidArgument, shardDoesNotExist, shardNotFound } from './kinesis-errors.ts'
import { takeIterator } from './request-rates.ts'
import { fullShardId, numberBefore } from './shard-ids.ts'
import { type ShardIterator, sealIterator } from './shard-iterators.ts'

export interface GetShardIteratorInput extends StreamRef {
  readonly ShardId: string
  readonly ShardIteratorType:
    | 'AT_SEQUENCE_NUMBER'
    | 'AFTER_SEQUENCE_NUMBER'
    | 'TRIM_HORIZON'
    | 'LATEST'
    | 'AT_TIMESTAMP'
  readonly StartingSequenceNumber?: string
  readonly Timestamp?: Date
  readonly DryRun?: boolean
}

/** Where a shard is being looked at, for refusals. */
interface Place {
  readonly context: KinesisContext
  readonly stream: FoundStream
  readonly shard: ShardInfo
}

export async function getShardIterator(
  context: KinesisContext,
  input: GetShardIteratorInput,
): Promise<AwsStructure> {
  const { engine, accountId, tokens } = context
  const stream = await findStream(context, input)
  const { name, info } = stream
  const shardId = fullShardId(input.ShardId)
  if (shardId === undefined) throw shardNotFound({ shardId: input.ShardId, name, accountId })
  const shard = (await shardsOf(context, stream)).find((one) => one.shardId === shardId)
  if (shard === undefined) throw shardDoesNotExist({ shardId, name, accountId })
  const from = await positionOf({ context, stream, shard }, input)
  takeIterator(context, stream, shardId)
  if (input.DryRun === true) throw dryRun()
  const issuedAtMs = engine.clock.now()
  const iterator: ShardIterator = { name, streamId: info.streamId, shardId, from, issuedAtMs }
  return { ShardIterator: sealIterator(tokens, iterator) }
}

async function positionOf(place: Place, input: GetShardIteratorInput): Promise<ShardIterator['from']> {
  const type = input.ShardIteratorType
  const sequenceNumber = input.StartingSequenceNumber
  switch (type) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      if (sequenceNumber !== undefined) throw mismatch(type, 'also a StartingSequenceNumber')
      return type === 'LATEST' ? await latest(place) : { at: 'trim_horizon' }
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER': {
      if (sequenceNumber === undefined) throw mismatch(type, 'no StartingSequenceNumber')
      await checkSequence(place, sequenceNumber)
      const at = type === 'AT_SEQUENCE_NUMBER' ? 'at_sequence_number' : 'after_sequence_number'
      return { at, sequenceNumber }
    }
    case 'AT_TIMESTAMP':
      return { at: 'at_timestamp', timestampMs: checkedTime(place, input.Timestamp) }
  }
}

/** The end as it is now: what is stored between this call and the first GetRecords is read. */
async function latest({ context, stream, shard }: Place): Promise<ShardIterator['from']> {
  const { log } = context.engine
  const sequenceNumber = await log.nextSequenceNumber?.(stream.name, shard.shardId)
  if (sequenceNumber !== undefined) return { at: 'at_sequence_number', sequenceNumber }
  const request = { stream: stream.name, shardId: shard.shardId, maxRecords: 1, maxBytes: 1, waitMs: 0 }
  const { next } = await log.read({ ...request, from: { at: 'latest' } satisfies StartPosition })
  if (next !== undefined && next.at !== 'latest') return next
  // The end of a closed shard.
  return { at: 'after_sequence_number', sequenceNumber: shard.endingSequenceNumber as string }
}

/**
 * Only numbers of this shard. Numbers of another one that lie in its range are not told apart: unlike the service's, they
 * do not say which shard gave them.
 */
async function checkSequence({ context, stream, shard }: Place, sequenceNumber: string): Promise<void> {
  const { shardId } = shard
  const next = await context.engine.log.nextSequenceNumber?.(stream.name, shardId)
  // The number before the first one is known from the shard's description.
  const isBelow = compareSequence(sequenceNumber, numberBefore(shard)) < 0
  const isAbove = next !== undefined && compareSequence(sequenceNumber, next) >= 0
  if (!isBelow && !isAbove) return
  throw invalidArgument(
    `StartingSequenceNumber ${sequenceNumber} used in GetShardIterator on shard ${shardId} in stream ${stream.name} ` +
      `under account ${context.accountId} is invalid.`,
  )
}

function checkedTime({ context }: Place, timestamp: Date | undefined): number {
  if (timestamp === undefined)
    throw invalidArgument(
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp ' +
        'parameter.',
    )
  const atMs = timestamp.getTime()
  const nowMs = context.engine.clock.now()
  if (atMs > nowMs)
    throw invalidArgument(
      'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
        `timestampInMillis: ${atMs}, currentTimestampInMillis: ${nowMs}`,
    )
  return atMs
}

function mismatch(type: string, specified: string): Error {
  return invalidArgument(
    'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON ' +
      `or LATEST and no StartingSequenceNumber. Request specified ${type} and ${specified}.`,
  )
}
