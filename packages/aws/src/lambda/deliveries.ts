import { createHash } from 'node:crypto'
import { type Delivery, isCloudEvent } from '@eddy/core'
import type { SnsRecord, SqsRecord } from './lambda-events.ts'

/** A message of SQS as its port would have delivered it. */
export function sqsDelivery({ messageId, receiptHandle, body, attributes }: SqsRecord): Delivery {
  const { MessageGroupId, SequenceNumber, SentTimestamp, ApproximateReceiveCount } = attributes
  const sentAtMs = Number(SentTimestamp ?? 0)
  return {
    messageId,
    receipt: receiptHandle,
    body,
    receiveCount: Number(ApproximateReceiveCount ?? 1),
    sequenceNumber: SequenceNumber ?? sequenceAt(sentAtMs, messageId),
    sentAtMs,
    ...(MessageGroupId !== undefined && { group: MessageGroupId }),
  }
}

/**
 * A topic's message. SNS keeps no order and tells of no earlier delivery, so each may be one: what the ledger has is not
 * handled again.
 */
export function snsDelivery({ Sns }: SnsRecord): Delivery {
  const { MessageId, Timestamp } = Sns
  const sentAtMs = Date.parse(Timestamp)
  return {
    messageId: MessageId,
    receipt: '',
    body: bodyOf(Sns),
    receiveCount: 2,
    sequenceNumber: sequenceAt(sentAtMs, MessageId),
    sentAtMs,
  }
}

/** Grows with time, and is the same each time the message comes. */
function sequenceAt(sentAtMs: number, messageId: string): string {
  const hash = createHash('md5').update(messageId).digest().readUIntBE(0, 6)
  return `${sentAtMs}${String(hash).padStart(15, '0')}`
}

/** A message that is an event stays what it is; any other becomes the data of one. */
function bodyOf({ Message, MessageId, TopicArn, Subject, Timestamp }: SnsRecord['Sns']): string {
  const data = parsed(Message)
  if (isCloudEvent(data)) return Message
  return JSON.stringify({
    specversion: '1.0',
    id: MessageId,
    source: TopicArn,
    type: 'aws.sns.notification',
    time: Timestamp,
    ...(typeof Subject === 'string' && Subject !== '' && { subject: Subject }),
    datacontenttype: 'application/json',
    data,
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
