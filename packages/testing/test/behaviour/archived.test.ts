import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'

const DAY_MS = 24 * 3_600_000

test('an archived event that is redriven and dies again keeps its payload as long as it lives (I2)', async () => {
  const orders = stream('orders', { shards: 1 })
  const billing = subscribe('billing', orders, {
    failure: { retry: fixed({ delayMs: 10, maxAttempts: 2 }) },
    ledgerRetentionMs: DAY_MS,
    handle: () => {
      throw new Error('never')
    },
  })
  const h = await harness(defineApp({ subscriptions: [billing] }))
  await h.append('orders', { key: 'a', id: 'o1', data: { amount: 1 } })
  await h.settle()
  await h.operations.archiveFailures({})
  await h.advance('1h')
  await h.operations.startRedrive({ status: 'archived' })
  await h.settle()
  const [dead] = await h.deadLetters('billing')
  if (dead === undefined) throw new Error('nothing is dead')
  await h.advance(1.5 * DAY_MS)
  const { payload } = await h.operations.showFailure(dead.id)
  expect(payload?.content).toContain('"amount":1')
  await h.close()
})
