import {
  type BatchItem,
  defineApp,
  encodeEvent,
  failed,
  fixed,
  list,
  outcome,
  type StreamDefinition,
  stream,
  subscribe,
  succeeded,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, events, oneBatchSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 3 })

/** A handler that remembers its batches, by the ids of their events. */
function remembering(): {
  readonly batches: string[][]
  readonly handleBatch: (items: readonly BatchItem[]) => ReturnType<typeof succeeded>[]
} {
  const batches: string[][] = []
  return {
    batches,
    handleBatch: (items) => {
      batches.push(items.map((item) => item.event.id))
      return items.map(succeeded)
    },
  }
}

describe('how a batch is filled', () => {
  test('it takes from each key in turn, and a key’s events stand together, in order (I3, I4)', async () => {
    const { batches, handleBatch } = remembering()
    const h = await openHarness(
      oneBatchSubscription({}, { handleBatch, concurrency: 1, batch: { maxEvents: 6, maxWaitMs: 1_000 } }),
    )
    await h.append('events', [
      ...Array.from({ length: 9 }, (_, n) => event('a', `a${n}`)),
      event('b', 'b0'),
      event('b', 'b1'),
      event('c', 'c0'),
    ])
    await h.settle()
    expect(batches[0]).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'c0'])
    expect(batches.slice(1).flat()).toEqual(['a3', 'a4', 'a5', 'a6', 'a7', 'a8'])
  })

  test('it waits maxWaitMs for more, and no longer; a full one does not wait', async () => {
    const { batches, handleBatch } = remembering()
    const h = await openHarness(
      oneBatchSubscription({}, { handleBatch, batch: { maxEvents: 3, maxWaitMs: 5_000 } }),
    )
    await h.append('events', [event('a', 'a'), event('b', 'b')])
    await h.advance('4900ms')
    expect(batches).toEqual([])
    await h.advance('200ms')
    expect(batches).toEqual([['a', 'b']])
    await h.append('events', [event('c', 'c'), event('d', 'd'), event('e', 'e')])
    await h.advance('100ms')
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ])
  })

  test('without maxWaitMs it takes what is there', async () => {
    const { batches, handleBatch } = remembering()
    const h = await openHarness(oneBatchSubscription({}, { handleBatch, batch: { maxWaitMs: 0 } }))
    await h.append('events', events(250, 250))
    await h.settle()
    expect(batches.flat().length).toBe(250)
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(100)
    expect(batches.length).toBeLessThan(20)
  })

  test('it holds at most maxBytes, and one event however large it is (I6)', async () => {
    const { batches, handleBatch } = remembering()
    const h = await openHarness(
      oneBatchSubscription(
        {},
        { handleBatch, batch: { maxBytes: 10_000, maxWaitMs: 1_000 }, concurrency: 1 },
      ),
    )
    const big = (id: string, size: number) => event(id, id, { text: 'x'.repeat(size) })
    await h.append('events', [big('a', 4_000), big('b', 4_000), big('c', 4_000), big('d', 30_000)])
    await h.settle()
    expect(batches).toEqual([['a', 'b'], ['c'], ['d']])
  })

  test('concurrency counts calls, over all shards', async () => {
    const h = await openHarness(
      oneBatchSubscription({}, { shards: 2, concurrency: 2, batch: { maxEvents: 10, maxWaitMs: 100 } }),
    )
    h.delay('work', { by: '1m' })
    await h.append('events', events(100, 100))
    await h.advance('30s')
    expect(h.calls('work')).toHaveLength(20)
    expect(new Set(h.calls('work').map(({ batch }) => batch)).size).toBe(2)
    expect(await h.operations.showSubscription('work')).toMatchObject({ inFlight: 2 })
  })
})

describe('what becomes of a batch', () => {
  test('a call that throws fails all of its items (I9)', async () => {
    const h = await openHarness(
      oneBatchSubscription(
        { retry },
        {
          handleBatch: () => {
            throw new Error('the database is away')
          },
        },
      ),
    )
    await h.append('events', events(3, 3))
    await h.advance('1s')
    expect((await h.retrying('work')).map(({ lastError }) => lastError?.message)).toEqual(
      Array(3).fill('the database is away'),
    )
  })

  test('one that outlives timeoutMs fails all of its items, and is told so by its signals (I9)', async () => {
    const reasons: unknown[] = []
    const h = await openHarness(
      oneBatchSubscription(
        { retry },
        {
          timeoutMs: 1_000,
          handleBatch: async (items, ctx) => {
            const told = [ctx.signal, ...items.map((item) => item.ctx.signal)]
            await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
            for (const signal of told) reasons.push((signal.reason as { code?: string }).code)
            return items.map(succeeded)
          },
        },
      ),
    )
    await h.append('events', events(2, 2))
    await h.advance('2s')
    expect(reasons).toEqual(Array(3).fill('EDDY_HANDLER_TIMEOUT'))
    expect((await h.retrying('work')).map(({ lastError }) => lastError?.code)).toEqual(
      Array(2).fill('EDDY_HANDLER_TIMEOUT'),
    )
  })

  test('tries in place are made with what failed only, and keep no other key waiting (I4, I7)', async () => {
    const h = await openHarness(
      oneBatchSubscription({
        blocks: 'key',
        exhausted: 'dead-letter',
        immediate: 2,
        retry: list([], { maxAttempts: 3 }),
      }),
    )
    h.fail('work', { eventId: 'a1', attempts: 2 })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.settle()
    expect(h.calls('work').map(({ eventId, attempt, outcome }) => [eventId, attempt, outcome])).toEqual([
      ['a1', 1, 'failed'],
      ['a2', 1, 'not-counted'],
      ['b1', 1, 'ok'],
      ['a1', 2, 'failed'],
      ['a1', 3, 'ok'],
      ['a2', 1, 'ok'],
    ])
    expect(await h.resolved('work')).toMatchObject([{ eventId: 'a1', attempts: 3 }])
  })

  test('steps that an event had finished before it was not counted are kept (I7)', async () => {
    const charged: string[] = []
    const h = await openHarness(
      oneBatchSubscription(
        { blocks: 'key', exhausted: 'dead-letter', retry },
        {
          ledgerRetentionMs: 1_000,
          handleBatch: async (items) => {
            const outcomes = []
            for (const item of items) {
              await item.ctx.step('charge', () => void charged.push(item.event.id))
              const isBad = item.event.id === 'a1' && item.ctx.attempt === 1
              outcomes.push(isBad ? failed(item, new Error('no')) : succeeded(item))
            }
            return outcomes
          },
        },
      ),
    )
    await h.append('events', [event('a', 'a1'), event('a', 'a2')])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(charged).toEqual(['a1', 'a2'])
  })

  test('onExhausted is called for each event that is given up, not for the batch', async () => {
    const undone: string[] = []
    const app = defineApp({
      subscriptions: [
        subscribe('work', stream('events', { shards: 1 }), {
          failure: { retry: list([], { maxAttempts: 1 }) },
          batch: { maxWaitMs: 100 },
          handleBatch: (items) => items.map((item) => failed(item, new Error('no'))),
          onExhausted: (given) => void undone.push(given.id),
        }),
      ],
    })
    const h = await openHarness(app)
    await h.append('events', events(3, 3))
    await h.settle()
    expect(undone.sort()).toEqual(['k0-0', 'k1-0', 'k2-0'])
    expect(await h.deadLetters('work')).toHaveLength(3)
  })

  test('rules and classify decide over each item by its own error', async () => {
    const h = await openHarness(
      oneBatchSubscription(
        {
          retry,
          // biome-ignore lint/suspicious/noThenProperty: a word, never a function
          rules: [{ error: 'TypeError', then: 'dead-letter' }],
          classify: (error, { event: about }) =>
            (error as Error).message === 'seen' ? outcome.drop(`saw ${about.id}`) : undefined,
        },
        {
          handleBatch: (items) =>
            items.map((item) => {
              if (item.event.id === 'k0-0') return failed(item, new TypeError('no'))
              return item.event.id === 'k1-0' ? failed(item, new Error('seen')) : succeeded(item)
            }),
        },
      ),
    )
    await h.append('events', events(3, 3))
    await h.settle('1s')
    expect(await h.deadLetters('work')).toMatchObject([{ eventId: 'k0-0', attempts: 1 }])
    expect(await h.dropped('work')).toMatchObject([{ eventId: 'k1-0', reason: 'saw k1-0' }])
    expect(h.order('work', 'k2')).toEqual(['k2-0'])
  })

  test('a redrive is a batch of one of the same handler (I7)', async () => {
    const paths: [number, string][] = []
    let isHealed = false
    const h = await openHarness(
      oneBatchSubscription(
        { retry: list([], { maxAttempts: 1 }) },
        {
          handleBatch: (items, { path }) => {
            paths.push([items.length, path])
            return items.map((item) => (isHealed ? succeeded(item) : failed(item, new Error('no'))))
          },
        },
      ),
    )
    await h.append('events', events(3, 3))
    await h.settle()
    isHealed = true
    await h.operations.startRedrive({ subscription: 'work' })
    await h.settle()
    expect(paths).toEqual([[3, 'live'], ...Array(3).fill([1, 'redrive'])])
    expect(await h.resolved('work')).toHaveLength(3)
  })

  test('a record that is no event, or does not match the schema, is dead-lettered by itself; the others go on (I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const seen: string[][] = []
      const typed = stream('events', { shards: 1, schema: evenNumbers })
      const h = await openHarness(
        defineApp({
          subscriptions: [
            subscribe('work', typed, {
              failure: { blocks, exhausted: 'dead-letter' },
              batch: { maxWaitMs: 1_000 },
              handleBatch: (items) => {
                seen.push(items.map((item) => item.event.id))
                return items.map(succeeded)
              },
            }),
          ],
        }),
      )
      const writer = h.world.boot()
      const context = { stream: 'events', nowMs: h.clock.now(), id: '' }
      await h.clock.settle(
        writer.log.append('events', [
          { partitionKey: 'a', data: new TextEncoder().encode('no event') },
          // Appending would refuse it.
          { partitionKey: 'a', data: encodeEvent(event('a', 'a1', 1), context) },
        ]),
      )
      await h.append('events', [event('a', 'a2', 2), event('b', 'b4', 4)])
      await h.settle()
      expect(seen).toEqual([['a2', 'b4']])
      expect((await h.deadLetters('work')).map(({ lastError }) => lastError?.code).sort()).toEqual([
        'EDDY_SCHEMA_MISMATCH',
        'EDDY_UNDECODABLE_EVENT',
      ])
    }
  })

  test('sizes of batches are among the metrics, of batch handlers alone', async () => {
    const h = await openHarness(oneBatchSubscription({}))
    await h.append('events', events(7, 7))
    await h.settle()
    const text = await h.operations.metrics()
    expect(text).toContain('eddy_batch_events_sum{subscription="work"} 7')
    expect(text).toContain('eddy_batch_events_count{subscription="work"} 1')
    expect(text).toContain('eddy_batch_events_bucket{subscription="work",le="5"} 0')
  })
})

const evenNumbers: NonNullable<StreamDefinition<number>['schema']> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      (value as number) % 2 === 0 ? { value: value as number } : { issues: [{ message: 'is odd' }] },
  },
}
