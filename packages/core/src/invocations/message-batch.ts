import type { LiveTask } from '../consume/live-task.ts'
import { messageMeta } from '../consume/message-meta.ts'
import { laneName } from '../fail/lane.ts'
import type { Delivery } from '../ports/queue.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import { EventMarkers } from './event-markers.ts'
import type { Invocation } from './invocation.ts'
import { type SetTask, TaskSet } from './task-set.ts'

/**
 * From this delivery on a message is handled alone, with a durable marker: it may be what its processes died of. The first
 * ones may as well have run out of time.
 */
const SUSPECT_FROM = 3

const encoder = new TextEncoder()

/**
 * Messages of a queue, handled as on the live path. One is done with when it is resolved or in the ledger with its
 * payload (I2). Of a group nothing behind a message that is left is handled (I3).
 *
 * @param deliveries - a group's in its order
 * @returns what is left, and is to come again
 */
export async function handleMessages(
  invocation: Invocation,
  deliveries: readonly Delivery[],
): Promise<readonly Delivery[]> {
  const { parts } = invocation
  const { engine, stopping, logger, holds, definition, runner } = parts
  const stop = new AbortController()
  const markers = new EventMarkers(engine, definition.ledgerRetentionMs)
  const entries = deliveries.map((delivery): SetTask => {
    const bytes = encoder.encode(delivery.body)
    const task: LiveTask = {
      meta: messageMeta(definition.stream, invocation.pass, delivery, bytes),
      bytes,
      reading: invocation.reading,
      isSharded: false,
      isReplay: delivery.receiveCount > 1,
      stop: stop.signal,
      deadlineMs: invocation.deadlineMs,
      marker:
        delivery.receiveCount < SUSPECT_FROM
          ? undefined
          : markers.of(
              () => task,
              () => runner.longestCallMs,
            ),
    }
    return { lane: laneName(task.meta), task, state: 'waiting' }
  })
  const lanes = [...new Set(entries.map(({ lane }) => lane))]
  try {
    await persist(engine.clock, stopping, logger, 'reading holds', () => holds.loadNamed(lanes))
  } catch (error) {
    if (error instanceof Stopped) return deliveries
    throw error
  }
  const set = new TaskSet(invocation, stop)
  await set.run(entries)
  if (set.error !== undefined)
    logger.error(
      { subscription: definition.name, reason: String(set.error) },
      'a message could not be brought to its end and comes again',
    )
  return deliveries.filter((_delivery, index) => entries[index]?.state !== 'done')
}
