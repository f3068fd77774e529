import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type AppDefinition,
  defineApp,
  type EddyEvent,
  InvalidOptionError,
  isApp,
  stream,
  subscribe,
} from '../../src/index.ts'

const orders = stream('orders', { shards: 2 })
const handle = async () => {}
const handleBatch = () => []

function optionOf(make: () => unknown): unknown {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError)
    return (error as InvalidOptionError).details.option
  }
  return 'nothing was refused'
}

describe('stream', () => {
  test('has defaults and is frozen', () => {
    expect({ ...orders }).toMatchObject({
      kind: 'stream',
      name: 'orders',
      shards: 2,
      retentionMs: 7 * 86_400_000,
      durability: 'fsync',
      schema: undefined,
    })
    expect(Object.isFrozen(orders)).toBe(true)
  })

  test('knows whether it is one on demand, which its shards and limits alone do not tell', () => {
    expect(stream('a', { limits: 'kinesis-on-demand' })).toMatchObject({ isOnDemand: true, shards: 4 })
    expect(stream('a', { shards: 4, limits: 'kinesis' }).isOnDemand).toBe(false)
  })

  test.each([
    ['stream(name)', () => stream('', { shards: 1 })],
    ['stream(name)', () => stream('a/b', { shards: 1 })],
    ['stream(name)', () => stream('..', { shards: 1 })],
    ['stream(name)', () => stream('x'.repeat(129), { shards: 1 })],
    ['stream(name)', () => stream(5 as never, { shards: 1 })],
    ['stream("a")', () => stream('a', undefined as never)],
    ['stream("a").shards', () => stream('a', {} as never)],
    ['stream("a").shards', () => stream('a', { shards: 1_025 })],
    ['stream("a").shardCount', () => stream('a', { shardCount: 2 } as never)],
    ['stream("a").retentionMs', () => stream('a', { shards: 1, retentionMs: 1_000 })],
    ['stream("a").durability', () => stream('a', { shards: 1, durability: 'none' as never })],
    ['stream("a").schema', () => stream('a', { shards: 1, schema: {} as never })],
    ['stream("a").schema', () => stream('a', { shards: 1, schema: null as never })],
  ])('names %s when it is wrong', (option, make) => {
    expect(optionOf(make)).toBe(option)
  })
})

describe('subscribe', () => {
  test('has defaults and is frozen', () => {
    const billing = subscribe('billing', orders, { handle })
    expect({ ...billing }).toMatchObject({
      kind: 'subscription',
      name: 'billing',
      stream: 'orders',
      from: 'trim_horizon',
      filter: undefined,
      concurrency: 16,
      timeoutMs: 30_000,
      onExhausted: undefined,
      ledgerRetentionMs: 14 * 86_400_000,
      maxBufferedRecords: 4_096,
      maxBufferedBytes: 32 * 1_048_576,
    })
    expect(billing.failure.blocks).toBe('nothing')
    expect(Object.isFrozen(billing)).toBe(true)
  })

  test.each([
    ['subscribe(name)', () => subscribe('a b', orders, { handle })],
    ['subscribe("a"), second argument', () => subscribe('a', 'orders' as never, { handle })],
    ['subscribe("a"), second argument', () => subscribe('a', { ...orders, kind: 'x' } as never, {} as never)],
    ['subscribe("a")', () => subscribe('a', orders, handle as never)],
    ['subscribe("a").handle', () => subscribe('a', orders, {} as never)],
    ['subscribe("a").handler', () => subscribe('a', orders, { handler: handle } as never)],
    ['subscribe("a").from', () => subscribe('a', orders, { handle, from: 'beginning' as never })],
    ['subscribe("a").from.timestampMs', () => subscribe('a', orders, { handle, from: { timestampMs: -1 } })],
    [
      'subscribe("a").from.timestamp',
      () => subscribe('a', orders, { handle, from: { timestamp: 1 } as never }),
    ],
    ['subscribe("a").filter.type', () => subscribe('a', orders, { handle, filter: { type: 'x' as never } })],
    ['subscribe("a").concurrency', () => subscribe('a', orders, { handle, concurrency: 10_001 })],
    ['subscribe("a").timeoutMs', () => subscribe('a', orders, { handle, timeoutMs: 43_200_001 })],
    ['subscribe("a").onExhausted', () => subscribe('a', orders, { handle, onExhausted: 'undo' as never })],
    ['subscribe("a").ledgerRetentionMs', () => subscribe('a', orders, { handle, ledgerRetentionMs: 0 })],
    ['subscribe("a").maxBufferedRecords', () => subscribe('a', orders, { handle, maxBufferedRecords: 0 })],
    [
      'subscribe("a").maxBufferedBytes',
      () => subscribe('a', orders, { handle, maxBufferedBytes: '1' as never }),
    ],
    [
      'subscribe("billing").failure.retry.maxAttempts',
      () =>
        subscribe('billing', orders, {
          handle,
          failure: { retry: { kind: 'fixed', delayMs: 1, jitter: 'none', maxAttempts: '3' as never } },
        }),
    ],
    ['subscribe("a").handle', () => subscribe('a', orders, { handle, handleBatch } as never)],
    ['subscribe("a").batch', () => subscribe('a', orders, { handle, batch: { maxEvents: 5 } } as never)],
    ['subscribe("a").handleBatch', () => subscribe('a', orders, { handleBatch: 'all' } as never)],
    ['subscribe("a").batch', () => subscribe('a', orders, { handleBatch, batch: 5 as never })],
    ['subscribe("a").batch.size', () => subscribe('a', orders, { handleBatch, batch: { size: 5 } as never })],
    [
      'subscribe("a").batch.maxEvents',
      () => subscribe('a', orders, { handleBatch, batch: { maxEvents: 0 } }),
    ],
    [
      'subscribe("a").batch.maxEvents',
      () => subscribe('a', orders, { handleBatch, batch: { maxEvents: 51 }, maxBufferedRecords: 100 }),
    ],
    [
      'subscribe("a").batch.maxBytes',
      () => subscribe('a', orders, { handleBatch, batch: { maxBytes: 2_000 }, maxBufferedBytes: 1_000 }),
    ],
    [
      'subscribe("a").batch.maxWaitMs',
      () => subscribe('a', orders, { handleBatch, batch: { maxWaitMs: 300_001 } }),
    ],
    ['subscribe("a").threads', () => subscribe('a', orders, { handleBatch, threads: 2 })],
  ])('names %s when it is wrong', (option, make) => {
    expect(optionOf(make)).toBe(option)
  })

  test('a handler of batches gets 100 events or 8 MiB without waiting, and never more than half of the buffer', () => {
    const { handle: single, batch } = subscribe('a', orders, { handleBatch })
    expect(single).toBeUndefined()
    expect(batch).toEqual({ handle: handleBatch, maxEvents: 100, maxBytes: 8 * 1_048_576, maxWaitMs: 0 })
    expect(subscribe('a', orders, { handle }).batch).toBeUndefined()
    const small = subscribe('a', orders, { handleBatch, maxBufferedRecords: 20, maxBufferedBytes: 1_000 })
    expect(small.batch).toMatchObject({ maxEvents: 10, maxBytes: 1_000 })
  })

  test('the types allow exactly one of handle and handleBatch', () => {
    // @ts-expect-error both
    const both = () => subscribe('a', orders, { handle, handleBatch })
    // @ts-expect-error none
    const none = () => subscribe('a', orders, {})
    // @ts-expect-error a batch without its handler
    const alone = () => subscribe('a', orders, { handle, batch: { maxEvents: 5 } })
    for (const make of [both, none, alone]) expect(make).toThrow(InvalidOptionError)
  })

  test('says what came and what a misspelt option may have meant', () => {
    expect(() => subscribe('a', orders, { handle, concurency: 5 } as never)).toThrow(
      'subscribe("a").concurency: expected no option of this name (did you mean "concurrency"?), received 5',
    )
  })

  test("the handler's event has the type of the stream's schema", () => {
    const schema: StandardSchemaV1<unknown, { total: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => ({ value: value as { total: number } }),
      },
    }
    const typed = stream('typed', { shards: 1, schema })
    const subscription = subscribe('a', typed, {
      handle: (event) => expectTypeOf(event).toEqualTypeOf<EddyEvent<{ total: number }>>(),
    })
    expect(defineApp({ streams: [typed, orders], subscriptions: [subscription] }).streams.length).toBe(2)
  })
})

describe('defineApp', () => {
  const billing = subscribe('billing', orders, { handle })

  test('includes the streams of its subscriptions', () => {
    const audit = stream('audit', { shards: 1 })
    const app = defineApp({
      streams: [audit],
      subscriptions: [billing, subscribe('mail', orders, { handle })],
    })
    expect(app.streams).toEqual([audit, orders])
    expect(app.subscriptions.map(({ name }) => name)).toEqual(['billing', 'mail'])
    expectTypeOf(app).toEqualTypeOf<AppDefinition>()
  })

  test('is frozen, and known as an application', () => {
    const app = defineApp({ subscriptions: [billing] })
    expect([app, app.streams, app.subscriptions, app.notify].every(Object.isFrozen)).toBe(true)
    expect(isApp(app)).toBe(true)
    for (const value of [undefined, null, {}, { kind: 'app' }, billing, [app]])
      expect(isApp(value)).toBe(false)
  })

  test('takes one sink or several', () => {
    const sink = { name: 's', notify() {} }
    expect(defineApp({ subscriptions: [], notify: sink }).notify).toEqual([sink])
    expect(defineApp({ subscriptions: [], notify: [sink, sink] }).notify).toEqual([sink, sink])
  })

  test.each([
    ['defineApp()', () => defineApp(undefined as never)],
    ['defineApp().subscriptions', () => defineApp({} as never)],
    ['defineApp().stream', () => defineApp({ stream: orders, subscriptions: [] } as never)],
    ['defineApp().streams[0]', () => defineApp({ streams: ['orders' as never], subscriptions: [] })],
    ['defineApp().subscriptions[1]', () => defineApp({ subscriptions: [billing, {} as never] })],
    ['defineApp().subscriptions[1]', () => defineApp({ subscriptions: [billing, billing] })],
    [
      'defineApp().streams[1]',
      () => defineApp({ streams: [orders, stream('orders', { shards: 9 })], subscriptions: [] }),
    ],
    [
      'defineApp().subscriptions[0]',
      () => defineApp({ streams: [stream('orders', { shards: 9 })], subscriptions: [billing] }),
    ],
    ['defineApp().notify[0]', () => defineApp({ subscriptions: [], notify: ['x' as never] })],
    ['defineApp().notify[0].notify', () => defineApp({ subscriptions: [], notify: { name: 'x' } as never })],
  ])('names %s when it is wrong or there twice', (option, make) => {
    expect(optionOf(make)).toBe(option)
  })
})
