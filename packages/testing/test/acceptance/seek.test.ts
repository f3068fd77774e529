import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'

const orders = stream('orders', { shards: 1 })

function app(failure: object = {}) {
  return defineApp({
    subscriptions: [subscribe('billing', orders, { failure: failure as never, handle: () => {} })],
  })
}

const three = ['o1', 'o2', 'o3'].map((id) => ({ key: 'a', id, data: {} }))

test('a seek to the trim horizon handles everything once more, in order', async () => {
  const h = await harness(app())
  await h.append('orders', three)
  await h.settle()
  await h.operations.seekSubscription('billing', { at: 'trim_horizon' })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o3', 'o1', 'o2', 'o3'])
  await h.close()
})

test('a seek to the latest record skips what was not handled, and goes on with new events', async () => {
  const h = await harness(app())
  await h.operations.pauseSubscription('billing')
  await h.append('orders', three)
  await h.operations.seekSubscription('billing', { at: 'latest' })
  await h.operations.resumeSubscription('billing')
  await h.append('orders', { key: 'a', id: 'o4', data: {} })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o4'])
  await h.close()
})

test('a seek to a sequence number begins there; a restart does not begin again', async () => {
  const h = await harness(app())
  const outcomes = await h.append('orders', three)
  await h.settle()
  const second = outcomes[1]
  if (second?.ok !== true) throw new Error('the append failed')
  await h.operations.seekSubscription(
    'billing',
    { at: 'at_sequence_number', sequenceNumber: second.sequenceNumber },
    { shardId: second.shardId },
  )
  await h.settle()
  await h.restart()
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o3', 'o2', 'o3'])
  await h.close()
})

test('a held key keeps its place before the new pass, and nothing of the key overtakes it (I3)', async () => {
  const h = await harness(
    app({ blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) }),
  )
  h.fail('billing', { eventId: 'o2' })
  await h.append('orders', three)
  await h.settle()
  expect((await h.held('billing')).map((item) => item.eventId).sort()).toEqual(['o2', 'o3'])
  await h.operations.seekSubscription('billing', { at: 'trim_horizon' })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1'])
  h.heal('billing')
  await h.operations.startRedrive({ subscription: 'billing', status: 'held' })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o3', 'o1', 'o2', 'o3'])
  await h.close()
})

test('a seek over split shards reads parents before children again (I3)', async () => {
  const h = await harness(app())
  await h.append('orders', three)
  await h.settle()
  await h.operations.splitShard('orders', 'shardId-000000000000')
  await h.append('orders', { key: 'a', id: 'o4', data: {} })
  await h.settle()
  await h.operations.seekSubscription('billing', { at: 'trim_horizon' })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o3', 'o4', 'o1', 'o2', 'o3', 'o4'])
  await h.close()
})

test("with blocks 'shard', a seek while the shard waits comes after the event that it waits for (I3)", async () => {
  const h = await harness(
    app({ blocks: 'shard', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) }),
  )
  h.fail('billing', { eventId: 'o2' })
  await h.append('orders', three)
  await h.advance('10s')
  await h.operations.seekSubscription('billing', { at: 'trim_horizon' })
  await h.advance('10s')
  expect(h.order('billing', 'a')).toEqual(['o1'])
  h.heal('billing')
  await h.operations.startRedrive({ subscription: 'billing', status: 'held' })
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o1', 'o2', 'o3'])
  await h.close()
})
