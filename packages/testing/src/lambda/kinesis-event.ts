/** A record as a shard gives it. */
export interface KinesisSourceRecord {
  /** Decimal text; increases within a shard. */
  readonly sequenceNumber: string
  /** Undefined for a record that was written without one (record distribution AUTO). */
  readonly partitionKey?: string
  readonly data: Uint8Array
  /** Epoch milliseconds. */
  readonly approximateArrivalMs: number
}

export interface KinesisEventRecord {
  readonly kinesis: {
    readonly kinesisSchemaVersion: '1.0'
    readonly partitionKey?: string
    readonly sequenceNumber: string
    /** base64 */
    readonly data: string
    /** Epoch seconds with a fraction. */
    readonly approximateArrivalTimestamp: number
  }
  readonly eventSource: 'aws:kinesis'
  readonly eventVersion: '1.0'
  /** `shardId-…:sequence`; the only place where a record names its shard. */
  readonly eventID: string
  readonly eventName: 'aws:kinesis:record'
  readonly invokeIdentityArn: string
  readonly awsRegion: string
  readonly eventSourceARN: string
}

export interface KinesisEvent {
  readonly Records: readonly KinesisEventRecord[]
}

/** The record in the shape in which a function gets it (Lambda developer guide, "Using Lambda with Kinesis"). */
export function kinesisEventRecord(
  record: KinesisSourceRecord,
  shardId: string,
  streamArn: string,
): KinesisEventRecord {
  const { sequenceNumber, partitionKey, data, approximateArrivalMs } = record
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      ...(partitionKey !== undefined && { partitionKey }),
      sequenceNumber,
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      approximateArrivalTimestamp: approximateArrivalMs / 1_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/lambda-role',
    awsRegion: regionOf(streamArn),
    eventSourceARN: streamArn,
  }
}

/** The fourth part of an ARN. */
export function regionOf(arn: string): string {
  return arn.split(':')[3] ?? ''
}
