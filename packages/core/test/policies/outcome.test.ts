import { describe, expect, test } from 'vitest'
import { InvalidOptionError, isOutcome, OutcomeError, outcome, outcomeOf } from '../../src/index.ts'

describe('outcome', () => {
  test('is an Error with a stack that starts in the handler, and the data of the outcome', () => {
    function failingHandler(): never {
      throw outcome.deadLetter('no such account')
    }
    try {
      failingHandler()
    } catch (error) {
      expect(error).toBeInstanceOf(OutcomeError)
      expect(error).toMatchObject({ kind: 'dead-letter', reason: 'no such account' })
      expect((error as Error).stack?.split('\n')[1]).toContain('failingHandler')
      expect(outcomeOf(error)).toEqual({ kind: 'dead-letter', reason: 'no such account' })
    }
  })

  test('drop and retryAfterMs carry their data', () => {
    expect(outcomeOf(outcome.drop('duplicate'))).toEqual({ kind: 'drop', reason: 'duplicate' })
    expect(outcomeOf(outcome.retryAfterMs(1_500))).toEqual({ kind: 'retry-after', delayMs: 1_500 })
  })

  test('a delay that is no number is refused where it is written', () => {
    expect(() => outcome.retryAfterMs(Number.NaN)).toThrow(InvalidOptionError)
    expect(() => outcome.retryAfterMs('5' as never)).toThrow(InvalidOptionError)
  })

  test('plain data of the same shape counts; other values do not', () => {
    expect(isOutcome({ kind: 'drop', reason: 'x' })).toBe(true)
    expect(isOutcome({ kind: 'drop' })).toBe(false)
    expect(isOutcome({ kind: 'retry-after', delayMs: Number.POSITIVE_INFINITY })).toBe(false)
    for (const value of [undefined, null, 'drop', 5, [], () => {}]) expect(isOutcome(value)).toBe(false)
  })

  test('an ordinary error with such fields is no outcome', () => {
    expect(isOutcome(Object.assign(new Error('x'), { kind: 'drop', reason: 'x' }))).toBe(false)
  })

  test('an outcome of another copy of the package is one', () => {
    const foreign = Object.assign(new Error('x'), {
      isEddyOutcome: true,
      outcome: { kind: 'drop', reason: 'x' },
    })
    expect(outcomeOf(foreign)).toEqual({ kind: 'drop', reason: 'x' })
  })

  test('a value that throws when it is looked at is no outcome', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(isOutcome(proxy)).toBe(false)
  })
})
