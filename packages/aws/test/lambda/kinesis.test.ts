import {
  type Blocks,
  defineApp,
  type EddyEvent,
  fixed,
  type HandlerContext,
  stream,
  subscribe,
} from '@eddy/core'
import { describe, expect, it } from 'vitest'
import type { LambdaWorldOptions, Sandbox } from './support/lambda-world.ts'
import { openWorld } from './support/open-world.ts'

const EVENTS = stream('events', { shards: 1 })

type Handle = (event: EddyEvent, ctx: HandlerContext, sandbox: Sandbox) => unknown

async function opened(blocks: Blocks, handle: Handle, options: LambdaWorldOptions = {}, more = {}) {
  const makeApp = (sandbox: Sandbox) =>
    defineApp({
      subscriptions: [
        subscribe('work', EVENTS, {
          failure: { blocks, exhausted: 'dead-letter', retry: fixed({ delayMs: 1_000, maxAttempts: 3 }) },
          handle: async (event, ctx) => void (await handle(event, ctx, sandbox)),
          ...more,
        }),
      ],
    })
  return await openWorld(makeApp, options)
}

const events = (count: number, keys: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index % keys}`, id: `e${index}`, data: { index } }))

describe('Kinesis handler', () => {
  it('handles each event once, each key in order', async () => {
    const seen: [string, number][] = []
    const world = await opened(
      'key',
      (event, ctx) => void seen.push([ctx.key, (event.data as { index: number }).index]),
    )
    await world.put('events', events(100, 7))
    world.mapStream('work', { batchSize: 30 })
    await world.clock.advance(20_000)
    expect(seen.length).toBe(100)
    for (let key = 0; key < 7; key += 1) {
      const ofKey = seen.filter(([name]) => name === `k${key}`).map(([, index]) => index)
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
    }
  })

  for (const blocks of ['nothing', 'key', 'shard'] as const)
    it(`retries what fails and dead-letters it, with blocks: ${blocks}`, async () => {
      const tries = new Map<string, number>()
      const done: string[] = []
      const world = await opened(blocks, (event) => {
        tries.set(event.id, (tries.get(event.id) ?? 0) + 1)
        if (event.id === 'e3') throw new Error('always')
        if (event.id === 'e4' && tries.get('e4') === 1) throw new Error('once')
        done.push(event.id)
      })
      await world.put('events', events(20, 5))
      world.mapStream('work')
      world.mapRetries('work')
      await world.clock.advance(60_000)
      expect([...done].sort()).toEqual(
        events(20, 5)
          .map(({ id }) => id)
          .filter((id) => id !== 'e3')
          .sort(),
      )
      const dead = (await world.failures()).filter(({ status }) => status === 'dead')
      expect(dead.map(({ eventId, attempts }) => [eventId, attempts])).toEqual([['e3', 3]])
    })

  for (const blocks of ['nothing', 'key', 'shard'] as const)
    for (const bisect of [false, true])
      for (const factor of blocks === 'shard' ? [1] : [1, 4])
        it(`an event that ends its process is given up in its place: blocks ${blocks}, bisect ${bisect}, factor ${factor} (I2, I3)`, async () => {
          const done: string[] = []
          const starts: string[] = []
          const world = await opened(blocks, async (event, _ctx, sandbox) => {
            starts.push(event.id)
            if (event.id === 'e7') return await sandbox.exit()
            await world.clock.sleep(5)
            done.push(event.id)
          })
          await world.put('events', events(30, 5))
          world.mapStream('work', {
            batchSize: 10,
            bisectBatchOnFunctionError: bisect,
            parallelizationFactor: factor,
          })
          world.mapRetries('work')
          await world.clock.advance(600_000)
          expect(new Set(done)).toEqual(
            new Set(
              events(30, 5)
                .map(({ id }) => id)
                .filter((id) => id !== 'e7'),
            ),
          )
          const failures = await world.failures()
          const dead = failures.filter(({ status }) => status === 'dead')
          expect(dead.map(({ eventId }) => eventId)).toEqual(['e7'])
          expect(world.exits).toBeGreaterThanOrEqual(3)
          // e12 has the key of e7: nothing of it before e7 has come to its end.
          if (blocks !== 'nothing') expect(starts.indexOf('e12')).toBeGreaterThan(starts.lastIndexOf('e7'))
        })
})
