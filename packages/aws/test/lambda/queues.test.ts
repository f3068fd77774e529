import {
  defineApp,
  type Engine,
  encodeEvent,
  fixed,
  list,
  type Queue,
  queue,
  stream,
  subscribe,
} from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { failuresOf } from './support/batch-events.ts'
import { openWorld, sqsRecord } from './support/open-world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

type Body = { readonly n: number }

const message = (id: string, n: number, group?: string) => ({
  body: Buffer.from(
    encodeEvent({ key: group ?? id, id, data: { n } }, { stream: 'q', id, nowMs: 0 }),
  ).toString(),
  delayMs: 0,
  ...(group !== undefined && { group }),
})

describe('Retry handler', () => {
  it('tries again at each due time and never before: 1 s, 10 min, 40 min (I5)', async () => {
    const dueAfter = [1_000, 10 * MINUTE_MS, 40 * MINUTE_MS]
    const tries: number[] = []
    const world = await openWorld(() =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            failure: {
              blocks: 'key',
              exhausted: 'dead-letter',
              retry: list(dueAfter),
              immediate: 0,
            },
            handle: () => {
              tries.push(world.clock.now())
              if (tries.length <= dueAfter.length) throw new Error('not yet')
            },
          }),
        ],
      }),
    )
    await world.put('events', [{ key: 'k', id: 'e', data: null }])
    world.mapStream('work')
    world.mapRetries('work')
    await world.clock.advance(HOUR_MS)
    const waits = tries.slice(1).map((atMs, index) => atMs - (tries[index] as number))
    expect(waits.length).toBe(dueAfter.length)
    for (const [index, waitMs] of waits.entries()) {
      expect(waitMs).toBeGreaterThanOrEqual(dueAfter[index] as number)
      expect(waitMs).toBeLessThan((dueAfter[index] as number) + 10_000)
    }
    expect((await world.failures()).map(({ status }) => status)).toEqual(['resolved'])
  })

  it('a token is given back while a person has paused the subscription, and used afterwards', async () => {
    let isDown = true
    const handled: string[] = []
    const world = await openWorld(() =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            failure: { blocks: 'nothing', retry: fixed({ delayMs: 1_000, maxAttempts: 50 }) },
            handle: (event) => {
              if (isDown) throw new Error('down')
              handled.push(event.id)
            },
          }),
        ],
      }),
    )
    await world.put('events', [{ key: 'k', id: 'e1', data: null }])
    world.mapStream('work')
    world.mapRetries('work')
    await world.clock.advance(10_000)
    await world.settle(world.operations.pauseSubscription('work', { by: 'ann' }))
    await world.clock.advance(10_000)
    isDown = false
    await world.put('events', [{ key: 'k', id: 'e2', data: null }])
    await world.clock.advance(5 * MINUTE_MS)
    expect(handled).toEqual([])
    const status = await world.settle(world.operations.showSubscription('work'))
    expect(status).toMatchObject({ paused: true, pausedBy: 'ann', retrying: 1 })
    await world.settle(world.operations.resumeSubscription('work'))
    await world.clock.advance(5 * MINUTE_MS)
    expect(handled.sort()).toEqual(['e1', 'e2'])
  })
})

describe('Queue handler', () => {
  const source = queue<Body>('jobs', {})
  const grouped = queue<Body>('steps', { group: 'n' })

  it('handles messages, retries those that fail, and gives up those that end their process (I2)', async () => {
    const handled = new Map<string, number>()
    const world = await openWorld(({ exit }) =>
      defineApp({
        subscriptions: [
          subscribe('work', source, {
            failure: { blocks: 'nothing', retry: fixed({ delayMs: 1_000, maxAttempts: 3 }) },
            handle: async (event) => {
              handled.set(event.id, (handled.get(event.id) ?? 0) + 1)
              if (event.id === 'm3') throw new Error('always')
              if (event.id === 'm5') return await exit()
            },
          }),
        ],
      }),
    )
    const messages = Array.from({ length: 20 }, (_, n) => message(`m${n}`, n))
    await world.settle(world.engine.queue.send('queue/jobs', messages))
    world.mapQueue('queue/jobs', world.fn('queue', { subscription: 'work' }))
    world.mapRetries('work')
    await world.clock.advance(2 * HOUR_MS)
    expect(handled.size).toBe(20)
    const dead = (await world.failures()).filter(({ status }) => status === 'dead')
    expect(dead.map(({ eventId }) => eventId).sort()).toEqual(['m3', 'm5'])
    expect(await world.settle(world.engine.queue.depth('queue/jobs'))).toBe(0)
  })

  it('of a group nothing overtakes a message that waits for its retry (I3)', async () => {
    const handled: string[] = []
    let failures = 3
    const world = await openWorld(() =>
      defineApp({
        subscriptions: [
          subscribe('work', grouped, {
            failure: {
              blocks: 'key',
              exhausted: 'dead-letter',
              immediate: 0,
              retry: fixed({ delayMs: 5_000, maxAttempts: 9 }),
            },
            handle: (event) => {
              if (event.id === 'm2' && failures-- > 0) throw new Error('not yet')
              handled.push(event.id)
            },
          }),
        ],
      }),
    )
    const messages = Array.from({ length: 10 }, (_, n) => message(`m${n}`, n, String(n % 2)))
    await world.settle(world.engine.queue.send('queue/steps', messages))
    world.mapQueue('queue/steps', world.fn('queue', { subscription: 'work' }))
    world.mapRetries('work')
    await world.clock.advance(5 * MINUTE_MS)
    expect(handled.filter((id) => Number(id.slice(1)) % 2 === 0)).toEqual(['m0', 'm2', 'm4', 'm6', 'm8'])
    expect(handled.filter((id) => Number(id.slice(1)) % 2 === 1)).toEqual(['m1', 'm3', 'm5', 'm7', 'm9'])
  })

  it('of a group nothing overtakes a message whose body cannot be read now (I3)', async () => {
    const handled: string[] = []
    const makeApp = () =>
      defineApp({
        subscriptions: [
          subscribe('work', grouped, {
            failure: { blocks: 'key', exhausted: 'dead-letter' },
            handle: (event) => void handled.push(event.id),
          }),
        ],
      })
    const world = await openWorld(makeApp)
    const acknowledged: string[] = []
    let isUnreadable = true
    const port = {
      adopt: async (_queue: string, records: readonly { messageId: string; body: string }[]) =>
        records.map(({ messageId, body }, index) =>
          isUnreadable && messageId === 'm0'
            ? undefined
            : {
                ...{ messageId, body, receipt: messageId, receiveCount: 1, sentAtMs: 0 },
                sequenceNumber: String(index + 1),
                group: String(Number(messageId.slice(1)) % 2),
              },
        ),
      ack: async (_queue: string, receipts: readonly string[]) => void acknowledged.push(...receipts),
    }
    const fn = world.fn('queue', {
      subscription: 'work',
      engine: () => ({ ...portsOf(world.engine), queue: port as unknown as Queue }),
    })
    const record = (n: number) => ({
      ...sqsRecord(`m${n}`, message(`m${n}`, n, String(n % 2)).body),
      attributes: { MessageGroupId: String(n % 2) },
      eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:shop-queue-steps.fifo',
    })
    const Records = [0, 1, 2, 3, 4].map(record)
    const first = failuresOf(await world.settle(fn.invoke({ Records })))
    expect(first).toEqual(['m0', 'm2', 'm4'])
    expect(handled).toEqual(['m1', 'm3'])
    expect(acknowledged).toEqual(['m1', 'm3'])
    isUnreadable = false
    const rest = { Records: [0, 2, 4].map(record) }
    expect(failuresOf(await world.settle(fn.invoke(rest)))).toEqual([])
    expect(handled).toEqual(['m1', 'm3', 'm0', 'm2', 'm4'])
  })
})

/** Its ports; the class itself cannot be spread. */
function portsOf({ log, queue: port, table, blobs, clock, md5Hex, md5, close }: Engine): Engine {
  return { log, queue: port, table, blobs, clock, md5Hex, md5, close }
}
