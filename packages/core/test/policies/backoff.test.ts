import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  backoffDelayMs,
  exponential,
  fixed,
  linear,
  list,
  MAX_DELAY_MS,
  type RetryPolicy,
} from '../../src/index.ts'

const none = () => 0
const almostOne = () => 1 - Number.EPSILON

const delay = fc.integer({ min: 0, max: MAX_DELAY_MS })
const jitter = fc.constantFrom('full' as const, 'equal' as const, 'none' as const)
const maxAttempts = fc.integer({ min: 1, max: 1e9 })
const anyPolicy: fc.Arbitrary<RetryPolicy> = fc.oneof(
  fc
    .record({
      maxAttempts,
      initialMs: delay,
      factor: fc.double({ min: 1, max: 1_000, noNaN: true }),
      jitter: fc.oneof(jitter, fc.constant('decorrelated' as const)),
    })
    .map((options) => exponential({ ...options, maxMs: Math.min(MAX_DELAY_MS, options.initialMs * 7) })),
  fc.record({ maxAttempts, initialMs: delay, stepMs: delay, jitter }).map((options) => linear(options)),
  fc.record({ maxAttempts, delayMs: delay, jitter }).map((options) => fixed(options)),
  fc.array(delay, { minLength: 1, maxLength: 20 }).map((delays) => list(delays)),
)

describe('backoff', () => {
  test('scenario 20: stays finite, whole and bounded for any policy and delivery number (cockatiel#86)', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1e9 })),
        fc.option(delay, { nil: undefined }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (policy, delivery, previousMs, chance) => {
          const delayMs = backoffDelayMs(policy, delivery, previousMs, () => chance)
          if (delayMs === undefined) {
            expect(policy.kind).toBe('list')
            return
          }
          expect(Number.isSafeInteger(delayMs)).toBe(true)
          expect(delayMs).toBeGreaterThanOrEqual(0)
          expect(delayMs).toBeLessThanOrEqual('maxMs' in policy ? policy.maxMs : MAX_DELAY_MS)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('grows by its factor up to maxMs', () => {
    const policy = exponential({ initialMs: 100, factor: 2, maxMs: 1_000, jitter: 'none' })
    expect([1, 2, 3, 4, 5, 1e9].map((step) => backoffDelayMs(policy, step, undefined, none))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ])
  })

  test('a delay of zero stays zero, however often it is doubled', () => {
    const policy = exponential({ initialMs: 0, jitter: 'none' })
    expect(backoffDelayMs(policy, 1e9, undefined, none)).toBe(0)
  })

  test('grows by its step', () => {
    const policy = linear({ initialMs: 100, stepMs: 50, maxMs: 220, jitter: 'none' })
    expect([1, 2, 3, 4, 1e9].map((step) => backoffDelayMs(policy, step, undefined, none))).toEqual([
      100, 150, 200, 220, 220,
    ])
  })

  test('full jitter spreads over all of the delay, equal over its upper half', () => {
    const full = fixed({ delayMs: 1_000, jitter: 'full' })
    const equal = fixed({ delayMs: 1_000, jitter: 'equal' })
    expect([backoffDelayMs(full, 1, undefined, none), backoffDelayMs(full, 1, undefined, almostOne)]).toEqual(
      [0, 1_000],
    )
    expect([
      backoffDelayMs(equal, 1, undefined, none),
      backoffDelayMs(equal, 1, undefined, almostOne),
    ]).toEqual([500, 1_000])
  })

  test('decorrelated jitter lies between the first delay and three times the one before', () => {
    const policy = exponential({ initialMs: 100, maxMs: 10_000, jitter: 'decorrelated' })
    expect(backoffDelayMs(policy, 2, 200, none)).toBe(100)
    expect(backoffDelayMs(policy, 2, 200, almostOne)).toBe(600)
    expect(backoffDelayMs(policy, 1, undefined, almostOne)).toBe(300)
    expect(backoffDelayMs(policy, 9, 9_000, almostOne)).toBe(10_000)
  })

  test('scenario 20: a list ends with its last delay, or at a negative one', () => {
    expect([1, 2, 3].map((step) => backoffDelayMs(list([10, 20]), step, undefined, none))).toEqual([
      10,
      20,
      undefined,
    ])
    expect([1, 2, 3].map((step) => backoffDelayMs(list([10, -1, 30]), step, undefined, none))).toEqual([
      10,
      undefined,
      30,
    ])
  })
})
