import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rampedLimit, rampedLimitAtMs, rampedRate, rampShare } from '../../src/protect/ramp.ts'
import { RetryBudget } from '../../src/protect/retry-budget.ts'
import { StartRate } from '../../src/protect/start-rate.ts'

/** Most starts within any stretch of `spanMs`. */
function mostWithin(startsMs: readonly number[], spanMs: number): number {
  let most = 0
  let first = 0
  startsMs.forEach((atMs, index) => {
    while (atMs - (startsMs[first] as number) > spanMs) first += 1
    most = Math.max(most, index - first + 1)
  })
  return most
}

describe('start rate', () => {
  test('lets as many through as it says, evenly', () => {
    const rate = new StartRate()
    const starts: number[] = []
    for (let nowMs = 0; nowMs < 10_000; nowMs += 1) {
      while (rate.startableAtMs(50) <= nowMs) {
        rate.take(nowMs, 50)
        starts.push(nowMs)
      }
    }
    expect(starts.length).toBeGreaterThanOrEqual(500)
    expect(starts.length).toBeLessThanOrEqual(506)
    expect(mostWithin(starts, 1_000)).toBeLessThanOrEqual(56)
    expect(mostWithin(starts, 100)).toBeLessThanOrEqual(11)
  })

  test('never more than the rate over any stretch of time, whoever asks when', () => {
    const asks = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 })
    fc.assert(
      fc.property(asks, fc.double({ min: 0.1, max: 2_000, noNaN: true }), (gapsMs, perSecond) => {
        const rate = new StartRate()
        const starts: number[] = []
        let nowMs = 0
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          for (let tries = 0; tries < 30 && rate.startableAtMs(perSecond) <= nowMs; tries += 1) {
            rate.take(nowMs, perSecond)
            starts.push(nowMs)
          }
        }
        for (const spanMs of [0, 100, 1_000, 10_000])
          expect(mostWithin(starts, spanMs)).toBeLessThanOrEqual((perSecond * (spanMs + 100)) / 1_000 + 1)
      }),
      { seed: 7 },
    )
  })

  test('a slow rate begins with one start at once, and says exactly when the next may be', () => {
    const rate = new StartRate()
    expect(rate.startableAtMs(0.1)).toBeLessThanOrEqual(0)
    rate.take(0, 0.1)
    expect(rate.startableAtMs(0.1)).toBe(10_000)
    rate.giveBack(0.1)
    expect(rate.startableAtMs(0.1)).toBe(0)
  })
})

describe('retry budget', () => {
  const policy = { share: 0.2, minPerSecond: 1, expireMs: 10_000 }

  test('five first attempts pay for one retry, which a calm of the floor has not', () => {
    const budget = new RetryBudget()
    budget.take(0, policy)
    expect(budget.startableAtMs(0, policy)).toBe(1_000)
    for (let count = 0; count < 4; count += 1) budget.deposit(0, policy)
    expect(budget.startableAtMs(0, policy)).toBe(1_000)
    budget.deposit(0, policy)
    expect(budget.startableAtMs(0, policy)).toBe(0)
    budget.take(0, policy)
    expect(budget.startableAtMs(0, policy)).toBe(1_000)
  })

  test('credits expire: a long calm of first attempts pays for no burst later', () => {
    const budget = new RetryBudget()
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) budget.deposit(nowMs, policy)
    expect(budget.credits(60_000, policy)).toBeGreaterThan(170)
    expect(budget.credits(60_000, policy)).toBeLessThanOrEqual(220)
    expect(budget.credits(71_100, policy)).toBe(0)
  })

  test('what did not come about is given back', () => {
    const budget = new RetryBudget()
    for (let count = 0; count < 10; count += 1) budget.deposit(0, policy)
    budget.withdraw(policy)
    expect(budget.credits(0, policy)).toBeCloseTo(1.8)
    budget.take(0, policy)
    budget.giveBack()
    expect(budget.credits(0, policy)).toBeCloseTo(1.8)
  })

  test('retries never exceed the share of first attempts and the floor, over any stretch of time', () => {
    const steps = fc.array(
      fc.record({ gapMs: fc.integer({ min: 0, max: 2_000 }), firsts: fc.integer({ min: 0, max: 20 }) }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(steps, (played) => {
        const budget = new RetryBudget()
        const firsts: number[] = []
        const retries: number[] = []
        let nowMs = 0
        for (const { gapMs, firsts: count } of played) {
          nowMs += gapMs
          for (let each = 0; each < count; each += 1) {
            budget.deposit(nowMs, policy)
            firsts.push(nowMs)
          }
          while (budget.startableAtMs(nowMs, policy) <= nowMs) {
            budget.take(nowMs, policy)
            retries.push(nowMs)
          }
        }
        for (const endMs of retries) {
          for (const spanMs of [100, 5_000, 60_000]) {
            const begunMs = endMs - spanMs
            const within = (atMs: number): boolean => atMs >= begunMs && atMs <= endMs
            const paying = firsts.filter((atMs) => atMs >= begunMs - 11_000 && atMs <= endMs).length
            const floor = (policy.minPerSecond * (spanMs + 100)) / 1_000 + 1
            expect(retries.filter(within).length).toBeLessThanOrEqual(policy.share * paying + floor + 1e-6)
          }
        }
      }),
      { seed: 11, numRuns: 60 },
    )
  })
})

describe('ramp', () => {
  test('grows from what the probing had to all', () => {
    const limits = [0, 1_000, 5_000, 9_000, 10_000].map((nowMs) =>
      rampedLimit(20, 2, rampShare(0, 10_000, nowMs)),
    )
    expect(limits).toEqual([2, 2, 10, 18, 20])
  })

  test('says when there is room for one more: then, and not a moment before', () => {
    for (let limit = 2; limit <= 16; limit += 1) {
      const atMs = rampedLimitAtMs(500, 8_000, 16, limit)
      expect(rampedLimit(16, 1, rampShare(500, 8_000, atMs))).toBe(limit)
      expect(rampedLimit(16, 1, rampShare(500, 8_000, atMs - 2))).toBe(limit - 1)
    }
  })

  test('a slow rate within a ramp lets about half as many through as after it', () => {
    const rate = new StartRate()
    let starts = 0
    for (let nowMs = 0; nowMs < 30_000; nowMs += 5) {
      const ramped = rampedRate(5, rampShare(0, 30_000, nowMs))
      if (rate.startableAtMs(ramped) > nowMs) continue
      rate.take(nowMs, ramped)
      starts += 1
    }
    expect(starts).toBeGreaterThan(60)
    expect(starts).toBeLessThan(85)
  })

  test('a ramp of no length is at its end', () => {
    expect(rampShare(5, 0, 5)).toBe(1)
  })
})
