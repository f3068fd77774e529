import { defineApp, type EddyEvent, type Engine, fixed, StorageError, stream, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { eventAt, eventOf, failuresOf } from './support/batch-events.ts'
import type { Sandbox } from './support/lambda-world.ts'
import { openWorld } from './support/open-world.ts'

const EVENTS = stream('events', { shards: 1 })
const SECOND_MS = 1_000

type Handle = (event: EddyEvent, sandbox: Sandbox) => unknown

const worldOf = (
  handle: Handle,
  more: { readonly concurrency?: number; readonly blocks?: 'nothing' | 'key' } = {},
) =>
  openWorld(
    (sandbox) =>
      defineApp({
        subscriptions: [
          subscribe('work', EVENTS, {
            failure: {
              blocks: more.blocks ?? 'key',
              exhausted: 'dead-letter',
              immediate: 0,
              retry: fixed({ delayMs: 60 * SECOND_MS, maxAttempts: 3 }),
            },
            timeoutMs: 10_000,
            concurrency: more.concurrency ?? 1,
            handle: async (event) => void (await handle(event, sandbox)),
          }),
        ],
      }),
    { timeoutMs: 40_000 },
  )

const events = (keys: readonly string[]) => keys.map((key, index) => ({ key, id: `e${index}`, data: null }))

/** The engine with one port's calls looked at first. */
function watched(engine: Engine, onTable: (partition: string) => Promise<void>): Engine {
  const { table } = engine
  return {
    ...engine,
    table: {
      ...table,
      get: async (key) => {
        await onTable(`get ${key.partition}`)
        return await table.get(key)
      },
      put: async (item, expect) => {
        await onTable(`put ${item.partition}`)
        return await table.put(item, expect)
      },
      putInOrder: undefined as never,
    },
  }
}

describe('What invocations leave for each other', () => {
  it('what is noted of a batch says nothing of another one that begins with the same record (I2)', async () => {
    const handled: string[] = []
    const world = await worldOf(
      async (event) => {
        handled.push(event.id)
        await world.clock.sleep(['e0', 'e2'].includes(event.id) ? 10 * SECOND_MS - 1 : 10)
      },
      { concurrency: 2 },
    )
    await world.put('events', events(['slow', 'a', 'slow', 'a', 'slow', 'a', 'b']))
    const fn = world.fn('kinesis', { subscription: 'work' })
    const whole = await eventOf(world, 0, 5)
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([
      whole.Records[4]?.kinesis.sequenceNumber,
    ])
    // The first record is the same, the second one is not: lanes were drawn anew.
    handled.length = 0
    expect(failuresOf(await world.settle(fn.invoke(await eventAt(world, [4, 6]))))).toEqual([])
    expect(handled.sort()).toEqual(['e4', 'e6'])
  })

  it('after a death what is in the ledger is not handled beside its retry', async () => {
    const attempts: string[] = []
    let isDeadly = true
    const world = await worldOf(
      async (event, { exit }) => {
        // The other one's failure is written down by then.
        if (event.id === 'e1') await world.clock.sleep(100)
        if (event.id === 'e1' && isDeadly) return await exit()
        attempts.push(event.id)
        if (event.id === 'e0') throw new Error('not yet')
      },
      { blocks: 'nothing' },
    )
    await world.put('events', events(['a', 'b']))
    const fn = world.fn('kinesis', { subscription: 'work' })
    const whole = await eventOf(world, 0, 1)
    expect(await world.settle(fn.invoke(whole))).toMatchObject({ ok: false, kind: 'exit' })
    isDeadly = false
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([])
    expect(attempts).toEqual(['e0', 'e1'])
    expect((await world.failures()).map(({ eventId, attempts: count }) => [eventId, count])).toEqual([
      ['e0', 1],
    ])
  })

  it('the second half of a batch that died is handled as carefully as the first', async () => {
    const world = await worldOf(async (event, { exit }) => void (event.id === 'e6' && (await exit())))
    await world.put('events', events(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']))
    const fn = world.fn('kinesis', { subscription: 'work' })
    expect(await world.settle(fn.invoke(await eventOf(world, 0, 7)))).toMatchObject({ ok: false })
    expect(failuresOf(await world.settle(fn.invoke(await eventOf(world, 0, 3))))).toEqual([])
    const half = await eventOf(world, 4, 7)
    while (!(await world.settle(fn.invoke(half))).ok) expect(world.exits).toBeLessThan(5)
    // The first death tells of none; three more are put down to the one event.
    expect(world.exits).toBe(4)
    expect((await world.failures()).map(({ eventId, status }) => [eventId, status])).toEqual([['e6', 'dead']])
  })
})

describe('Storage that fails', () => {
  it('leaves the event and all behind it in its key; other keys go on (I3)', async () => {
    const handled: string[] = []
    let isRefused = true
    const world = await worldOf((event) => {
      handled.push(event.id)
      if (event.id === 'e0') throw new Error('fails')
    })
    await world.put('events', events(['k', 'k', 'other', 'k']))
    const engine = watched(world.engine, async (call) => {
      // For good: no repetition mends it.
      if (isRefused && call.startsWith('put ledger')) throw new RangeError('no room')
    })
    const fn = world.fn('kinesis', { subscription: 'work', engine: () => engine })
    const whole = await eventOf(world, 0, 3)
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([
      whole.Records[0]?.kinesis.sequenceNumber,
    ])
    expect(handled).toEqual(['e0', 'e2'])
    isRefused = false
    expect(failuresOf(await world.settle(fn.invoke(whole)))).toEqual([])
    expect(handled.filter((id) => id === 'e2')).toEqual(['e2'])
    expect((await world.failures()).map(({ eventId }) => eventId).sort()).toEqual(['e0', 'e1', 'e3'])
  })

  it('that does not answer in time: a batch and a timer are handed back, and nobody waits for the end of the function', async () => {
    let isSilent = false
    const world = await worldOf((event) => {
      if (event.id === 'e0') throw new Error('fails')
    })
    await world.put('events', events(['k']))
    const engine = watched(world.engine, async (call) => {
      if (isSilent && call.startsWith('get ledger')) await new Promise(() => {})
      if (isSilent && call.startsWith('put batch')) throw new StorageError('throttled')
    })
    const more = { subscription: 'work', engine: () => engine }
    const whole = await eventOf(world, 0, 0)
    expect(failuresOf(await world.settle(world.fn('kinesis', more).invoke(whole)))).toEqual([])
    isSilent = true
    const handedBack = failuresOf(await world.settle(world.fn('kinesis', more).invoke(whole)))
    expect(handedBack).toEqual([whole.Records[0]?.kinesis.sequenceNumber])
    await world.clock.advance(60 * SECOND_MS)
    const request = { queue: 'retry/work', maxMessages: 1, visibilityMs: 60_000, waitMs: 0 }
    const [token] = await world.settle(world.engine.queue.receive(request))
    const { messageId, receipt: receiptHandle, body = '' } = token ?? {}
    const record = {
      messageId,
      receiptHandle,
      body,
      attributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: '',
    }
    expect(failuresOf(await world.settle(world.fn('retry', more).invoke({ Records: [record] })))).toEqual([
      messageId,
    ])
    // At once, and not after its visibility timeout.
    expect((await world.settle(world.engine.queue.receive(request))).length).toBe(1)
  })
})
