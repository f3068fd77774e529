import { describe, expect, test } from 'vitest'
import { type CrashPlan, type FaultPlan, quietFaults, type SimEngine, SimWorld } from '../src/index.ts'

const slow: FaultPlan = { ...quietFaults, callMs: { minMs: 5, maxMs: 5 }, answerMs: { minMs: 5, maxMs: 5 } }

function slowWorld(crash: Partial<CrashPlan> = {}, seed = 1): SimWorld {
  return new SimWorld({ seed, faults: { ...slow, crash: { ...quietFaults.crash, ...crash } } })
}

/** A promise's fate, as a test can see it. */
function watch(promise: Promise<unknown>): { state: 'pending' | 'settled' } {
  const seen: { state: 'pending' | 'settled' } = { state: 'pending' }
  const settled = (): void => {
    seen.state = 'settled'
  }
  promise.then(settled, settled)
  return seen
}

function put(engine: SimEngine, sort: string): Promise<unknown> {
  return engine.table.put({ partition: 'p', sort, value: sort }, 'any')
}

function stored(world: SimWorld): string[] {
  return world.store.allItems('p').map((item) => item.sort)
}

describe('a crash', () => {
  test('leaves every pending port call and sleep unsettled for ever', async () => {
    const world = slowWorld()
    const engine = world.boot()
    const pending = [
      put(engine, 'a'),
      engine.table.get({ partition: 'p', sort: 'a' }),
      engine.queue.receive({ queue: 'q', maxMessages: 1, visibilityMs: 1, waitMs: 1_000 }),
      engine.clock.sleep(50),
    ].map(watch)
    await world.clock.advance(2)
    world.crash()
    expect(engine.isRunning).toBe(false)
    world.boot()
    await world.clock.advance(10_000)
    expect(pending.map((one) => one.state)).toEqual(['pending', 'pending', 'pending', 'pending'])
  })

  test('what the dead process still does has no effect and no answer', async () => {
    const world = slowWorld()
    const engine = world.boot()
    world.crash()
    const seen = [watch(put(engine, 'ghost')), watch(engine.clock.sleep(0)), watch(engine.log.listStreams())]
    await world.clock.advance(1_000)
    expect([stored(world), world.callCount]).toEqual([[], 0])
    expect(seen.map((one) => one.state)).toEqual(['pending', 'pending', 'pending'])
  })

  test('what took effect stays, though its answer was on the way', async () => {
    const world = slowWorld({ tookEffectShare: 0 })
    const engine = world.boot()
    const seen = watch(put(engine, 'a'))
    await world.clock.advance(7)
    world.crash()
    await world.clock.advance(100)
    expect([stored(world), seen.state]).toEqual([['a'], 'pending'])
  })

  test('a pending write takes effect, never does, or does after the next boot', async () => {
    for (const [crash, atCrash, afterBoot] of [
      [{ tookEffectShare: 1 }, ['a'], ['a']],
      [{ tookEffectShare: 0 }, [], []],
      [{ tookEffectShare: 0, lateShare: 1, maxLateWrites: 1 }, [], ['a']],
    ] as const) {
      const world = slowWorld({ ...crash, lateMs: { minMs: 10, maxMs: 20 } })
      void put(world.boot(), 'a')
      await world.clock.advance(1)
      world.crash()
      await world.clock.advance(1_000)
      expect(stored(world)).toEqual(atCrash)
      world.boot()
      await world.clock.advance(9)
      expect(stored(world)).toEqual(atCrash)
      await world.clock.advance(11)
      expect(stored(world)).toEqual(afterBoot)
    }
  })

  test('at most so many writes of a crash are late', async () => {
    const world = slowWorld({ tookEffectShare: 0, lateShare: 1, maxLateWrites: 2 })
    const engine = world.boot()
    for (const sort of ['a', 'b', 'c', 'd']) void put(engine, sort)
    world.crash()
    world.boot()
    await world.clock.advance(1_000)
    expect(stored(world)).toHaveLength(2)
    expect(world.counts).toMatchObject({ crashLateWrite: 2, lateWriteArrived: 2, crashLostWrite: 2 })
  })

  test('the seed decides: over many seeds all three fates occur', async () => {
    const fates = { crashTookEffect: 0, crashLostWrite: 0, crashLateWrite: 0 }
    for (let seed = 0; seed < 200; seed++) {
      const world = slowWorld({ tookEffectShare: 0.4, lateShare: 0.3, maxLateWrites: 1 }, seed)
      void put(world.boot(), 'a')
      world.crash()
      for (const fate of Object.keys(fates) as (keyof typeof fates)[]) fates[fate] += world.counts[fate]
    }
    for (const count of Object.values(fates)) expect(count).toBeGreaterThan(30)
  })

  test('a crash can be set to the nth port call, which is then under way', async () => {
    const world = slowWorld({ tookEffectShare: 1 })
    let crashes = 0
    world.onCrash = () => {
      crashes += 1
    }
    const engine = world.boot()
    world.crashAtCall(3)
    const writer = async (): Promise<void> => {
      for (const sort of ['a', 'b', 'c', 'd']) await put(engine, sort)
    }
    const seen = watch(writer())
    await world.clock.advance(1_000)
    expect([stored(world), seen.state, crashes, world.runningCount]).toEqual([
      ['a', 'b', 'c'],
      'pending',
      1,
      0,
    ])
    expect(world.trace.calls().at(-1)).toMatchObject({ number: 3, op: 'table.put', outcome: 'pending' })
  })

  test('a crash can be set to a time, and called off', async () => {
    const world = slowWorld()
    const engine = world.boot()
    world.crashAfter(100)()
    world.crashAfter(200)
    await world.clock.advance(150)
    expect(engine.isRunning).toBe(true)
    await world.clock.advance(50)
    expect(engine.isRunning).toBe(false)
  })

  test('onCall sees each call before its effect, and may crash the process', async () => {
    const world = slowWorld({ tookEffectShare: 0 })
    const engine = world.boot()
    const ops: string[] = []
    world.onCall = (call) => {
      ops.push(call.op)
      if (call.op === 'queue.send') world.crash()
    }
    await world.clock.settle(put(engine, 'a'))
    const seen = watch(engine.queue.send('q', [{ body: 'x', delayMs: 0 }]))
    await world.clock.advance(100)
    expect([ops, seen.state]).toEqual([['table.put', 'queue.send'], 'pending'])
    expect(world.store.allMessages('q')).toEqual([])
  })

  test('any part of an append under way may have been stored', async () => {
    const sizes = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      const world = slowWorld({ tookEffectShare: 1 }, seed)
      const engine = world.boot()
      const spec = { name: 's', shardCount: 1, retentionMs: 3_600_000, durability: 'os' } as const
      await world.clock.settle(engine.log.createStream(spec))
      void engine.log.append(
        's',
        [1, 2, 3].map((n) => ({ partitionKey: 'k', data: new Uint8Array([n]) })),
      )
      world.crash()
      sizes.add(world.store.allRecords('s').length)
    }
    expect([...sizes].sort()).toEqual([0, 1, 2, 3])
  })

  test('one of two processes can crash alone: a zombie, and its successor', async () => {
    const world = slowWorld({ tookEffectShare: 0 })
    const [first, second] = [world.boot(), world.boot()]
    const lost = watch(put(first, 'first'))
    const kept = watch(put(second, 'second'))
    world.crash(first)
    await world.clock.advance(20)
    expect([lost.state, kept.state, stored(world)]).toEqual(['pending', 'settled', ['second']])
  })
})

describe('a closed engine', () => {
  test('ends waits with what there is, finishes what is under way, and refuses further calls', async () => {
    const world = slowWorld()
    const engine = world.boot()
    const waiting = engine.queue.receive({ queue: 'q', maxMessages: 1, visibilityMs: 1, waitMs: 3_600_000 })
    const writing = put(engine, 'a')
    await world.clock.advance(6)
    await engine.close()
    await world.clock.advance(10)
    expect(await waiting).toEqual([])
    expect(await writing).toMatchObject({ ok: true })
    await expect(put(engine, 'b')).rejects.toMatchObject({ code: 'EDDY_ENGINE_CLOSED' })
    expect(world.clock.monotonicMs()).toBe(16)
  })
})
