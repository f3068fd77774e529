import { defineApp, leases, type Ownership, type Runtime, startRuntime, stream, subscribe } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import { quietFaults } from '../../src/sim/fault-plan.ts'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

/** Of both shards. */
const EVENTS = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({ id: key, key, data: {} }))

interface Started {
  readonly engine: SimEngine
  readonly runtime: Promise<Runtime>
}

function newWorld(seed = 1): {
  world: SimWorld
  handled: string[]
  start: (ownership?: Ownership) => Started
} {
  const world = new SimWorld({ seed, faults: { ...quietFaults, callMs: { minMs: 1, maxMs: 5 } } })
  onTestFinished(() => world.crash())
  const handled: string[] = []
  const app = defineApp({
    subscriptions: [
      subscribe('work', stream('events', { shards: 2 }), {
        handle: (event) => {
          handled.push(event.id)
        },
      }),
    ],
  })
  const start = (ownership?: Ownership): Started => {
    const engine = world.boot()
    return { engine, runtime: world.clock.settle(startRuntime({ engine, app, ownership })) }
  }
  return { world, handled, start }
}

test('nobody takes all of an engine beside workers, nor after them', async () => {
  const { world, handled, start } = newWorld()
  const worker = await start(leases()).runtime
  await expect(start().runtime).rejects.toMatchObject({ code: 'EDDY_ENGINE_SHARED' })
  await world.clock.settle(worker.append('events', EVENTS))
  await world.clock.advance(1_000)
  expect(handled).toHaveLength(EVENTS.length)
  await world.clock.settle(worker.stop())
  // Its checkpoints have the epochs of workers, which fence an owner that counts its starts.
  await expect(start().runtime).rejects.toMatchObject({ code: 'EDDY_ENGINE_SHARED' })
  await expect(start(leases()).runtime).resolves.toBeDefined()
})

test('workers come to an engine once its one owner has stopped, and neither beside it nor after its death', async () => {
  const { world, start } = newWorld()
  const first = start()
  await first.runtime
  await expect(start(leases()).runtime).rejects.toMatchObject({ code: 'EDDY_ENGINE_OWNED' })
  world.crash(first.engine)
  // What it had under way is known to nobody but its successor.
  await expect(start(leases()).runtime).rejects.toMatchObject({ code: 'EDDY_ENGINE_OWNED' })
  const again = await start().runtime
  await world.clock.settle(again.append('events', EVENTS))
  await world.clock.advance(1_000)
  await world.clock.settle(again.stop())
  await expect(start(leases()).runtime).resolves.toBeDefined()
})

test('of an owner and a worker that start at the same moment one is refused', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { world, start } = newWorld(round)
    const ends = await Promise.allSettled([start().runtime, start(leases()).runtime])
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    world.crash()
  }
})
