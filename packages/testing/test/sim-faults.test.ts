import { isEddyError } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { type FaultRates, quietFaults, roughFaults, type SimEngine, SimWorld } from '../src/index.ts'

const HOUR_MS = 3_600_000
const QUEUE = 'retry/billing'

/** Uses every port fifty times and reports what callers saw of the fault. */
async function work(world: SimWorld, engine: SimEngine): Promise<void> {
  const tolerant = async <T>(call: Promise<T>): Promise<T | undefined> => {
    try {
      return await world.clock.settle(call)
    } catch (error) {
      if (!isEddyError(error) || !error.retryable) throw error
      return undefined
    }
  }
  await world.clock.settle(
    engine.log.createStream({ name: 's', shardCount: 1, retentionMs: HOUR_MS, durability: 'os' }),
  )
  for (let i = 0; i < 50; i++) {
    const entries = [0, 1].map((n) => ({ partitionKey: `k${i}`, data: new Uint8Array([i, n]) }))
    await tolerant(engine.log.append('s', entries))
    await tolerant(
      engine.log.read({
        stream: 's',
        shardId: 'shardId-000000000000',
        from: { at: 'trim_horizon' },
        maxRecords: 10,
        maxBytes: 1_000,
        waitMs: 0,
      }),
    )
    await tolerant(engine.queue.send(QUEUE, [{ body: String(i), delayMs: 0 }]))
    const request = { queue: QUEUE, maxMessages: 3, visibilityMs: 20, waitMs: 0 }
    const deliveries = (await tolerant(engine.queue.receive(request))) ?? []
    if (i % 2 === 0)
      await tolerant(
        engine.queue.ack(
          QUEUE,
          deliveries.map((one) => one.receipt),
        ),
      )
    await tolerant(
      engine.table.put(
        { partition: 'p', sort: String(i % 9), value: i, index: { partition: 'i', sort: 'x' } },
        'any',
      ),
    )
    await tolerant(engine.table.query({ partition: 'i', byIndex: true, limit: 5 }))
    await world.clock.advance(5)
  }
}

const faults = Object.keys(quietFaults).filter(
  (name) => typeof quietFaults[name as keyof FaultRates] === 'number' && name !== 'rejectedTookEffectShare',
) as (keyof FaultRates)[]

describe('faults of the simulated engine', () => {
  test.each(faults)('%s strikes when its rate says so, alone, and is counted', async (fault) => {
    const world = new SimWorld({ seed: 1, faults: { ...quietFaults, [fault]: 0.5 } })
    await work(world, world.boot())
    const struck = Object.entries(world.counts).filter(([, count]) => count > 0)
    expect(struck.map(([name]) => name)).toEqual([fault])
    expect(world.counts[fault]).toBeGreaterThan(10)
  })

  test('without faults none strikes', async () => {
    const world = new SimWorld({ seed: 1 })
    await work(world, world.boot())
    expect(Object.values(world.counts).every((count) => count === 0)).toBe(true)
  })

  test('faults can be switched off during a run', async () => {
    const world = new SimWorld({ seed: 1, faults: { ...roughFaults, writeRejected: 1 } })
    const engine = world.boot()
    const put = () => engine.table.put({ partition: 'p', sort: 's', value: 1 }, 'any')
    await expect(world.clock.settle(put())).rejects.toMatchObject({ code: 'EDDY_STORAGE', retryable: true })
    world.faults = quietFaults
    expect(await world.clock.settle(put())).toMatchObject({ ok: true })
  })

  test('a rejected write took effect or not, by its share', async () => {
    for (const [rejectedTookEffectShare, stored] of [
      [1, 2],
      [0, 0],
    ] as const) {
      const world = new SimWorld({
        seed: 1,
        faults: { ...quietFaults, writeRejected: 1, appendRejected: 1, rejectedTookEffectShare },
      })
      const engine = world.boot()
      await engine.log.createStream({ name: 's', shardCount: 1, retentionMs: HOUR_MS, durability: 'os' })
      const entry = { partitionKey: 'k', data: new Uint8Array(1) }
      await expect(engine.log.append('s', [entry, entry])).rejects.toThrow('simulated')
      await expect(engine.table.put({ partition: 'p', sort: 's', value: 1 }, 'any')).rejects.toThrow(
        'simulated',
      )
      expect(world.store.allRecords('s')).toHaveLength(stored)
      expect(world.store.allItems('p')).toHaveLength(stored / 2)
    }
  })

  test('I5: late deliveries are late, never early', async () => {
    const world = new SimWorld({ seed: 3, faults: { ...roughFaults, lateDelivery: 0.5 } })
    const engine = world.boot()
    const dueAt = new Map<string, number>()
    for (let i = 0; i < 50; i++) {
      const sending = engine.queue.send(QUEUE, [{ body: String(i), delayMs: i * 7 }]).catch(() => undefined)
      dueAt.set(String(i), world.clock.now() + i * 7)
      await world.clock.settle(sending)
    }
    for (let i = 0; i < 400; i++) {
      const request = { queue: QUEUE, maxMessages: 10, visibilityMs: 50, waitMs: 10 }
      const deliveries = await world.clock.settle(engine.queue.receive(request).catch(() => []))
      for (const { body } of deliveries) {
        expect(world.clock.now()).toBeGreaterThanOrEqual(dueAt.get(body) ?? Number.NaN)
      }
    }
    expect(world.counts.lateDelivery).toBeGreaterThan(10)
  })
})

describe('determinism of the simulated engine', () => {
  async function run(seed: number): Promise<readonly string[]> {
    const world = new SimWorld({ seed, faults: roughFaults })
    await work(world, world.boot())
    return world.trace.lines()
  }

  test('the same seed gives the same calls, answers and times; another seed gives others', async () => {
    const first = await run(11)
    expect(first.length).toBeGreaterThan(250)
    expect(await run(11)).toEqual(first)
    expect(await run(12)).not.toEqual(first)
  })

  test('the trace keeps the last calls, oldest first, with their outcome', async () => {
    const world = new SimWorld({ seed: 1, traceLength: 3 })
    const engine = world.boot()
    for (let i = 0; i < 5; i++) await engine.table.get({ partition: 'p', sort: String(i) })
    await expect(engine.log.describeStream('none')).rejects.toThrow()
    expect(world.trace.lines()).toEqual([
      '#4 @0 p1 table.get({"partition":"p","sort":"3"}) -> ok @0',
      '#5 @0 p1 table.get({"partition":"p","sort":"4"}) -> ok @0',
      '#6 @0 p1 log.describeStream("none") -> EDDY_STREAM_NOT_FOUND @0',
    ])
  })
})
