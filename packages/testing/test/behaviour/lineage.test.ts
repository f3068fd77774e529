import { defineApp, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'

const orders = stream('orders', { shards: 1 })
const app = defineApp({ subscriptions: [subscribe('billing', orders, { handle: () => {} })] })

test('a child of a split waits until its parent is done with, although both have events of a key (I3)', async () => {
  const h = await harness(app)
  await h.operations.pauseSubscription('billing')
  // So much before them that the parent's events of the key are not in the first reads.
  await h.append(
    'orders',
    Array.from({ length: 1_000 }, (_, n) => ({ key: `other-${n % 50}`, data: {} })),
  )
  await h.append(
    'orders',
    ['o1', 'o2', 'o3'].map((id) => ({ key: 'a', id, data: {} })),
  )
  await h.operations.splitShard('orders', 'shardId-000000000000')
  await h.append(
    'orders',
    ['o4', 'o5'].map((id) => ({ key: 'a', id, data: {} })),
  )
  // Parent and child are both there, unread, when the process starts.
  await h.crash()
  h.delay('billing', { by: '1s' })
  await h.operations.resumeSubscription('billing')
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o3', 'o4', 'o5'])
  await h.close()
})
