import type { EventMeta } from '../handle/context.ts'
import { decodeEvent } from '../model/envelope.ts'
import { positionOf } from '../model/position.ts'
import type { Delivery } from '../ports/queue.ts'

/** What a message's events know as their shard: a queue has one place. */
export const QUEUE_SHARD = 'queue'

/**
 * @param stream - what stands for the queue where a stream has its name
 * @param bytes - the message's body
 */
export function messageMeta(
  stream: string,
  pass: number,
  { sequenceNumber, messageId, group, sentAtMs }: Delivery,
  bytes: Uint8Array,
): EventMeta {
  return {
    stream,
    shardId: QUEUE_SHARD,
    sequenceNumber,
    subSequenceNumber: undefined,
    position: positionOf(pass, 0, sequenceNumber),
    key: group ?? ownKey(bytes, messageId),
    arrivedAtMs: sentAtMs,
  }
}

/** The key of a message that is in no group: its own. */
function ownKey(bytes: Uint8Array, messageId: string): string {
  try {
    return decodeEvent(bytes).partitionkey ?? messageId
  } catch {
    return messageId
  }
}
