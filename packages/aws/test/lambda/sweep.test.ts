import { defineApp, fixed, stream, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { openWorld } from './support/open-world.ts'

const MINUTE_MS = 60_000

describe('Sweep handler', () => {
  it('sends lost tokens again, and works redrives off that an operator asked for', async () => {
    let isBroken = true
    const handled: string[] = []
    const world = await openWorld(() =>
      defineApp({
        subscriptions: [
          subscribe('work', stream('events', { shards: 1 }), {
            failure: { blocks: 'nothing', immediate: 0, retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) },
            handle: (event) => {
              if (isBroken) throw new Error('broken')
              handled.push(event.id)
            },
          }),
        ],
      }),
    )
    await world.put('events', [{ key: 'k', id: 'e1', data: null }])
    world.mapStream('work')
    await world.clock.advance(5_000)
    await world.settle(world.engine.queue.purge('retry/work'))
    await world.clock.advance(MINUTE_MS)
    world.mapRetries('work')
    await world.clock.advance(MINUTE_MS)
    expect((await world.failures())[0]).toMatchObject({ status: 'retrying', attempts: 1 })
    await world.settle(world.fn('sweep').invoke({}))
    await world.clock.advance(MINUTE_MS)
    expect((await world.failures())[0]).toMatchObject({ status: 'dead', attempts: 2 })
    isBroken = false
    const job = await world.settle(world.operations.startRedrive({ subscription: 'work' }, { by: 'ann' }))
    await world.clock.advance(MINUTE_MS)
    expect(handled).toEqual([])
    await world.settle(world.fn('sweep').invoke({}))
    await world.clock.advance(MINUTE_MS)
    expect(handled).toEqual(['e1'])
    expect(await world.settle(world.operations.showRedrive(job.id))).toMatchObject({
      state: 'done',
      enqueued: 1,
    })
  })
})

describe('A function that cannot do its work', () => {
  it('says so when its timeout has no room for one handler', async () => {
    const world = await openWorld(
      () =>
        defineApp({
          subscriptions: [
            subscribe('work', stream('events', { shards: 1 }), {
              failure: { blocks: 'nothing' },
              timeoutMs: 30_000,
              handle: () => {},
            }),
          ],
        }),
      { timeoutMs: 40_000 },
    )
    const record = {
      kinesis: { partitionKey: 'k', sequenceNumber: '1', data: '', approximateArrivalTimestamp: 0 },
      eventID: 'shardId-000000000000:1',
    }
    const result = await world.settle(
      world.fn('kinesis', { subscription: 'work' }).invoke({ Records: [record] }),
    )
    expect(result).toMatchObject({ ok: false, errorType: 'InvalidOptionError' })
    expect((result as { errorMessage: string }).errorMessage).toContain('at least 45 s')
  })
})
