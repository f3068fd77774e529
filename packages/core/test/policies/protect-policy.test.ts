import { describe, expect, test } from 'vitest'
import { InvalidOptionError, type ProtectOptions, protectPolicy, stream, subscribe } from '../../src/index.ts'

describe('protectPolicy', () => {
  test('limits nothing that is not named', () => {
    expect(protectPolicy()).toEqual({
      ratePerSecond: undefined,
      retryRatePerSecond: undefined,
      retryBudget: undefined,
      breaker: undefined,
    })
  })

  test('fills in every default of what is named', () => {
    expect(protectPolicy({ retryBudget: {}, breaker: {} })).toEqual({
      retryBudget: { share: 0.2, minPerSecond: 10, expireMs: 10_000 },
      breaker: {
        window: 100,
        minimum: 20,
        ratio: 0.5,
        pauseMs: 1_000,
        maxPauseMs: 60_000,
        probes: 100,
        probeConcurrency: 1,
        rampMs: 30_000,
      },
    })
  })

  test('a small window is its own minimum and as many probes; a long pause its own longest', () => {
    const { breaker } = protectPolicy({ breaker: { window: 5, pauseMs: 90_000 } })
    expect(breaker).toMatchObject({ minimum: 5, probes: 5, maxPauseMs: 90_000 })
  })

  test('what it returns is taken again as it is, after a way through JSON too', () => {
    const policy = protectPolicy({ ratePerSecond: 0.5, retryBudget: { share: 1 }, breaker: { ratio: 1 } })
    expect(protectPolicy(policy as ProtectOptions)).toEqual(policy)
    expect(protectPolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.breaker)).toBe(true)
  })

  test.each([
    ['protect', null],
    ['protect', 5],
    ['protect.rate', { rate: 5 }],
    ['protect.concurrency', { concurrency: 5 }],
    ['protect.ratePerSecond', { ratePerSecond: 0 }],
    ['protect.ratePerSecond', { ratePerSecond: Number.NaN }],
    ['protect.ratePerSecond', { ratePerSecond: '5' }],
    ['protect.retryRatePerSecond', { retryRatePerSecond: 1_000_001 }],
    ['protect.retryBudget', { retryBudget: 0.1 }],
    ['protect.retryBudget.share', { retryBudget: { share: -0.1 } }],
    ['protect.retryBudget.share', { retryBudget: { share: 11 } }],
    ['protect.retryBudget.minPerSecond', { retryBudget: { minPerSecond: 0 } }],
    ['protect.retryBudget.expireMs', { retryBudget: { expireMs: 10 } }],
    ['protect.breaker', { breaker: true }],
    ['protect.breaker.window', { breaker: { window: 0 } }],
    ['protect.breaker.minimum', { breaker: { window: 10, minimum: 11 } }],
    ['protect.breaker.ratio', { breaker: { ratio: 0 } }],
    ['protect.breaker.ratio', { breaker: { ratio: 1.1 } }],
    ['protect.breaker.pauseMs', { breaker: { pauseMs: 99 } }],
    ['protect.breaker.maxPauseMs', { breaker: { pauseMs: 2_000, maxPauseMs: 1_999 } }],
    ['protect.breaker.probes', { breaker: { probes: 0 } }],
    ['protect.breaker.probeConcurrency', { breaker: { probeConcurrency: 0.5 } }],
    ['protect.breaker.rampMs', { breaker: { rampMs: -1 } }],
  ])('a mistake in %s is named by its path', (path, options) => {
    expect(() => protectPolicy(options as never)).toThrow(InvalidOptionError)
    expect(() => protectPolicy(options as never)).toThrow(`${path}: expected`)
  })

  test('subscribe takes it, and says where a mistake stands', () => {
    const events = stream('events', { shards: 1 })
    const handle = (): void => {}
    expect(subscribe('work', events, { handle }).protect).toEqual(protectPolicy())
    expect(subscribe('work', events, { handle, protect: { ratePerSecond: 5 } }).protect.ratePerSecond).toBe(5)
    expect(() => subscribe('work', events, { handle, protect: { ratePerSecond: -5 } })).toThrow(
      'subscribe("work").protect.ratePerSecond: expected a number from 0.001 to 1000000',
    )
  })
})
