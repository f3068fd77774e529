import type { Message } from '@aws-sdk/client-sqs'
import { groupOfForeign } from './group-ids.ts'
import { readMessage, type WireMessage } from './message-format.ts'

/** A message as SQS hands it out, and as a Lambda function gets it. */
export interface ReceivedMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  /** All values are text, numbers too. */
  readonly attributes: Readonly<Record<string, string>>
}

/** What a receive asks for besides the body. */
export const RECEIVED_ATTRIBUTES = [
  'ApproximateReceiveCount',
  'MessageGroupId',
  'SentTimestamp',
  'SequenceNumber',
] as const

/** What the port knows of it. */
export interface OpenedMessage {
  readonly received: ReceivedMessage
  /** Undefined: somebody else sent it. */
  readonly wire: WireMessage | undefined
  readonly messageId: string
  readonly sequenceNumber: string
  readonly sentAtMs: number
  /** Of the copy at hand: a queue forgets it 14 days after that. */
  readonly copiedAtMs: number
  readonly dueAtMs: number
  readonly receiveCount: number
  readonly group: string | undefined
}

export function receivedMessage({
  MessageId: messageId = '',
  ReceiptHandle: receiptHandle = '',
  Body: body = '',
  Attributes: attributes = {},
}: Message): ReceivedMessage {
  return { messageId, receiptHandle, body, attributes: attributes as Record<string, string> }
}

export function openMessage(received: ReceivedMessage, isFifo: boolean): OpenedMessage {
  const { messageId, attributes } = received
  const wire = readMessage(received.body)
  const copiedAtMs = Number(attributes.SentTimestamp ?? 0)
  const received1 = Number(attributes.ApproximateReceiveCount ?? 1)
  if (wire === undefined) {
    const group = groupOfForeign(attributes.MessageGroupId)
    return {
      ...{ received, wire, messageId, copiedAtMs, sentAtMs: copiedAtMs, dueAtMs: copiedAtMs },
      sequenceNumber:
        (isFifo ? attributes.SequenceNumber : undefined) ?? foreignNumber(messageId, copiedAtMs),
      receiveCount: received1,
      // A standard queue has groups for fairness, not for order.
      group: isFifo ? group : undefined,
    }
  }
  const { id, seq, at, due, n = 0, group } = wire.header
  return {
    ...{ received, wire, messageId: id, copiedAtMs, sentAtMs: at, dueAtMs: due ?? at, group },
    // Within a group the service's number tells the order; everything else keeps its sender's, in every copy.
    sequenceNumber: (group === undefined ? undefined : attributes.SequenceNumber) ?? seq,
    receiveCount: n + received1,
  }
}

const HASH_DIGITS = 9

/** As many digits as ours have: when it was sent, and nine that its id gives. */
function foreignNumber(messageId: string, sentAtMs: number): string {
  let hash = 0
  for (const character of messageId)
    hash = (hash * 31 + (character.codePointAt(0) as number)) % 10 ** HASH_DIGITS
  return `${String(sentAtMs).padStart(13, '0')}${String(hash).padStart(HASH_DIGITS, '0')}`
}
