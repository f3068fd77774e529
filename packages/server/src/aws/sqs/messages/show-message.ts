import type { AwsStructure } from '../../aws-service.ts'
import type { LiveQueue } from '../live-queue.ts'
import type { Message } from '../state/message.ts'
import type { StoredAttribute, StoredContent } from '../store/stored.ts'
import { md5OfAttributes } from './digests.ts'
import { receiptHandle } from './receipt-handle.ts'

/** Sequence numbers have 20 digits, as the service's have. */
const SEQUENCE_BASE = 10n ** 19n

/** Which attributes a receive asked for. */
export interface Wanted {
  /** System attributes; `All`: each. */
  readonly system: ReadonlySet<string>
  /** Names, or beginnings of names as `beginning.*`; `All` or `.*`: each. */
  readonly attributes: readonly string[]
}

/** A message as it was handed out; later calls may have changed it since. */
export interface HandedOut {
  readonly message: Message
  readonly receiveCount: number
}

export function showSequence(sequence: number): string {
  return String(SEQUENCE_BASE + BigInt(sequence))
}

export function showMessage(
  queue: LiveQueue,
  handedOut: HandedOut,
  content: StoredContent,
  wanted: Wanted,
): AwsStructure {
  const { message, receiveCount } = handedOut
  const attributes = content.attributes.filter(({ name }) => isWanted(name, wanted.attributes))
  const system = systemAttributes(queue, handedOut, content).filter(
    ([name, value]) => value !== undefined && (wanted.system.has('All') || wanted.system.has(name)),
  )
  return {
    MessageId: message.messageId,
    ReceiptHandle: receiptHandle({ queueId: queue.id, sequence: message.sequence, receiveCount }),
    MD5OfBody: content.bodyMd5,
    Body: content.body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(attributes.length > 0 && {
      MD5OfMessageAttributes: md5OfAttributes(attributes),
      MessageAttributes: Object.fromEntries(attributes.map(showAttribute)),
    }),
  }
}

function showAttribute({ name, type, value }: StoredAttribute): readonly [string, AwsStructure] {
  const shown = typeof value === 'string' ? { StringValue: value } : { BinaryValue: value }
  return [name, { DataType: type, ...shown }]
}

function isWanted(name: string, wanted: readonly string[]): boolean {
  return wanted.some((one) => {
    if (one === 'All' || one === '.*' || one === name) return true
    // Without the period, as recordings of the service by others have it: `col.*` takes `color` in.
    return one.endsWith('.*') && name.startsWith(one.slice(0, -2))
  })
}

function systemAttributes(
  queue: LiveQueue,
  { message, receiveCount }: HandedOut,
  content: StoredContent,
): readonly (readonly [string, string | undefined])[] {
  const { traceHeader } = content
  return [
    ['SenderId', content.senderId],
    ['SentTimestamp', String(message.sentAtMs)],
    ['ApproximateReceiveCount', String(receiveCount)],
    ['ApproximateFirstReceiveTimestamp', String(message.firstReceivedAtMs)],
    ['SequenceNumber', queue.fifo ? showSequence(message.sequence) : undefined],
    ['MessageDeduplicationId', message.deduplicationId],
    ['MessageGroupId', message.group],
    ['AWSTraceHeader', typeof traceHeader?.value === 'string' ? traceHeader.value : undefined],
    ['DeadLetterQueueSourceArn', message.sourceArn],
  ]
}
