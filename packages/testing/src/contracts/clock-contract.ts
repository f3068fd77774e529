import { expect } from 'vitest'
import { type ContractTest, contract } from './support/contract-test.ts'
import type { ContractOptions, OpenFixture } from './support/fixture.ts'

/** Every promise of the `Clock` port, as vitest tests of the engines that `open` makes. */
export function clockContract(name: string, open: OpenFixture, options: ContractOptions = {}): void {
  contract(`clock contract: ${name}`, open, options, { time: timeTests, sleep: sleepTests })
}

function timeTests(test: ContractTest): void {
  test('now is wall time in whole epoch milliseconds and goes on', async (subject) => {
    const { clock } = subject.engine
    const before = clock.now()
    expect(Number.isInteger(before)).toBe(true)
    expect(before).toBeGreaterThan(Date.UTC(2020, 0, 1))
    await subject.advance(20)
    expect(clock.now()).toBeGreaterThan(before)
  })

  test('monotonicMs never falls', async (subject) => {
    const { clock } = subject.engine
    let last = clock.monotonicMs()
    for (let i = 0; i < 100; i++) {
      if (i % 25 === 0) await subject.advance(2)
      const next = clock.monotonicMs()
      expect(next).toBeGreaterThanOrEqual(last)
      last = next
    }
  })

  test('random is in [0, 1) and varies', async ({ engine }) => {
    const drawn = Array.from({ length: 1_000 }, () => engine.clock.random())
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...drawn)).toBeLessThan(1)
    expect(new Set(drawn).size).toBeGreaterThan(900)
  })
}

function sleepTests(test: ContractTest): void {
  test('sleep resolves after its time, not before (I5)', async (subject) => {
    const { clock } = subject.engine
    const sleeps = [1, 5, 0.4, 13, 30, 7].map(async (ms) => {
      const from = clock.monotonicMs()
      await clock.sleep(ms)
      expect(clock.monotonicMs() - from).toBeGreaterThanOrEqual(ms)
    })
    await subject.advance(40)
    await Promise.all(sleeps)
  })

  test('0 or less resolves on the next turn, not in this one', async (subject) => {
    const { clock } = subject.engine
    for (const ms of [0, -5]) {
      let woken = false
      const sleeping = clock.sleep(ms).then(() => {
        woken = true
      })
      expect(woken).toBe(false)
      await subject.advance(1)
      await sleeping
      expect(woken).toBe(true)
    }
  })

  test('an abort ends sleep early, without rejecting', async (subject) => {
    const { clock } = subject.engine
    const abort = new AbortController()
    const sleeping = clock.sleep(3_600_000, abort.signal)
    abort.abort(new Error('reason'))
    await subject.advance(1)
    await expect(sleeping).resolves.toBeUndefined()
  })

  test('sleep with an aborted signal resolves at once', async (subject) => {
    const sleeping = subject.engine.clock.sleep(3_600_000, AbortSignal.abort())
    await subject.advance(1)
    await expect(sleeping).resolves.toBeUndefined()
  })

  test('shorter sleeps end first', async (subject) => {
    const { clock } = subject.engine
    const woken: number[] = []
    const sleeps = [40, 5, 20].map((ms) => clock.sleep(ms).then(() => woken.push(ms)))
    await subject.advance(50)
    await Promise.all(sleeps)
    expect(woken).toEqual([5, 20, 40])
  })
}
