import { defineApp, fixed, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { SimWorld } from '../../src/index.ts'

const HOUR_MS = 3_600_000

test('what a runtime tells of its subscriptions: counts, keys that wait, the oldest wait but for a person', async () => {
  const world = new SimWorld({ seed: 1 })
  const orders = stream('orders', { shards: 1 })
  const failure = { blocks: 'key', exhausted: 'hold' } as const
  const fail = (): never => {
    throw new Error('planned')
  }
  const app = defineApp({
    subscriptions: [
      subscribe('patient', orders, {
        failure: { ...failure, retry: fixed({ delayMs: 3 * HOUR_MS, maxAttempts: 9 }) },
        handle: fail,
      }),
      subscribe('parked', orders, {
        failure: { ...failure, retry: fixed({ maxAttempts: 1 }) },
        handle: fail,
      }),
      subscribe('well', orders, { handle: () => {} }),
    ],
  })
  const done = <T>(call: Promise<T>, ms: number): Promise<T> => world.clock.advance(ms).then(() => call)
  const runtime = await done(startRuntime({ engine: world.boot(), app }), 1_000)
  await done(runtime.append('orders', { key: 'ann', data: {} }), 10_000)
  await world.clock.advance(2 * HOUR_MS)

  const seen = new Map((await done(runtime.figures(), 1_000)).map((one) => [one.subscription, one]))
  expect(seen.get('patient')).toMatchObject({
    waiting: { heldKeys: 1 },
    metrics: { handled: { ok: 0, retry: 1 } },
  })
  const waitedMs = seen.get('patient')?.waiting?.oldestWaitMs ?? 0
  expect(waitedMs).toBeGreaterThanOrEqual(2 * HOUR_MS)
  expect(waitedMs).toBeLessThan(2 * HOUR_MS + 20_000)
  // Its key waits for a person, whom no alarm about retries is for.
  expect(seen.get('parked')).toMatchObject({
    waiting: { heldKeys: 1, oldestWaitMs: 0 },
    metrics: { handled: { held: 1 } },
  })
  expect(seen.get('well')).toMatchObject({
    lagMs: 0,
    waiting: { heldKeys: 0, oldestWaitMs: 0 },
    metrics: { handled: { ok: 1 } },
  })
  await done(runtime.stop(), 30_000)
})
