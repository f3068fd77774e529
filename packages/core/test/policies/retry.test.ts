import { describe, expect, test } from 'vitest'
import { checkRetryPolicy, exponential, fixed, InvalidOptionError, linear, list } from '../../src/index.ts'

describe('retry policies', () => {
  test('have defaults', () => {
    expect(exponential()).toEqual({
      kind: 'exponential',
      maxAttempts: 8,
      initialMs: 200,
      factor: 2,
      maxMs: 300_000,
      jitter: 'full',
    })
    expect(linear()).toEqual({
      kind: 'linear',
      maxAttempts: 8,
      initialMs: 1_000,
      stepMs: 1_000,
      maxMs: 300_000,
      jitter: 'full',
    })
    expect(fixed({ delayMs: 5 })).toEqual({ kind: 'fixed', maxAttempts: 8, delayMs: 5, jitter: 'none' })
    expect(list([1, 2])).toEqual({ kind: 'list', maxAttempts: 3, delaysMs: [1, 2], jitter: 'none' })
  })

  test('a first delay over the default maximum raises the maximum', () => {
    expect(exponential({ initialMs: 600_000 }).maxMs).toBe(600_000)
  })

  test('are frozen plain data that survive JSON', () => {
    for (const policy of [exponential(), linear(), fixed(), list([1, -1])]) {
      expect(Object.isFrozen(policy)).toBe(true)
      expect(checkRetryPolicy('stored', JSON.parse(JSON.stringify(policy)))).toEqual(policy)
    }
    expect(Object.isFrozen(list([1]).delaysMs)).toBe(true)
  })

  test.each([
    ['exponential().maxAttempts', () => exponential({ maxAttempts: 0 })],
    ['exponential().maxAttempts', () => exponential({ maxAttempts: '3' as never })],
    ['exponential().initialMs', () => exponential({ initialMs: Number.NaN })],
    ['exponential().initialMs', () => exponential({ initialMs: 1.5 })],
    ['exponential().initialMs', () => exponential({ initialMs: 366 * 86_400_000 })],
    ['exponential().factor', () => exponential({ factor: 0.5 })],
    ['exponential().maxMs', () => exponential({ initialMs: 10, maxMs: 5 })],
    ['exponential().jitter', () => exponential({ jitter: 'ful' as never })],
    ['exponential().maxAttemps', () => exponential({ maxAttemps: 3 } as never)],
    ['linear().stepMs', () => linear({ stepMs: -1 })],
    ['linear().jitter', () => linear({ jitter: 'decorrelated' as never })],
    ['fixed().delayMs', () => fixed({ delayMs: -1 })],
    ['list().delaysMs', () => list('1s' as never)],
    ['list().delaysMs[1]', () => list([1, 'x' as never])],
    ['list()', () => list([1], null as never)],
    ['retry', () => checkRetryPolicy('retry', { kind: 'quadratic' })],
    ['retry', () => checkRetryPolicy('retry', null)],
    ['retry.maxAttempts', () => checkRetryPolicy('retry', { kind: 'fixed', delayMs: 1, jitter: 'none' })],
  ])('refuse a wrong %s by its path', (option, make) => {
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(expect.objectContaining({ details: expect.objectContaining({ option }) }))
  })

  test('say what a misspelt option may have meant', () => {
    expect(() => exponential({ maxAttemps: 3 } as never)).toThrow('did you mean "maxAttempts"?')
    expect(() => exponential({ jitter: 'ful' as never })).toThrow("did you mean 'full'?")
  })
})
