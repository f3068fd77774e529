import { sweepMessages } from '../store/sweep-messages.ts'
import { DELETED, GARBAGE, MOVE_TASKS, QUEUES } from '../store/table-keys.ts'
import { DELETED_RECENTLY_MS } from './create-queue.ts'
import { queueOf, type SqsOperation } from './operation.ts'

/** At once, with all of its messages; those leave the table in the background. */
export const deleteQueue: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const nowMs = world.clock.now()
  const tasks = [...world.moveTasks.values()].filter(({ sourceQueueId }) => sourceQueueId === queue.id)
  queue.isLive = false
  queue.state.clear()
  queue.deduplication.clear()
  world.queues.delete(queue.name)
  for (const [name, atMs] of world.deletedAtMs) {
    if (nowMs >= atMs + DELETED_RECENTLY_MS) world.deletedAtMs.delete(name)
  }
  world.deletedAtMs.set(queue.name, nowMs)
  for (const { handle } of tasks) world.moveTasks.delete(handle)
  queue.waiters.wakeAll()
  await world.journal.commit({
    puts: [
      {
        partition: DELETED,
        sort: queue.name,
        value: { deletedAtMs: nowMs },
        expiresAtMs: nowMs + 2 * DELETED_RECENTLY_MS,
      },
      // From here on the deletion will be done to its end, by the next process if need be.
      { partition: GARBAGE, sort: queue.id, value: {} },
    ],
    finally: [
      { partition: QUEUES, sort: queue.name },
      ...tasks.map(({ handle }) => ({ partition: MOVE_TASKS, sort: handle })),
    ],
  })
  void sweepMessages(world, { queueId: queue.id, below: undefined })
  return {}
}
