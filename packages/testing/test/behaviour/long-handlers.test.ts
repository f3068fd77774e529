import { defineApp, type Engine, queue, type Runtime, startRuntime, stream, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { SimWorld } from '../../src/index.ts'

const HOUR_MS = 3_600_000
const events = stream('events', { shards: 1 })
const jobs = queue('jobs')

/** The simulated engine, whose queues hide a message for 12 hours at most, as those of SQS. */
function engineOf(world: SimWorld): Engine {
  const engine = world.boot()
  const { queue: own } = engine
  return {
    ...engine,
    queue: {
      maxVisibilityMs: 12 * HOUR_MS,
      send: (name, messages) => own.send(name, messages),
      receive: (request) => own.receive(request),
      ack: (name, receipts) => own.ack(name, receipts),
      delay: (name, receipt, delayMs) => own.delay(name, receipt, delayMs),
      depth: (name) => own.depth(name),
      stats: (name) => own.stats(name),
      purge: (name) => own.purge(name),
    },
  }
}

/** What a subscription may take, to the millisecond. */
const MOST_MS = 6 * HOUR_MS - 30_000

const ofStream = (timeoutMs: number) => subscribe('slow', events, { timeoutMs, handle: () => {} })
const ofBatches = (timeoutMs: number) =>
  subscribe('slow', jobs, { timeoutMs, batch: { maxWaitMs: 10_000 }, handleBatch: () => [] })

async function started(subscription: ReturnType<typeof ofStream>): Promise<Runtime> {
  const world = new SimWorld({ seed: 1, traceLength: 0 })
  const app = defineApp({ subscriptions: [subscription] })
  const starting = startRuntime({ engine: engineOf(world), app })
  starting.catch(() => {})
  await world.clock.advance(2_000)
  const runtime = await starting
  const stopping = runtime.stop()
  await world.clock.advance(60_000)
  await stopping
  return runtime
}

describe('handlers that take longer than a queue can hide a message', () => {
  test.each([
    ['of a stream', ofStream, MOST_MS],
    ['of batches of a queue, whose wait counts too', ofBatches, MOST_MS - 5_000],
  ] as const)('are refused at the start: %s', async (_what, subscription, mostMs) => {
    await expect(started(subscription(mostMs + 1))).rejects.toThrow(
      `subscribe("slow").timeoutMs: expected at most ${mostMs}, since the queues of this engine`,
    )
    await expect(started(subscription(mostMs))).resolves.toBeDefined()
  })
})
