import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { harness } from '../../src/harness/harness.ts'

const orders = stream('orders', { shards: 1 })
const ids = (count: number, key = 'a', prefix = 'o'): { key: string; id: string; data: object }[] =>
  Array.from({ length: count }, (_, index) => ({ key, id: `${prefix}${index + 1}`, data: {} }))

function appWith(failure: object, options: object = {}) {
  return defineApp({
    subscriptions: [
      subscribe('billing', orders, { failure: failure as never, handle: () => {}, ...options }),
    ],
  })
}

const key = { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) }

test('a stream that is deleted and created anew with more shards loses nothing to the old one (I2)', async () => {
  const h = await harness(appWith({ ...key, retry: fixed({ delayMs: 1_000, maxAttempts: 3 }) }))
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  h.fail('billing', { attempts: 1 })
  await h.append(
    'orders',
    keys.map((each) => ({ key: each, id: `old-${each}`, data: {} })),
  )
  await h.settle()
  h.heal('billing')
  await h.restart({
    app: defineApp({
      subscriptions: [subscribe('other', stream('elsewhere', { shards: 1 }), { handle: () => {} })],
    }),
  })
  await h.operations.deleteStream('orders')
  await h.restart({
    app: defineApp({
      subscriptions: [
        subscribe('billing', stream('orders', { shards: 4 }), { failure: key as never, handle: () => {} }),
      ],
    }),
  })
  await h.append(
    'orders',
    keys.map((each) => ({ key: each, id: `new-${each}`, data: {} })),
  )
  await h.settle()
  for (const each of keys) expect(h.order('billing', each)).toEqual([`old-${each}`, `new-${each}`])
  await h.close()
})

test('a seek of a parent shard alone does not hide the events of its children (I2)', async () => {
  const h = await harness(appWith(key))
  await h.append('orders', ids(2))
  await h.settle()
  await h.operations.splitShard('orders', 'shardId-000000000000')
  h.fail('billing', { eventId: 'o1', times: 1 })
  await h.operations.seekSubscription('billing', { at: 'trim_horizon' }, { shardId: 'shardId-000000000000' })
  await h.append('orders', ids(2, 'a', 'n'))
  await h.settle()
  expect(h.order('billing', 'a')).toEqual(['o1', 'o2', 'o1', 'o2', 'n1', 'n2'])
  await h.close()
})

test('two seeks at a time are carried out one after the other, and events go to one reader only', async () => {
  const h = await harness(appWith({}))
  await h.append('orders', ids(2))
  await h.settle()
  const seek = () => h.operations.seekSubscription('billing', { at: 'trim_horizon' })
  await Promise.all([seek(), seek()])
  await h.append('orders', { key: 'a', id: 'after', data: {} })
  await h.settle()
  expect(h.order('billing', 'a').filter((id) => id === 'after')).toEqual(['after'])
  await h.close()
})

test('an event that waits for a retry is handled after a change from nothing to key (I2)', async () => {
  const h = await harness(appWith({ blocks: 'nothing', retry: fixed({ delayMs: 60_000, maxAttempts: 5 }) }))
  h.fail('billing', { attempts: 1 })
  await h.append('orders', { key: 'a', id: 'o1', data: {} })
  await h.advance('1s')
  await h.restart({ app: appWith({ ...key, retry: fixed({ delayMs: 1_000, maxAttempts: 5 }) }) })
  await h.append('orders', { key: 'a', id: 'o2', data: {} })
  await h.advance('10m')
  expect([...h.order('billing', 'a')].sort()).toEqual(['o1', 'o2'])
  await h.close()
})

test("a held key's waiting events are handled after a change from key to nothing, and no key stays held (I9)", async () => {
  const h = await harness(appWith(key))
  h.fail('billing', { eventId: 'o1' })
  await h.append('orders', ids(3))
  await h.advance('1m')
  h.heal('billing')
  await h.restart({ app: appWith({ blocks: 'nothing' }) })
  await h.operations.startRedrive({ status: 'held' })
  await h.advance('30m')
  expect([...h.order('billing', 'a')].sort()).toEqual(['o1', 'o2', 'o3'])
  expect((await h.operations.showSubscription('billing')).heldKeys).toBe(0)
  await h.close()
})

test('keys with a newline or a NUL are keys like any other (I3, I9)', async () => {
  const h = await harness(appWith({ ...key, retry: fixed({ delayMs: 1_000, maxAttempts: 3 }) }))
  h.fail('billing', { attempts: 1 })
  await h.append('orders', [
    { key: '\u0000z', id: 'nul', data: {} },
    { key: '1\nabc', id: 'newline', data: {} },
    { key: 'abc', explicitHashKey: '1', id: 'placed', data: {} },
  ])
  await h.settle()
  for (const id of ['nul', 'newline', 'placed']) expect(h.attempts('billing', id)).toBe(2)
  await h.close()
})

test('a schema that never answers is timed out, and one that throws is retried', async () => {
  const schema = (validate: () => unknown): never =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as never
  let calls = 0
  const flaky = schema(() => {
    calls += 1
    if (calls === 1) throw new Error('the schema registry is down')
    return { value: {} }
  })
  const failure = { retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) }
  const placed = stream('orders', { shards: 1, schema: flaky })
  const waiting = stream('waiting', { shards: 1 })
  const h = await harness(
    defineApp({
      streams: [placed],
      subscriptions: [
        subscribe('flaky', placed, { failure, handle: () => {} }),
        {
          ...subscribe('stuck', waiting, { failure, timeoutMs: 1_000, handle: () => {} }),
          schema: schema(() => new Promise(() => {})),
        },
      ],
    }),
  )
  await h.append('waiting', { key: 'a', id: 'w1', data: {} })
  await h.advance('1m')
  expect((await h.deadLetters('stuck')).map((item) => item.lastError?.type)).toEqual(['HandlerTimeoutError'])
  await h.close()
})

test('the sweeper sends no more tokens than can be lost, and none while paused (I6)', async () => {
  const h = await harness(appWith({ retry: fixed({ delayMs: 1_000, maxAttempts: 50 }) }))
  h.fail('billing')
  await h.append('orders', ids(20))
  await h.advance('2s')
  await h.operations.pauseSubscription('billing')
  await h.advance('1h')
  expect(h.world.store.allMessages('retry/billing').length).toBeLessThanOrEqual(40)
  await h.close()
})
