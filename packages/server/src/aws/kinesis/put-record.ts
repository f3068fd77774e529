import { type AppendEntry, type AppendResult, compareSequence } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { append, type RecordEntry, refusal, toEntries } from './append-entries.ts'
import { type FoundStream, findStream, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { internalFailure, invalidArgument, throughputExceeded, validation } from './kinesis-errors.ts'

export interface PutRecordInput extends StreamRef, RecordEntry {
  readonly SequenceNumberForOrdering?: string
  readonly DryRun?: boolean
}

export async function putRecord(context: KinesisContext, input: PutRecordInput): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  const [entry] = toEntries(context, stream, [input], () => '') as [AppendEntry]
  const orderedAfter = input.SequenceNumberForOrdering
  if (orderedAfter !== undefined) await checkOrderedAfter(context, stream, orderedAfter)
  const asked = orderedAfter === undefined ? entry : { ...entry, orderedAfter }
  const [result] = (await append(context, stream, [asked], input.DryRun)) as [AppendResult]
  if (result.ok)
    return { ShardId: result.shardId, SequenceNumber: result.sequenceNumber, EncryptionType: 'NONE' }
  const { code, message } = refusal(context, result)
  throw code === 'InternalFailure' ? internalFailure() : throughputExceeded(message)
}

/** A number that no shard of the stream has given yet cannot be the one of a record before. */
async function checkOrderedAfter(
  { engine, accountId }: KinesisContext,
  { name, notes }: FoundStream,
  sequenceNumber: string,
): Promise<void> {
  // Unverified text.
  if (notes.strategy === 'AUTO')
    throw validation(
      `SequenceNumberForOrdering is not supported on stream ${name} under account ${accountId}, whose record ` +
        'distribution strategy is AUTO.',
    )
  const { log } = engine
  for (const { shardId, startingSequenceNumber } of await log.listShards(name)) {
    if (compareSequence(sequenceNumber, startingSequenceNumber) < 0) continue
    const next = await log.nextSequenceNumber?.(name, shardId)
    if (next === undefined || compareSequence(sequenceNumber, next) < 0) return
  }
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${sequenceNumber} used in PutRecord on stream ${name} under account ${accountId} is ` +
      'invalid.',
  )
}
