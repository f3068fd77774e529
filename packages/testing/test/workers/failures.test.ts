import { fixed } from '@eddy/core'
import { expect, test } from 'vitest'
import { Workers } from '../support/workers.ts'

const KEY = 'k0-'

test('a shard that is held goes on waiting with its next owner, and a redrive through another worker is seen', async () => {
  let fails = true
  const workers = new Workers({
    shards: 1,
    failure: { blocks: 'shard', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 1 }) },
    handle: (id) => {
      if (fails && id === `${KEY}1`) throw new Error('planned')
    },
  })
  await workers.start('a')
  await workers.append([KEY])
  await workers.append([KEY])
  await workers.advance(2_000)
  await workers.start('b')
  await workers.advance(5_000)
  workers.kill('a')
  await workers.advance(15_000)
  expect(workers.handled).toEqual([])
  await workers.start('c')
  const { operations } = workers.get('c').runtime
  expect(await workers.until(operations.showSubscription('work'))).toMatchObject({ held: 1 })
  fails = false
  await workers.until(operations.startRedrive({ subscription: 'work', status: 'held' }, { by: 'alice' }))
  await workers.advance(3_000)
  expect(workers.handled.map(({ worker, id }) => `${worker} ${id}`)).toEqual([`b ${KEY}1`, `b ${KEY}2`])
})

test('an event that kills every worker that handles it is given up, and its key goes on (I9)', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const workers: Workers = new Workers({
    shards: 2,
    leaseMs: 1_000,
    failure: { blocks: 'key', exhausted: 'dead-letter', maxCrashes: 2 },
    handle: async (id, _ctx, worker) => {
      if (id !== `${KEY}1`) return
      workers.kill(worker.name)
      await new Promise(() => {})
    },
  })
  await workers.start(names.shift() as string)
  await workers.append([KEY])
  await workers.append([KEY])
  let deaths = 0
  for (let step = 0; step < 200 && workers.handled.length === 0; step += 1) {
    if (workers.world.runningCount === 0) {
      deaths += 1
      await workers.start(names.shift() as string)
    }
    await workers.advance(1_000)
  }
  expect(workers.handled.map(({ id }) => id)).toEqual([`${KEY}2`])
  expect(deaths).toBeLessThanOrEqual(5)
  const [name] = workers.names()
  const list = workers.get(name as string).runtime.operations.listFailures({ status: 'dead' })
  expect((await workers.until(list)).items).toMatchObject([{ eventId: `${KEY}1`, status: 'dead' }])
})

test('a claim of another worker counts until its time is over, and is a crash then', async () => {
  let hangs = true
  const workers = new Workers({
    shards: 1,
    timeoutMs: 2_000,
    failure: { blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 3 }) },
    handle: async (_id, ctx, worker) => {
      if (ctx.attempt === 1) throw new Error('planned')
      if (!hangs) return
      hangs = false
      workers.kill(worker.name)
      await new Promise(() => {})
    },
  })
  await workers.start('a')
  await workers.append([KEY])
  await workers.start('b')
  await workers.advance(5_000)
  expect(workers.names()).toHaveLength(1)
  const killedAtMs = workers.world.clock.monotonicMs()
  await workers.advance(120_000)
  expect(workers.handled).toHaveLength(1)
  // The handler's time and the margin for clocks that differ; then whoever has the token.
  expect((workers.handled[0]?.atMs ?? 0) - killedAtMs).toBeGreaterThan(7_000)
})
