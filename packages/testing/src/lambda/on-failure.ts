import type { InvocationResult } from './invocation.ts'
import type { KinesisEvent, KinesisEventRecord } from './kinesis-event.ts'

/** Where a mapping sends what it gives up. Called once for each discarded batch; its promise is waited for. */
export type OnFailureDestination =
  | {
      readonly type: 'sqs' | 'sns'
      /** The body of the message: metadata alone, as JSON text. */
      readonly send: (body: string) => Promise<void> | void
    }
  | {
      readonly type: 's3'
      /** The object: metadata and the whole event as escaped JSON in `payload`. */
      readonly put: (key: string, body: string) => Promise<void> | void
    }

export interface DiscardedBatch {
  readonly mappingUuid: string
  readonly shardId: string
  readonly streamArn: string
  readonly functionArn: string
  /** The documented example has RetryAttemptsExhausted; the other stands for a batch that grew too old. */
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded'
  readonly invokeCount: number
  /** Of the last invocation; undefined when there was none. */
  readonly result: InvocationResult | undefined
  readonly records: readonly KinesisEventRecord[]
  readonly nowMs: number
  /** For the object's name. */
  readonly objectUuid: string
}

/**
 * The document of a discarded batch (Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams
 * event source in Lambda"): to SQS and SNS metadata alone, to S3 the payload too. What the guide calls consolidation,
 * one document for several failed parts of a bisected batch, is not played.
 */
export async function sendDiscarded(destination: OnFailureDestination, batch: DiscardedBatch): Promise<void> {
  const metadata = metadataOf(batch)
  if (destination.type !== 's3') return await destination.send(JSON.stringify(metadata))
  const payload: KinesisEvent = { Records: batch.records }
  await destination.put(objectKey(batch), JSON.stringify({ ...metadata, payload: JSON.stringify(payload) }))
}

function metadataOf(batch: DiscardedBatch) {
  const { records, result } = batch
  const first = records[0] as KinesisEventRecord
  const last = records.at(-1) as KinesisEventRecord
  return {
    requestContext: {
      requestId: result?.requestId ?? batch.objectUuid,
      functionArn: batch.functionArn,
      condition: batch.condition,
      approximateInvokeCount: batch.invokeCount,
    },
    // Absent when the function was never started.
    ...(result !== undefined && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        ...(!result.ok && { functionError: 'Unhandled' }),
      },
    }),
    version: '1.0',
    timestamp: new Date(batch.nowMs).toISOString(),
    KinesisBatchInfo: {
      shardId: batch.shardId,
      startSequenceNumber: first.kinesis.sequenceNumber,
      endSequenceNumber: last.kinesis.sequenceNumber,
      approximateArrivalOfFirstRecord: arrivalOf(first),
      approximateArrivalOfLastRecord: arrivalOf(last),
      batchSize: records.length,
      streamArn: batch.streamArn,
    },
  }
}

function arrivalOf(record: KinesisEventRecord): string {
  return new Date(Math.round(record.kinesis.approximateArrivalTimestamp * 1_000)).toISOString()
}

/** `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>` */
function objectKey({ mappingUuid, shardId, nowMs, objectUuid }: DiscardedBatch): string {
  const iso = new Date(nowMs).toISOString()
  const day = iso.slice(0, 10).replaceAll('-', '/')
  const time = iso.slice(0, 19).replaceAll(':', '.')
  return `aws/lambda/${mappingUuid}/${shardId}/${day}/${time}-${objectUuid}`
}
