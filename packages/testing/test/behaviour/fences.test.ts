import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'

const orders = stream('orders', { shards: 1 })
const billing = subscribe('billing', orders, {
  failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 100, maxAttempts: 5 }) },
  handle: () => {},
})
const app = defineApp({ subscriptions: [billing] })

test('a released hold stays as a watermark for a day, and goes once no replay can reach it (H4)', async () => {
  const h = await harness(app)
  h.fail('billing', { attempts: 1 })
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.settle()
  const holds = () => h.world.store.allItems('hold/billing')
  await h.advance('2h')
  expect(holds()).toMatchObject([{ value: { state: 'open' } }])
  await h.advance('23h')
  expect(holds()).toEqual([])
  await h.close()
})

test('the checkpoint of a later owner is never written over by a former one (C4)', async () => {
  const h = await harness(app)
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.settle()
  const [before] = h.world.store.allItems('checkpoint/billing')
  if (before === undefined) throw new Error('there is no checkpoint')
  // A later owner takes the shard and notes its own progress; this process does not know yet.
  const later = { ...(before.value as object), epoch: 99, runs: (before.value as { runs: string }).runs }
  h.world.store.table.put({ ...before, value: later }, 'any', h.clock.now(), 0)
  await h.append('orders', { key: 'a', id: 'o2', data: {} })
  await h.advance('10s')
  expect(h.world.store.allItems('checkpoint/billing')).toMatchObject([{ value: { epoch: 99 } }])
  expect((await h.operations.showSubscription('billing')).shards).toMatchObject([{ state: 'stopped' }])
  await h.close()
})
