import { prefixed } from '../sqs-errors.ts'
import { sweepMessages } from '../store/sweep-messages.ts'
import { queueItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

const PURGE_INTERVAL_MS = 60_000

/** At once, and what is in flight too. Deduplication ids stay. */
export const purgeQueue: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const nowMs = world.clock.now()
  const { purgedAtMs } = queue.stored
  if (purgedAtMs !== undefined && nowMs < purgedAtMs + PURGE_INTERVAL_MS) {
    throw prefixed(
      'PurgeQueueInProgress',
      `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
      403,
    )
  }
  const below = queue.nextSequence
  queue.stored = { ...queue.stored, purgedBelow: below, purgedAtMs: nowMs }
  queue.state.clear()
  await world.journal.commit({ puts: [queueItem(queue.stored)] })
  void sweepMessages(world, { queueId: queue.id, below })
  return {}
}
