import { regionOf } from './kinesis-event.ts'

/** A message as ReceiveMessage gives it, with all attributes asked for. */
export interface SqsSourceMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  /** All values are text, numbers too. */
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes?: Readonly<Record<string, SqsMessageAttribute>>
  readonly md5OfBody: string
}

export interface SqsMessageAttribute {
  readonly dataType: string
  readonly stringValue?: string
  /** base64 */
  readonly binaryValue?: string
}

export interface SqsEventRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes: Readonly<Record<string, SqsMessageAttribute>>
  readonly md5OfBody: string
  readonly eventSource: 'aws:sqs'
  readonly eventSourceARN: string
  readonly awsRegion: string
}

export interface SqsEvent {
  readonly Records: readonly SqsEventRecord[]
}

/** The message in the shape in which a function gets it (Lambda developer guide, "Using Lambda with Amazon SQS"). */
export function sqsEventRecord(message: SqsSourceMessage, queueArn: string): SqsEventRecord {
  const { messageId, receiptHandle, body, attributes, messageAttributes = {}, md5OfBody } = message
  return {
    messageId,
    receiptHandle,
    body,
    attributes,
    messageAttributes,
    md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: regionOf(queueArn),
  }
}
