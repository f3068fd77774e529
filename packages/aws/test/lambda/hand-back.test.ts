import { defineApp, type Engine, fixed, StorageError, stream, subscribe, type Table } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { eventOf, failuresOf } from './support/batch-events.ts'
import { openWorld } from './support/open-world.ts'

const EVENTS = stream('events', { shards: 1 })
const SECOND_MS = 1_000

const events = (keys: readonly string[]) => keys.map((key, index) => ({ key, id: `e${index}`, data: null }))

describe('What a function hands back', () => {
  it('is the lowest record that its time did not allow; what was done above it is not done again', async () => {
    const handled: string[] = []
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', EVENTS, {
              failure: { blocks: 'key', exhausted: 'dead-letter' },
              timeoutMs: 10_000,
              concurrency: 2,
              handle: async (event, ctx) => {
                handled.push(event.id)
                // The slow key has no end before the others do.
                await world.clock.sleep(ctx.key === 'slow' ? 8 * SECOND_MS : SECOND_MS)
              },
            }),
          ],
        }),
      { timeoutMs: 40_000 },
    )
    await world.put('events', events(['slow', 'a', 'slow', 'a', 'slow', 'a', 'slow', 'a']))
    const fn = world.fn('kinesis', { subscription: 'work' })
    const whole = await eventOf(world, 0, 7)
    const left = failuresOf(await world.settle(fn.invoke(whole)))
    // Begun at 0, 8 and 16 s; at 24 s ten seconds and a margin do not fit into forty any more.
    expect(left).toEqual([whole.Records[6]?.kinesis.sequenceNumber])
    expect(handled.filter((id) => Number(id.slice(1)) % 2 === 1)).toEqual(['e1', 'e3', 'e5', 'e7'])
    handled.length = 0
    expect(failuresOf(await world.settle(fn.invoke(await eventOf(world, 6, 7))))).toEqual([])
    expect(handled).toEqual(['e6'])
  })

  it('is a shard that waits for an event which is not due within the time; attempts stand in the ledger', async () => {
    const tries: number[] = []
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', EVENTS, {
              failure: {
                blocks: 'shard',
                exhausted: 'dead-letter',
                immediate: 0,
                retry: fixed({ delayMs: 100 * SECOND_MS, maxAttempts: 2 }),
              },
              timeoutMs: 5_000,
              handle: (event) => {
                if (event.id !== 'e1') return
                tries.push(world.clock.now())
                throw new Error('always')
              },
            }),
          ],
        }),
      { timeoutMs: 60_000 },
    )
    await world.put('events', events(['a', 'b', 'c']))
    const fn = world.fn('kinesis', { subscription: 'work' })
    const rest = await eventOf(world, 1, 2)
    const startMs = world.clock.now()
    const first = failuresOf(await world.settle(fn.invoke(await eventOf(world, 0, 2))))
    expect(first).toEqual([rest.Records[0]?.kinesis.sequenceNumber])
    // It waited as long as a try could have come in: whoever comes back at once would use up the mapping's retries.
    expect(world.clock.now() - startMs).toBeGreaterThan(40 * SECOND_MS)
    expect((await world.failures()).map(({ status, attempts }) => [status, attempts])).toEqual([
      ['retrying', 1],
    ])
    while (failuresOf(await world.settle(fn.invoke(rest))).length > 0) expect(tries.length).toBeLessThan(3)
    expect(tries.length).toBe(2)
    expect((tries[1] as number) - (tries[0] as number)).toBeGreaterThanOrEqual(100 * SECOND_MS)
    expect((await world.failures()).map(({ status, attempts }) => [status, attempts])).toEqual([['dead', 2]])
  })

  it('an invocation beside an earlier one with the same records: nothing is lost, and each key is in order', async () => {
    const starts: string[] = []
    const world = await openWorld(() =>
      defineApp({
        subscriptions: [
          subscribe('work', EVENTS, {
            failure: { blocks: 'key', exhausted: 'dead-letter' },
            concurrency: 1,
            timeoutMs: 5_000,
            handle: async (event) => {
              starts.push(event.id)
              await world.clock.sleep(950)
            },
          }),
        ],
      }),
    )
    await world.put('events', events(Array.from({ length: 20 }, () => 'k')))
    const fn = world.fn('kinesis', { subscription: 'work' })
    const whole = await eventOf(world, 0, 19)
    const earlier = fn.invoke(whole)
    await world.clock.advance(4_500)
    const [first, second] = await Promise.all([world.settle(earlier), world.settle(fn.invoke(whole))])
    // The earlier one is told, and leaves what it has not done to the later one.
    expect(failuresOf(first)).toEqual([whole.Records[5]?.kinesis.sequenceNumber])
    expect(failuresOf(second)).toEqual([])
    // What was not noted as done yet when the later one came runs again; nothing else does.
    const order = starts.map((id) => Number(id.slice(1)))
    const again = order.findIndex((n, index) => n <= (order[index - 1] ?? -1))
    expect(order.slice(0, again)).toEqual([0, 1, 2, 3, 4, 5])
    expect(order.slice(again)).toEqual(Array.from({ length: 16 }, (_, index) => index + 4))
  })

  it('is everything while storage is down: an invocation waits, and does not use up the mapping at once (I9)', async () => {
    const handled: string[] = []
    let isDown = true
    const engine = (): Engine => {
      const { log, queue, table, blobs, clock, md5Hex, md5, close } = world.engine
      const refused = <T>(call: () => Promise<T>): Promise<T> =>
        isDown ? Promise.reject(new StorageError('the table is throttled')) : call()
      const refusing: Table = {
        get: (key) => refused(() => table.get(key)),
        getMany: (wanted) => refused(() => table.getMany(wanted)),
        query: (request) => refused(() => table.query(request)),
        count: (partition, byIndex) => refused(() => table.count(partition, byIndex)),
        put: (item, expect) => refused(() => table.put(item, expect)),
        delete: (key, expect) => refused(() => table.delete(key, expect)),
      }
      return { log, queue, table: refusing, blobs, clock, md5Hex, md5, close }
    }
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', EVENTS, {
              failure: { blocks: 'key', exhausted: 'dead-letter' },
              timeoutMs: 5_000,
              handle: (event) => void handled.push(event.id),
            }),
          ],
        }),
      { timeoutMs: 60_000, options: { engine } },
    )
    await world.put('events', events(['a', 'b', 'c']))
    const mapping = world.mapStream('work', { maximumRetryAttempts: 5, bisectBatchOnFunctionError: true })
    await world.clock.advance(240 * SECOND_MS)
    expect(handled).toEqual([])
    isDown = false
    await world.clock.advance(60 * SECOND_MS)
    expect(mapping.discarded).toEqual([])
    expect(handled).toEqual(['e0', 'e1', 'e2'])
  })
})
