import { randomUUID } from 'node:crypto'
import type { AwsCall, AwsStructure } from '../../aws-service.ts'
import type { LiveQueue } from '../live-queue.ts'
import { md5OfAttributes } from '../messages/digests.ts'
import { checkBatchBytes, type MessageToSend, readMessage } from '../messages/read-message.ts'
import { readEntries, runEntries } from '../messages/run-batch.ts'
import { showSequence } from '../messages/show-message.ts'
import { placeMessage } from '../place-message.ts'
import type { SqsWorld } from '../sqs-world.ts'
import { DEDUPLICATION_MS, deduplicationKey } from '../state/deduplication.ts'
import { contentItem, deduplicationItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

export const sendMessage: SqsOperation = async (world, input, call) => {
  return await send(world, queueOf(world, input, call), input, call)
}

export const sendMessageBatch: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const entries = readEntries(input, 'SendMessageBatchRequestEntry')
  checkBatchBytes(entries.map((entry) => entry.input))
  return await runEntries(entries, (entry) => send(world, queue, entry, call))
}

/** Nothing is waited for before the commit: what is called first comes first. */
async function send(
  world: SqsWorld,
  queue: LiveQueue,
  input: AwsStructure,
  call: AwsCall,
): Promise<AwsStructure> {
  const message = readMessage(queue, input, call.accountId)
  const sent = place(world, queue, message)
  await sent.durable
  const { bodyMd5, attributes, traceHeader } = message.content
  return {
    MD5OfMessageBody: bodyMd5,
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    MD5OfMessageSystemAttributes: traceHeader && md5OfAttributes([traceHeader]),
    MessageId: sent.messageId,
    SequenceNumber: queue.fifo ? showSequence(sent.sequence) : undefined,
  }
}

interface Sent {
  readonly messageId: string
  readonly sequence: number
  readonly durable: Promise<void>
}

function place(world: SqsWorld, queue: LiveQueue, sending: MessageToSend): Sent {
  const nowMs = world.clock.now()
  const { group, deduplicationId } = sending
  const key =
    queue.fifo && deduplicationId !== undefined
      ? deduplicationKey(queue.stored.attributes.DeduplicationScope, group ?? '', deduplicationId)
      : undefined
  const before = key === undefined ? undefined : queue.deduplication.find(key, nowMs)
  // The first one may still be on its way to the disk.
  if (before !== undefined) return { ...before, durable: world.journal.commit({}) }
  world.requireRoom(1)
  if (key !== undefined) world.requireRoomForDeduplication()
  const messageId = randomUUID()
  const { message, puts } = placeMessage(world, queue, {
    messageId,
    sentAtMs: nowMs,
    delayMs: sending.delayMs,
    group,
    deduplicationId,
    content: undefined,
    sourceArn: undefined,
    earlierReceives: 0,
    firstReceivedAtMs: undefined,
    movedFrom: undefined,
  })
  const { sequence, content } = message
  // The message before its content: one without is nothing yet. The id last: it must never swallow a message.
  const all = [...puts, contentItem(content, sending.content)]
  if (key !== undefined) {
    const sent = { messageId, sequence, untilMs: nowMs + DEDUPLICATION_MS }
    queue.deduplication.add(key, sent, nowMs)
    all.push(deduplicationItem(queue.id, key, sent))
  }
  return { messageId, sequence, durable: world.journal.commit({ puts: all }) }
}
