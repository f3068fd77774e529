import type { PutItem } from '@eddy/core'
import type { LiveQueue } from './live-queue.ts'
import type { SqsWorld } from './sqs-world.ts'
import type { ContentPlace, Message } from './state/message.ts'
import { messageItem } from './store/table-keys.ts'

/** A message on its way into a queue. */
export interface NewMessage {
  readonly messageId: string
  readonly sentAtMs: number
  /** Undefined: the queue's. */
  readonly delayMs: number | undefined
  readonly group: string | undefined
  readonly deduplicationId: string | undefined
  /** Where its content lies already; undefined: it will lie with the message. */
  readonly content: ContentPlace | undefined
  readonly sourceArn: string | undefined
  readonly earlierReceives: number
  readonly firstReceivedAtMs: number | undefined
  readonly movedFrom: string | undefined
}

/** Puts a message at the end of a queue. What is returned is to be committed in the same turn. */
export function placeMessage(
  world: SqsWorld,
  queue: LiveQueue,
  fresh: NewMessage,
): { readonly message: Message; readonly puts: readonly PutItem[] } {
  const { sequence, puts } = world.nextSequence(queue)
  const nowMs = world.clock.now()
  const visibleAtMs = queue.fifo ? fresh.sentAtMs + queue.delayMs : nowMs + (fresh.delayMs ?? queue.delayMs)
  const message: Message = {
    sequence,
    messageId: fresh.messageId,
    sentAtMs: fresh.sentAtMs,
    group: fresh.group,
    deduplicationId: fresh.deduplicationId,
    content: fresh.content ?? { queueId: queue.id, sequence },
    sourceArn: fresh.sourceArn,
    earlierReceives: fresh.earlierReceives,
    movedFrom: fresh.movedFrom,
    phase: visibleAtMs > nowMs ? 'delayed' : 'ready',
    visibleAtMs,
    receiveCount: fresh.earlierReceives,
    firstReceivedAtMs: fresh.firstReceivedAtMs,
    receivedAtMs: undefined,
  }
  queue.state.add(message)
  queue.waiters.wake()
  return { message, puts: [...puts, messageItem(queue, message)] }
}

/** Names a message's place for ever: what was moved keeps it, so that a move done by half is noticed. */
export function placeName(queue: LiveQueue, sequence: number): string {
  return `${queue.id}/${sequence}`
}
