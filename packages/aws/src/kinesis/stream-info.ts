import { KINESIS_LIMITS, type StreamInfo } from '@eddy/core'
import type { StreamSummary } from './stream-summaries.ts'

const HOUR_MS = 3_600_000

/**
 * The stream as the port describes it. Its id is its ARN with the time when it was made, never `StreamId`: that is reserved
 * so far, and an id that became another one would begin every subscription anew.
 */
export function streamInfoOf(name: string, summary: StreamSummary): StreamInfo {
  const { StreamARN, StreamCreationTimestamp, RetentionPeriodHours, OpenShardCount, MaxRecordSizeInKiB } =
    summary
  const createdAtMs = StreamCreationTimestamp?.getTime() ?? 0
  return {
    name,
    streamId: `${StreamARN}@${createdAtMs}`,
    createdAtMs,
    shardCount: OpenShardCount ?? 0,
    retentionMs: (RetentionPeriodHours ?? 24) * HOUR_MS,
    // An answered PutRecords lies in three availability zones.
    durability: 'fsync',
    limits: {
      ...KINESIS_LIMITS,
      ...(MaxRecordSizeInKiB !== undefined && { maxRecordBytes: MaxRecordSizeInKiB * 1024 }),
    },
    ...(summary.RecordDistributionStrategy === 'AUTO' && { keysIgnored: true }),
  }
}
