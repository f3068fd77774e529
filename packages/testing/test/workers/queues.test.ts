import { defineApp, fixed, leases, queue, type Runtime, startRuntime, subscribe } from '@eddy/core'
import { expect, onTestFinished, test } from 'vitest'
import type { SimEngine } from '../../src/sim/process/sim-engine.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'

interface Worker {
  readonly engine: SimEngine
  readonly runtime: Runtime
}

const GROUPS = ['a', 'b', 'c']

test('a queue has one reader at a time, whose place another takes; groups keep their order (I2, I3)', async () => {
  const world = new SimWorld({ seed: 7 })
  onTestFinished(() => world.crash())
  const handled: string[] = []
  const readers: string[] = []
  const start = async (name: string): Promise<Worker> => {
    const engine = world.boot()
    const tasks = queue('tasks', { group: 'group' })
    const app = defineApp({
      subscriptions: [
        subscribe('work', tasks, {
          concurrency: 4,
          timeoutMs: 2_000,
          failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 500, maxAttempts: 5 }) },
          handle: async (event, ctx) => {
            await engine.clock.sleep(30)
            if (ctx.path === 'live' && ctx.attempt === 1) readers.push(name)
            // Each group's second one fails once: what comes behind it waits in the ledger.
            if (event.id.endsWith('2') && ctx.attempt === 1) throw new Error('planned')
            handled.push(event.id)
          },
        }),
      ],
    })
    const runtime = await world.clock.settle(startRuntime({ engine, app, ownership: leases({ name }) }))
    return { engine, runtime }
  }
  let sent = 0
  const send = async ({ runtime }: Worker): Promise<void> => {
    sent += 1
    const messages = GROUPS.map((group) => ({ id: `${group}${sent}`, data: { group } }))
    await world.clock.settle(runtime.send('tasks', messages))
  }
  const a = await start('a')
  const b = await start('b')
  await send(a)
  await world.clock.advance(3_000)
  const first = readers[0] as string
  expect(new Set(readers)).toEqual(new Set([first]))
  for (let round = 0; round < 4; round += 1) await send(b)
  const [dying, living] = first === 'a' ? [a, b] : [b, a]
  world.crash(dying.engine)
  await send(living)
  await world.clock.advance(200_000)
  const second = first === 'a' ? 'b' : 'a'
  expect(readers.at(-1)).toBe(second)
  for (const group of GROUPS) {
    const own = handled.filter((id) => id.startsWith(group))
    expect([...new Set(own)]).toEqual(Array.from({ length: sent }, (_, n) => `${group}${n + 1}`))
  }
  const status = await world.clock.settle(living.runtime.operations.showSubscription('work'))
  expect(status.queue).toMatchObject({ owner: second, state: 'reading', messages: 0 })
})
