import { type Delivery, type Logger, StorageError } from '@eddy/core'
import type { LiveReceipts } from './live-receipts.ts'
import { readBody } from './message-content.ts'
import { type QueueAddress, RETENTION_MS } from './queue-addresses.ts'
import { MAX_HIDDEN_MS } from './queue-clock.ts'
import { type OpenedMessage, openMessage, type ReceivedMessage } from './received-message.ts'
import { type SendAgainParts, sendAgain } from './send-again.ts'
import { hideMessage } from './settle-messages.ts'

export interface DeliveryParts extends SendAgainParts {
  readonly receipts: LiveReceipts
  readonly logger: Logger
}

/** A copy that is older is sent anew before it is hidden again: a queue forgets after 14 days. */
const MAX_COPY_AGE_MS = RETENTION_MS / 2

/** What came, as the port delivers it: the oldest due time first, as far as it came. What is not due yet is put off. */
export async function deliverAll(
  parts: DeliveryParts,
  address: QueueAddress,
  received: readonly ReceivedMessage[],
  visibilityMs: number,
): Promise<readonly Delivery[]> {
  const opened = received.map((message) => openMessage(message, address.isFifo))
  opened.sort((a, b) => a.dueAtMs - b.dueAtMs || compareNumbers(a.sequenceNumber, b.sequenceNumber))
  const delivered = await Promise.all(opened.map((one) => deliver(parts, address, one, visibilityMs)))
  return delivered.filter((delivery) => delivery !== undefined)
}

/**
 * Undefined: not to be handled now. Never rejects: what cannot be delivered comes again once its visibility timeout is over.
 */
export async function deliver(
  parts: DeliveryParts,
  address: QueueAddress,
  opened: OpenedMessage,
  visibilityMs: number,
): Promise<Delivery | undefined> {
  const { clock, blobs, logger, receipts } = parts
  const receivedMs = clock.monotonicMs()
  const { received, wire, messageId, sequenceNumber, sentAtMs, dueAtMs, receiveCount, group } = opened
  const about = { queue: address.queue, messageId }
  try {
    const earlyMs = dueAtMs - clock.now()
    if (wire?.header.due !== undefined && earlyMs > 0) {
      await putOff(parts, address, opened, earlyMs)
      return undefined
    }
    const body = wire === undefined ? received.body : await readBody(wire, blobs)
    if (body === undefined) {
      logger.error(
        about,
        'the body of a message is missing: it was acknowledged before, or removed from its bucket',
      )
      return undefined
    }
    const receipt = receipts.add({
      ...{ queue: address.queue, handle: received.receiptHandle, receivedMs, dueAtMs, receiveCount, body },
      untilMs: receivedMs + visibilityMs,
      header: wire?.header,
      blob: blobOf(opened),
    })
    return {
      ...{ messageId, receipt, body, receiveCount, sequenceNumber, sentAtMs },
      ...(group !== undefined && { group }),
    }
  } catch (error) {
    logger.warn({ ...about, reason: String(error) }, 'a message was not read and comes again later')
    return undefined
  }
}

/** I5: it came before its time. */
async function putOff(
  parts: DeliveryParts,
  address: QueueAddress,
  opened: OpenedMessage,
  earlyMs: number,
): Promise<void> {
  const { received, copiedAtMs, wire, receiveCount, dueAtMs } = opened
  const handle = received.receiptHandle
  const isOld = parts.clock.now() - copiedAtMs > MAX_COPY_AGE_MS
  if (!isOld || wire === undefined)
    return await hideMessage(parts, address, handle, Math.min(earlyMs, MAX_HIDDEN_MS))
  const body = await readBody(wire, parts.blobs)
  if (body === undefined) throw new StorageError('its body is missing')
  const copied = { handle, receiveCount, body, header: wire.header, blob: blobOf(opened) }
  await sendAgain(parts, address, copied, dueAtMs)
}

function blobOf({ wire }: OpenedMessage): string | undefined {
  return wire?.header.as === 'blob' ? wire.content : undefined
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1)
}
