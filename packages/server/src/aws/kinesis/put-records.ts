import type { AppendResult } from '@eddy/core'
import type { AwsStructure } from '../aws-service.ts'
import { append, type RecordEntry, refusal, toEntries } from './append-entries.ts'
import { findStream, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'

export interface PutRecordsInput extends StreamRef {
  readonly Records: readonly RecordEntry[]
  readonly DryRun?: boolean
}

/** Results are in the order of the request; what was refused says so, and the others are stored. */
export async function putRecords(context: KinesisContext, input: PutRecordsInput): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  const entries = toEntries(context, stream, input.Records, (index) => `records.${index + 1}.member.`)
  const results = await append(context, stream, entries, input.DryRun)
  return {
    FailedRecordCount: results.filter(({ ok }) => !ok).length,
    Records: results.map((result) => resultOf(context, result)),
    EncryptionType: 'NONE',
  }
}

function resultOf(context: KinesisContext, result: AppendResult): AwsStructure {
  if (result.ok) return { SequenceNumber: result.sequenceNumber, ShardId: result.shardId }
  const { code, message } = refusal(context, result)
  return { ErrorCode: code, ErrorMessage: message }
}
