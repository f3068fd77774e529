import type { AwsStructure } from '../aws-service.ts'
import { findStream, requireActive, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { validation } from './kinesis-errors.ts'
import type { DistributionStrategy, StreamMode } from './stream-notes.ts'

export interface UpdateStreamModeInput extends StreamRef {
  readonly StreamModeDetails: { readonly StreamMode: StreamMode }
  readonly WarmThroughputMiBps?: number
}

export interface UpdateStrategyInput extends StreamRef {
  readonly RecordDistributionStrategy: DistributionStrategy
}

export interface UpdateMaxRecordSizeInput extends StreamRef {
  readonly MaxRecordSizeInKiB: number
}

/** The stream keeps its shards, and each shard its limits. */
export async function updateStreamMode(
  context: KinesisContext,
  input: UpdateStreamModeInput,
): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const mode = input.StreamModeDetails.StreamMode
  // Unverified texts.
  if ((input.WarmThroughputMiBps ?? 0) > 0)
    throw validation('WarmThroughputMiBps requires MinimumThroughputBillingCommitment for the account.')
  if (mode === 'PROVISIONED' && stream.notes.strategy === 'AUTO')
    throw validation('RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND mode.')
  await context.changes.begin(stream.name, { ...stream.notes, mode }, { kind: 'update' })
  return {}
}

/** Takes effect at once: the stream stays ACTIVE. */
export async function updateStrategy(
  context: KinesisContext,
  input: UpdateStrategyInput,
): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const strategy = input.RecordDistributionStrategy
  // Unverified text.
  if (stream.notes.mode === 'PROVISIONED')
    throw validation('RecordDistributionStrategy is only supported for streams in ON_DEMAND mode.')
  await context.book.write(stream.name, { ...stream.notes, strategy })
  return {}
}

export async function updateMaxRecordSize(
  context: KinesisContext,
  input: UpdateMaxRecordSizeInput,
): Promise<AwsStructure> {
  const { log } = context.engine
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const maxRecordBytes = input.MaxRecordSizeInKiB * 1_024
  const { limits } = stream.info
  // Limits are the log's, which enforces them for every writer.
  if (limits !== undefined) await log.setLimits?.(stream.name, { limits: { ...limits, maxRecordBytes } })
  const notes = limits === undefined ? { ...stream.notes, maxRecordBytes } : stream.notes
  await context.changes.begin(stream.name, notes, { kind: 'update' })
  return {}
}
