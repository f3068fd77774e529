import { type AppDefinition, defineApp, stream } from '@eddy/core'
import { harness } from '@eddy/testing'
import { expect, test } from 'vitest'

const orders = stream('orders', { shards: 1, limits: 'kinesis' })
const app: AppDefinition = defineApp({ streams: [orders], subscriptions: [] })

const batch = Array.from({ length: 1_500 }, (_, index) => ({
  key: `customer-${index % 100}`,
  data: { index },
}))

test('one shard takes 1,000 orders at once and 1,000 a second: nothing is lost on the way', async () => {
  const h = await harness(app)
  const startedMs = h.clock.now()
  const outcomes = await h.append('orders', batch)
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1_500)
  expect(h.clock.now() - startedMs).toBeGreaterThan(450)
  await h.close()
})

test('a shard that takes nothing at all is told of, order by order', async () => {
  const h = await harness(app)
  const faults = { throttleHarder: { 'shardId-000000000000': 0 } }
  await h.operations.changeStream('orders', { faults })
  const [outcome] = await h.append('orders', { key: 'customer-1', data: {} })
  expect(outcome).toMatchObject({ ok: false, code: 'throttled', retryable: true })
  await h.close()
})
