import { defineApp, fixed, type Runtime, StorageError, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, test } from 'vitest'
import { type SimEngine, SimWorld } from '../../src/index.ts'
import { StoredView, SUBSCRIPTION } from '../../src/simulation/stored-view.ts'

test('a stop that could save no checkpoint is no clean one: what is in the ledger is not handled again (I2)', async () => {
  const world = new SimWorld({ seed: 1 })
  const handled: string[] = []
  const app = defineApp({
    subscriptions: [
      subscribe(SUBSCRIPTION, stream('orders', { shards: 1 }), {
        failure: {
          blocks: 'nothing',
          exhausted: 'dead-letter',
          retry: fixed({ maxAttempts: 1, delayMs: 10 }),
        },
        handle: ({ id }) => {
          handled.push(id)
          if (id === 'o2') throw new Error('planned')
        },
      }),
    ],
  })
  const done = <T>(call: Promise<T>, ms: number): Promise<T> => world.clock.advance(ms).then(() => call)
  const start = (engine: SimEngine): Promise<Runtime> => done(startRuntime({ engine, app }), 1_000)

  const engine = world.boot()
  let isFull = false
  const { put } = engine.table
  engine.table.put = async (item, expect) => {
    if (isFull && item.partition.startsWith('checkpoint/')) throw new StorageError('planned: no room')
    return await put(item, expect)
  }
  const first = await start(engine)
  isFull = true
  const events = ['o1', 'o2'].map((id) => ({ id, key: id, data: {} }))
  await done(first.append('orders', events), 5_000)
  await done(first.stop({ timeoutMs: 1_000 }), 10_000)
  world.crash(engine)

  const second = await start(world.boot())
  await world.clock.advance(5_000)
  // What went well comes again: nothing but its checkpoint knew of it.
  expect(handled).toEqual(['o1', 'o2', 'o1'])
  expect(new StoredView(world.store).ledger()).toMatchObject([{ eventId: 'o2', status: 'dead', attempts: 1 }])
  const { shards } = await done(second.operations.showSubscription(SUBSCRIPTION), 10)
  expect(shards).toMatchObject([{ state: 'reading', lagRecords: 0 }])
})
