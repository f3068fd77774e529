import type { Queue } from '@eddy/core'
import { SimWorld } from '@eddy/testing'
import type { SqsQueue } from '../../src/sqs/index.ts'
import { startEddyEndpoint } from './eddy-endpoint.ts'
import { type QueueWorld, startQueueWorld } from './queue-world.ts'

/** Eddy's SQS and a stand-in for EventBridge Scheduler over real sockets, all on one virtual clock. */
export interface VirtualQueues {
  readonly world: SimWorld
  readonly queues: QueueWorld
  /** Lets time pass, whoever waits for an answer over a socket first having it. */
  advanceTo(untilMs: number): Promise<void>
  close(): Promise<void>
}

/** Turns of the event loop that nothing happens in, before time goes on. */
const QUIET_TURNS = 3

export async function startVirtualQueues(startMs?: number): Promise<VirtualQueues> {
  const world = new SimWorld({ seed: 1, ...(startMs !== undefined && { startMs }) })
  const { clock } = world
  const service = await startEddyEndpoint(clock)
  const queues = await startQueueWorld(service.endpoint, clock)
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (queues.inFlight() > 0) turns = -1
    }
  }
  return {
    ...{ world, queues },
    async advanceTo(untilMs) {
      await quiet()
      let isDue = false
      const cancel = clock.setTimer(untilMs - clock.now(), () => {
        isDue = true
      })
      while (!isDue && (await clock.step())) await quiet()
      cancel()
    },
    async close() {
      await queues.close()
      await service.stop()
    },
  }
}

/**
 * The queue, whose waits are of this clock: looked at from time to time, instead of a request that waits. Its depth, which is
 * asked for every five seconds, is told as it was up to a minute before.
 */
export function lookingQueue(queue: SqsQueue, world: SimWorld, everyMs: number): Queue {
  const { clock } = world
  let known = { depth: 0, atMs: Number.NEGATIVE_INFINITY }
  return {
    send: (name, messages) => queue.send(name, messages),
    async receive(request) {
      const untilMs = clock.monotonicMs() + request.waitMs
      for (;;) {
        const deliveries = await queue.receive({ ...request, waitMs: 0 })
        if (deliveries.length > 0 || clock.monotonicMs() >= untilMs) return deliveries
        await clock.sleep(Math.min(everyMs, untilMs - clock.monotonicMs()), request.signal)
        if (request.signal?.aborted === true) return []
      }
    },
    ack: (name, receipts) => queue.ack(name, receipts),
    delay: (name, receipt, delayMs) => queue.delay(name, receipt, delayMs),
    async depth(name) {
      if (clock.monotonicMs() - known.atMs >= 60_000)
        known = { depth: await queue.depth(name), atMs: clock.monotonicMs() }
      return known.depth
    },
    stats: (name) => queue.stats(name),
    purge: (name) => queue.purge(name),
    cancel: (name, timer) => queue.cancel(name, timer),
  }
}
