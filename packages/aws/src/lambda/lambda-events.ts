/** What of Lambda's events is read here, in the documented shapes. */

/** Of the context object of the Node.js runtime. */
export interface InvocationContext {
  readonly awsRequestId: string
  getRemainingTimeInMillis(): number
}

export interface KinesisRecord {
  readonly kinesis: {
    /** Absent for a record that was written without one (RecordDistributionStrategy AUTO). */
    readonly partitionKey?: string
    readonly sequenceNumber: string
    /** base64 */
    readonly data: string
    /** Epoch seconds with a fraction. */
    readonly approximateArrivalTimestamp: number
  }
  /** `shardId-…:sequence`; the only place where a record names its shard. */
  readonly eventID: string
  readonly eventSourceARN: string
}

export interface KinesisEvent {
  readonly Records: readonly KinesisRecord[]
}

export interface SqsRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  /** All values are text, numbers too. */
  readonly attributes: Readonly<Record<string, string>>
  readonly eventSource: string
  readonly eventSourceARN: string
}

export interface SqsEvent {
  readonly Records: readonly SqsRecord[]
}

export interface SnsRecord {
  readonly EventSource: string
  readonly Sns: {
    readonly MessageId: string
    readonly TopicArn: string
    readonly Subject?: string | null
    readonly Message: string
    /** ISO 8601 */
    readonly Timestamp: string
  }
}

export interface SnsEvent {
  readonly Records: readonly SnsRecord[]
}

export interface S3Record {
  readonly eventSource: string
  readonly s3: {
    readonly bucket: { readonly name: string }
    /** The key as in a URL: spaces are `+`, the rest is escaped. */
    readonly object: { readonly key: string }
  }
}

/** Under `functionResponseTypes: ['ReportBatchItemFailures']`. An empty list is a complete success. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}
