import type { SQSClient } from '@aws-sdk/client-sqs'
import { type Blobs, type Clock, InvalidOptionError, StorageError } from '@eddy/core'
import type { LiveDelivery } from './live-receipts.ts'
import type { QueueAddress } from './queue-addresses.ts'
import type { MessageSender } from './send-messages.ts'
import { deleteMessages } from './settle-messages.ts'

export interface SendAgainParts {
  readonly client: SQSClient
  readonly clock: Clock
  readonly blobs: Blobs
  readonly sender: MessageSender
}

export type CopiedDelivery = Pick<LiveDelivery, 'handle' | 'receiveCount' | 'body' | 'header' | 'blob'>

/**
 * Sends a copy that is due later, then deletes this one. The other way round a crash in between would lose it.
 * @throws StorageError, SqsRefusedError, InvalidOptionError for a message that somebody else sent
 */
export async function sendAgain(
  parts: SendAgainParts,
  address: QueueAddress,
  { handle, receiveCount, body, header, blob }: CopiedDelivery,
  dueAtMs: number,
): Promise<void> {
  if (header === undefined)
    throw new InvalidOptionError('dueAtMs', 'none for a message that somebody else sent', dueAtMs)
  const timer = header.timer === true ? body : header.timer
  const fate = await parts.sender.sendAgain(address, {
    message: { body, delayMs: 0, ...(timer !== undefined && { timer }) },
    identity: { id: header.id, seq: header.seq, atMs: header.at, dueAtMs },
    claim: undefined,
    receives: receiveCount,
  })
  if (!fate.ok) throw new StorageError(fate.message)
  await deleteMessages(parts, address, [handle])
  forgetBlob(parts.blobs, blob)
}

/** Nobody waits for it; if it fails, the bucket's lifecycle removes what is left behind. */
export function forgetBlob(blobs: Blobs, blob: string | undefined): void {
  if (blob !== undefined) blobs.delete(blob).catch(() => {})
}
