import type { ItemKey, PutItem } from '@eddy/core'
import type { LiveQueue } from './live-queue.ts'
import { placeMessage, placeName } from './place-message.ts'
import { nameFromStoredArn, type QueuePlace, queueArn } from './queue-names.ts'
import type { SqsWorld } from './sqs-world.ts'
import type { Message } from './state/message.ts'
import { messageKey } from './store/table-keys.ts'

/**
 * Where a queue's hopeless messages go. Undefined: they stay, since there is no policy, or its queue is gone, or is the
 * queue itself, which the service takes.
 */
export function deadLetterQueue(world: SqsWorld, queue: LiveQueue): LiveQueue | undefined {
  const { redrive } = queue
  const target = redrive && world.queues.get(nameFromStoredArn(redrive.deadLetterTargetArn))
  return target?.fifo === queue.fifo && target !== queue ? target : undefined
}

/**
 * Puts messages that were taken out of `queue` into its dead-letter queue; their contents stay where they are. A
 * standard queue's keep the time that they were sent at, so retention goes on counting; a FIFO queue's begin anew.
 * What is returned is to be committed in the same turn.
 */
export function giveUp(
  world: SqsWorld,
  queue: LiveQueue,
  messages: readonly Message[],
  place: QueuePlace,
): { readonly puts: readonly PutItem[]; readonly finally: readonly ItemKey[] } {
  const target = deadLetterQueue(world, queue)
  if (target === undefined)
    throw new Error(`${messages.length} messages of ${queue.name} have no place to go`)
  const puts = messages.flatMap(
    (message) =>
      placeMessage(world, target, {
        messageId: message.messageId,
        sentAtMs: queue.fifo ? world.clock.now() : message.sentAtMs,
        delayMs: undefined,
        group: message.group,
        deduplicationId: message.deduplicationId,
        content: message.content,
        sourceArn: queueArn(place, queue.name),
        earlierReceives: message.receiveCount,
        firstReceivedAtMs: message.firstReceivedAtMs,
        movedFrom: placeName(queue, message.sequence),
      }).puts,
  )
  return { puts, finally: messages.map(({ sequence }) => messageKey(queue.id, sequence)) }
}
