import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../src/limits/token-bucket.ts'
import { TokenBuckets } from '../../src/limits/token-buckets.ts'

describe('TokenBucket', () => {
  it('gives a second of its rate at once, and then one token each 1/rate seconds', () => {
    const bucket = new TokenBucket(5)
    for (let i = 0; i < 5; i++) expect(bucket.tryTake(1, 1_000)).toBe(0)
    expect(bucket.tryTake(1, 1_000)).toBe(200)
    expect(bucket.tryTake(1, 1_199)).toBe(1)
    expect(bucket.tryTake(1, 1_200)).toBe(0)
    expect(bucket.tryTake(1, 1_200)).toBe(200)
  })

  it('holds no more than a second however long nothing was taken', () => {
    const bucket = new TokenBucket(10)
    expect(bucket.tryTake(10, 0)).toBe(0)
    expect(bucket.tryTake(10, 1_000_000)).toBe(0)
    expect(bucket.tryTake(1, 1_000_000)).toBe(100)
  })

  it('lets an amount over a second of the rate go when it is full, and is owed what is over', () => {
    const bucket = new TokenBucket(1_000)
    expect(bucket.tryTake(1, 0)).toBe(0)
    expect(bucket.tryTake(3_000, 0)).toBe(1)
    expect(bucket.tryTake(3_000, 1)).toBe(0)
    expect(bucket.waitMs(1, 1)).toBe(2_001)
    expect(bucket.tryTake(1, 2_001)).toBe(1)
    expect(bucket.tryTake(1, 2_002)).toBe(0)
  })

  it('takes back what came to nothing', () => {
    const bucket = new TokenBucket(2)
    bucket.take(2, 0)
    expect(bucket.waitMs(1, 0)).toBe(500)
    bucket.giveBack(1)
    expect(bucket.waitMs(1, 0)).toBe(0)
    expect(bucket.waitMs(2, 0)).toBe(500)
  })

  it('keeps its rate over any time and amounts: never more than rate × (time + 1 s)', () => {
    const takes = fc.array(fc.record({ afterMs: fc.nat(400), amount: fc.integer({ min: 1, max: 30 }) }), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 200 }), takes, (rate, steps) => {
        const bucket = new TokenBucket(rate)
        let nowMs = 0
        let taken = 0
        for (const { afterMs, amount } of steps) {
          nowMs += afterMs
          if (bucket.tryTake(amount, nowMs) === 0) taken += amount
        }
        expect(taken).toBeLessThanOrEqual(rate * (nowMs / 1_000 + 1) + 0.01)
      }),
    )
  })

  it('says exactly how long to wait: a millisecond before it refuses, then it gives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 20 }),
        (rate, amounts) => {
          const bucket = new TokenBucket(rate)
          let nowMs = 0
          for (const amount of amounts) {
            const waitMs = bucket.waitMs(amount, nowMs)
            if (waitMs > 0) expect(bucket.waitMs(amount, nowMs + waitMs - 1)).toBe(1)
            nowMs += waitMs
            expect(bucket.tryTake(amount, nowMs)).toBe(0)
          }
        },
      ),
    )
  })
})

describe('TokenBuckets', () => {
  const one = { amount: 1, ratePerSecond: 1 }

  it('keeps each name apart', () => {
    const buckets = new TokenBuckets()
    expect(buckets.tryTake('a', one, 0)).toBe(0)
    expect(buckets.tryTake('a', one, 0)).toBe(1_000)
    expect(buckets.tryTake('b', one, 0)).toBe(0)
  })

  it('follows a rate that changes', () => {
    const buckets = new TokenBuckets()
    expect(buckets.tryTake('a', one, 0)).toBe(0)
    expect(buckets.tryTake('a', { amount: 1, ratePerSecond: 4 }, 0)).toBe(250)
  })

  it('I6: forgets what is full again, and has a limit when nothing is', () => {
    const buckets = new TokenBuckets()
    for (let i = 0; i < 10_000; i++) buckets.tryTake(`first ${i}`, one, 0)
    for (let i = 0; i < 10; i++) buckets.tryTake(`second ${i}`, one, 0)
    expect(buckets.size).toBe(10_000)
    expect(buckets.tryTake('second 9', one, 0)).toBe(1_000)
    buckets.tryTake('later', one, 5_000)
    expect(buckets.size).toBe(1)
  })
})
