import { defineApp, leases, type Runtime, startRuntime, stream, subscribe, succeeded } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import { quietFaults } from '../../src/sim/fault-plan.ts'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

const KEYS = Array.from({ length: 12 }, (_, n) => `k${n}`)
const LEASE_MS = 10_000

interface Call {
  readonly worker: string
  readonly ids: readonly string[]
}

test('a worker that stood still while it looked something up calls no batch of what another has by now (O2, I3)', async () => {
  const world = new SimWorld({ seed: 3, faults: { ...quietFaults, callMs: { minMs: 1, maxMs: 5 } } })
  onTestFinished(() => world.crash())
  const calls: Call[] = []
  const start = async (name: string): Promise<{ engine: SimEngine; runtime: Runtime }> => {
    const engine = world.boot()
    const app = defineApp({
      subscriptions: [
        subscribe('work', stream('events', { shards: 4 }), {
          concurrency: 4,
          batch: { maxEvents: 5 },
          handleBatch: async (items) => {
            calls.push({ worker: name, ids: items.map(({ event }) => event.id) })
            await engine.clock.sleep(20)
            return items.map((item) => succeeded(item))
          },
        }),
      ],
    })
    const ownership = leases({ name, leaseMs: LEASE_MS })
    return { engine, runtime: await world.clock.settle(startRuntime({ engine, app, ownership })) }
  }
  const append = ({ runtime }: { runtime: Runtime }, round: number): Promise<unknown> =>
    world.clock.settle(
      runtime.append(
        'events',
        KEYS.map((key) => ({ id: `${key}-${round}`, key, data: {} })),
      ),
    )
  const a = await start('a')
  const dying = await start('b')
  await world.clock.advance(LEASE_MS)
  await append(a, 1)
  world.crash(dying.engine)
  const b = await start('c')
  await world.clock.advance(3 * LEASE_MS)
  // Its events may be replays, each of which is looked up in the ledger: there it stands still.
  let stalled = false
  world.onCall = ({ op, processId, args }) => {
    if (stalled || op !== 'table.get' || processId !== b.engine.processId) return
    if (!JSON.stringify(args).includes('"ledger/')) return
    stalled = true
    world.stall(b.engine, 3 * LEASE_MS)
  }
  await append(a, 2)
  await world.clock.advance(10 * LEASE_MS)
  expect(stalled).toBe(true)
  const handled = calls.flatMap(({ worker, ids }) => ids.map((id) => `${id} by ${worker}`))
  expect(handled.filter((one) => one.endsWith('-2 by c'))).toEqual([])
  expect(new Set(calls.flatMap(({ ids }) => ids)).size).toBe(2 * KEYS.length)
})
