import { describe, expect, test } from 'vitest'
import { Prng, VirtualClock } from '../src/index.ts'

describe('virtual clock', () => {
  test('time stands still until it is driven', async () => {
    const clock = new VirtualClock({ seed: 1, startMs: 1_000 })
    let woken = false
    void clock.sleep(10).then(() => {
      woken = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([woken, clock.now(), clock.monotonicMs()]).toEqual([false, 1_000, 0])
    await clock.advance(9)
    expect([woken, clock.now()]).toEqual([false, 1_009])
    await clock.advance(1)
    expect([woken, clock.now(), clock.monotonicMs()]).toEqual([true, 1_010, 10])
  })

  test('timers fire in due order, ties in the order they were scheduled, each at its own time', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const fired: string[] = []
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['now', 0],
    ] as const) {
      void clock.sleep(ms).then(() => fired.push(`${name}@${clock.monotonicMs()}`))
    }
    await clock.advance(100)
    expect(fired).toEqual(['now@0', 'a@10', 'b1@20', 'b2@20', 'c@30'])
    expect(clock.monotonicMs()).toBe(100)
  })

  test('microtasks and immediates that a timer starts finish before the next timer fires', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const trace: string[] = []
    void clock.sleep(1).then(async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve()
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
      trace.push('first done')
    })
    void clock.sleep(1).then(() => trace.push('second'))
    await clock.advance(1)
    expect(trace).toEqual(['first done', 'second'])
  })

  test('a sleep of part of a millisecond is never early', async () => {
    const clock = new VirtualClock({ seed: 1 })
    void clock.sleep(0.2)
    await clock.step()
    expect(clock.monotonicMs()).toBe(1)
  })

  test('sleep ends early when its signal aborts, and at once when it has', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const abort = new AbortController()
    const sleeping = clock.sleep(60_000, abort.signal)
    expect(clock.pendingTimers).toBe(1)
    abort.abort()
    await sleeping
    await clock.sleep(60_000, abort.signal)
    expect([clock.pendingTimers, clock.monotonicMs()]).toEqual([0, 0])
  })

  test('wall time jumps; monotonic time and timers do not notice', async () => {
    const clock = new VirtualClock({ seed: 1, startMs: 5_000 })
    let woken = false
    void clock.sleep(10).then(() => {
      woken = true
    })
    clock.jump(-4_000)
    await clock.advance(9)
    expect([clock.now(), clock.monotonicMs(), woken]).toEqual([1_009, 9, false])
    clock.jump(1_000_000)
    await clock.advance(1)
    expect([clock.monotonicMs(), woken]).toEqual([10, true])
  })

  test('runUntil stops at the predicate, at the time, when idle, or at the step limit', async () => {
    const clock = new VirtualClock({ seed: 1, startMs: 0 })
    let beats = 0
    const beat = async (): Promise<void> => {
      while (beats < 100) {
        await clock.sleep(10)
        beats += 1
      }
    }
    void beat()
    expect(await clock.runUntil(() => beats === 3)).toEqual({ end: 'reached', steps: 3 })
    expect(clock.now()).toBe(30)
    expect(await clock.runUntil(55)).toMatchObject({ end: 'reached' })
    expect([clock.now(), beats]).toEqual([55, 5])
    expect(await clock.runUntil(() => false, { maxSteps: 7 })).toEqual({ end: 'max-steps', steps: 7 })
    expect(await clock.runUntil(() => false)).toEqual({ end: 'idle', steps: 88 })
    expect(beats).toBe(100)
  })

  test('settle drives until the promise is settled, several side by side', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const sleepThenTell = async (ms: number): Promise<number> => {
      await clock.sleep(ms)
      return clock.monotonicMs()
    }
    expect(await Promise.all([clock.settle(sleepThenTell(30)), clock.settle(sleepThenTell(10))])).toEqual([
      30, 10,
    ])
    await expect(clock.settle(Promise.reject(new Error('no')))).rejects.toThrow('no')
  })

  test('of two that drive, neither lets time run on before the other has gone on', async () => {
    const clock = new VirtualClock({ seed: 1 })
    const short = async (): Promise<number> => {
      for (let i = 0; i < 5; i++) await clock.settle(clock.sleep(3))
      return clock.monotonicMs()
    }
    const waiting = clock.settle(clock.sleep(1_000))
    expect(await short()).toBe(15)
    await waiting
    expect(clock.monotonicMs()).toBe(1_000)
  })

  test('settle says so when nothing can settle the promise any more', async () => {
    const clock = new VirtualClock({ seed: 1 })
    await expect(clock.settle(new Promise(() => undefined))).rejects.toThrow('no timer is left')
  })

  test('cancelled timers do not pile up', () => {
    const clock = new VirtualClock({ seed: 1 })
    for (let i = 0; i < 10_000; i++) clock.setTimer(1_000_000, () => undefined)()
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('determinism', () => {
  async function trace(seed: number, shuffleTies: boolean): Promise<string[]> {
    const clock = new VirtualClock({ seed, shuffleTies })
    const lines: string[] = []
    const worker = async (name: number): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await clock.sleep(Math.floor(clock.random() * 5))
        lines.push(`${name}:${i}@${clock.monotonicMs()}`)
      }
    }
    for (let name = 0; name < 5; name++) void worker(name)
    await clock.runUntil(() => false)
    return lines
  }

  test('the same seed gives the same trace', async () => {
    expect(await trace(7, true)).toEqual(await trace(7, true))
    expect(await trace(7, false)).toEqual(await trace(7, false))
  })

  test('other seeds and shuffled ties give other traces', async () => {
    expect(await trace(7, true)).not.toEqual(await trace(8, true))
    expect(await trace(7, true)).not.toEqual(await trace(7, false))
  })

  test('a forked source of chance depends on the label, not on what was drawn before', () => {
    const a = new Prng(3)
    const b = new Prng(3)
    a.next()
    expect(a.fork('x').next()).toBe(b.fork('x').next())
    expect(b.fork('x').next()).not.toBe(b.fork('y').next())
  })

  test('the numbers are spread evenly', () => {
    const prng = new Prng('even')
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const bucket = prng.int(10)
      counts[bucket] = (counts[bucket] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1_150)
  })
})
