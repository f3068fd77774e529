import type { ItemKey, PutItem } from '@eddy/core'
import type { ContentPlace, Message } from '../state/message.ts'
import type {
  StoredContent,
  StoredDeduplication,
  StoredMessage,
  StoredMoveTask,
  StoredQueue,
} from './stored.ts'

/** Sorts as the number does; sequences stay below 2^53. */
const SEQUENCE_DIGITS = 16

export const QUEUES = 'aws-sqs/queues'
/** Names of queues that were deleted in the last minute. */
export const DELETED = 'aws-sqs/deleted'
/** Ids of queues whose messages are still to be removed. */
export const GARBAGE = 'aws-sqs/garbage'
/** The sequence up to which a queue may give out numbers. */
export const SEQUENCES = 'aws-sqs/sequences'
export const MOVE_TASKS = 'aws-sqs/move-tasks'

export function messagesOf(queueId: string): string {
  return `aws-sqs/messages/${queueId}`
}

export function deduplicationOf(queueId: string): string {
  return `aws-sqs/deduplication/${queueId}`
}

export function sequenceKey(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0')
}

export function messageKey(queueId: string, sequence: number): ItemKey {
  return { partition: messagesOf(queueId), sort: sequenceKey(sequence) }
}

export function contentKey({ queueId, sequence }: ContentPlace): ItemKey {
  return { partition: `aws-sqs/contents/${queueId}`, sort: sequenceKey(sequence) }
}

export function queueItem(queue: StoredQueue): PutItem {
  return { partition: QUEUES, sort: queue.name, value: queue }
}

export function messageItem(
  queue: { readonly id: string; readonly fifo: boolean },
  message: Message,
): PutItem {
  const { content, receiveCount, earlierReceives, group } = message
  const isElsewhere = content.queueId !== queue.id || content.sequence !== message.sequence
  const isQueueDelay = queue.fifo && receiveCount === earlierReceives
  const value: StoredMessage = {
    messageId: message.messageId,
    sentAtMs: message.sentAtMs,
    visibleAtMs: isQueueDelay ? undefined : message.visibleAtMs,
    group,
    deduplicationId: message.deduplicationId,
    receiveCount: receiveCount === 0 ? undefined : receiveCount,
    firstReceivedAtMs: message.firstReceivedAtMs,
    receivedAtMs: message.receivedAtMs,
    earlierReceives: earlierReceives === 0 ? undefined : earlierReceives,
    sourceArn: message.sourceArn,
    movedFrom: message.movedFrom,
    contentQueue: isElsewhere ? content.queueId : undefined,
    contentSequence: isElsewhere ? content.sequence : undefined,
  }
  return { ...messageKey(queue.id, message.sequence), value }
}

export function contentItem(place: ContentPlace, content: StoredContent): PutItem {
  return { ...contentKey(place), value: content }
}

/** A minute longer than it counts, so that the table's expiry is never the earlier one. */
export function deduplicationItem(queueId: string, key: string, sent: StoredDeduplication): PutItem {
  return {
    partition: deduplicationOf(queueId),
    sort: key,
    value: sent,
    expiresAtMs: sent.untilMs + 60_000,
  }
}

export function moveTaskItem(task: StoredMoveTask): PutItem {
  return { partition: MOVE_TASKS, sort: task.handle, value: task }
}
