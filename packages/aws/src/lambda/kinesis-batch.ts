import { InvalidOptionError, type LogRecord } from '@eddy/core'
import type { KinesisRecord } from './lambda-events.ts'

/** Records of one shard, as the log would have read them. */
export interface ShardBatch {
  readonly shardId: string
  readonly records: readonly LogRecord[]
}

/** @throws InvalidOptionError for an event of another kind */
export function shardBatch(records: readonly KinesisRecord[]): ShardBatch {
  const [first] = records
  if (first?.kinesis === undefined)
    throw new InvalidOptionError('the event', 'records of a Kinesis stream', first)
  const shardId = shardOf(first)
  if (records.some((record) => shardOf(record) !== shardId))
    throw new InvalidOptionError('the event', 'records of one shard', records.map(shardOf).join(', '))
  return { shardId, records: records.map(logRecord) }
}

function shardOf({ eventID }: KinesisRecord): string {
  return eventID.slice(0, eventID.lastIndexOf(':'))
}

function logRecord({ kinesis }: KinesisRecord): LogRecord {
  const { sequenceNumber, partitionKey, data, approximateArrivalTimestamp } = kinesis
  return {
    sequenceNumber,
    // Without a key there is no order to keep: each is of its own.
    partitionKey: partitionKey ?? sequenceNumber,
    data: Buffer.from(data, 'base64'),
    arrivedAtMs: Math.round(approximateArrivalTimestamp * 1_000),
  }
}
