import { failed, fixed, succeeded } from '@eddy/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Harness, quietFaults } from '../../src/index.ts'
import { event, oneBatchSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 3 })

describe('order inside batches', () => {
  test('whenever it crashes, what stands before a failed event of its key is not passed over (I2)', async () => {
    const app = oneBatchSubscription(
      { blocks: 'key', exhausted: 'dead-letter', retry },
      {
        batch: { maxWaitMs: 1_000 },
        handleBatch: (items) =>
          items.map((item) => (item.ctx.attempt === 1 ? failed(item, new Error('no')) : succeeded(item))),
      },
    )
    // Calls of the engine overtake each other.
    const faults = { ...quietFaults, callMs: { minMs: 0, maxMs: 30 } }
    let crashes = 0
    for (let seed = 1; seed <= 24; seed += 1) {
      const h = await openHarness(app, { seed, faults })
      const writer = h.world.boot()
      const raw = [{ partitionKey: 'a', data: new TextEncoder().encode('no event') }]
      await h.clock.settle(writer.log.append('events', raw))
      await h.append('events', event('a', 'a1'))
      await h.advance(900)
      // Somewhere between the handler's answer and the last write that follows from it.
      h.world.crashAtCall(h.world.callCount + 1 + (seed % 8))
      await h.advance(500)
      if (!(await isRunning(h))) crashes += 1
      h.world.crashAtCall(-1)
      await h.crash()
      await h.settle()
      expect(await h.deadLetters('work')).toMatchObject([{ eventType: 'undecodable' }])
      expect(h.order('work', 'a').at(-1)).toBe('a1')
    }
    expect(crashes).toBeGreaterThan(12)
  })

  test('whatever fails, a key’s events are done in order, each once (I2, I3)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('key', 'shard'),
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 2 })), {
          minLength: 1,
          maxLength: 25,
        }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 1 }),
        async (blocks, made, maxEvents, immediate) => {
          const fails = new Map(made.map(([key, times], index) => [`${key}${index}`, times]))
          const done: string[] = []
          const h = await openHarness(
            oneBatchSubscription(
              {
                blocks,
                exhausted: 'dead-letter',
                immediate,
                retry: fixed({ delayMs: 1_000, maxAttempts: 9 }),
              },
              {
                batch: { maxEvents },
                concurrency: 2,
                handleBatch: (items) => {
                  const failedLanes = new Set<string>()
                  return items.map((item) => {
                    const { id } = item.event
                    const lane = blocks === 'key' ? item.ctx.key : ''
                    if (item.ctx.attempt <= (fails.get(id) ?? 0)) {
                      failedLanes.add(lane)
                      return failed(item, new Error('planned'))
                    }
                    // What stands behind a failure in its batch is said to have gone well, and must not count.
                    if (!failedLanes.has(lane)) done.push(id)
                    return succeeded(item)
                  })
                },
              },
            ),
          )
          const list = made.map(([key], index) => event(key, `${key}${index}`))
          await h.append('events', list)
          await h.settle()
          const ids = list.map(({ id }) => id as string)
          expect([...done].sort()).toEqual([...ids].sort())
          const lanes = blocks === 'key' ? ['a', 'b', 'c'] : ['']
          for (const lane of lanes) {
            const ofLane = (id: string): boolean => id.startsWith(lane)
            expect(done.filter(ofLane)).toEqual(ids.filter(ofLane))
          }
        },
      ),
      { numRuns: 40, seed: 20_261_121 },
    )
  })
})

async function isRunning(h: Harness): Promise<boolean> {
  try {
    await h.operations.showSubscription('work')
    return true
  } catch {
    return false
  }
}
