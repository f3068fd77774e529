import { describe, expect, test } from 'vitest'
import {
  type Decision,
  decideFailure,
  type EddyEvent,
  errorInfo,
  exponential,
  type Failure,
  type FailureOptions,
  failurePolicy,
  fixed,
  list,
  outcome,
} from '../../src/index.ts'

const event: EddyEvent = { specversion: '1.0', id: '1', source: 'test', type: 'test', data: null }
const NOW_MS = 1_000_000

function decide(options: FailureOptions, thrown: unknown, over: Partial<Failure> = {}): Decision {
  return decideFailure({
    policy: failurePolicy(options),
    thrown,
    error: errorInfo(thrown),
    event,
    attempts: 1,
    deliveries: 1,
    inPlaceTries: 0,
    firstFailedAtMs: NOW_MS,
    nowMs: NOW_MS,
    random: () => 0.5,
    ...over,
  })
}

/** Calls of a handler that always throws `thrown`, and how it ended. */
function run(options: FailureOptions, thrown: unknown): { calls: number; deliveries: number; end: Decision } {
  let calls = 0
  for (let deliveries = 1; deliveries < 1_000; deliveries += 1) {
    for (let inPlaceTries = 0; ; inPlaceTries += 1) {
      calls += 1
      const end = decide(options, thrown, { attempts: calls, deliveries, inPlaceTries })
      if (end.kind === 'retry-now') continue
      if (end.kind === 'retry') break
      return { calls, deliveries, end }
    }
  }
  throw new Error('it never ended')
}

describe('deciding over a failure', () => {
  test('scenario 14: 5 immediate tries in each of 4 deliveries are 24 calls', () => {
    const retry = list([10, 20, 30], { maxAttempts: 24 })
    const { calls, deliveries, end } = run({ immediate: 5, retry }, new Error('x'))
    expect([calls, deliveries, end.kind]).toEqual([24, 4, 'exhausted'])
  })

  test('scenario 14: an unrecoverable error is called once', () => {
    // biome-ignore lint/suspicious/noThenProperty: a rule's verdict
    const options: FailureOptions = { immediate: 5, rules: [{ error: 'TypeError', then: 'dead-letter' }] }
    expect(run(options, new TypeError('x'))).toMatchObject({ calls: 1, end: { kind: 'dead-letter' } })
    expect(run({ immediate: 5 }, outcome.deadLetter('hopeless'))).toMatchObject({
      calls: 1,
      end: { kind: 'dead-letter', reason: 'hopeless' },
    })
  })

  test('scenario 14: gives up by age, at the next failure', () => {
    const options: FailureOptions = { maxAgeMs: 86_400_000, retry: fixed({ maxAttempts: 1e9 }) }
    expect(decide(options, new Error('x'), { firstFailedAtMs: NOW_MS - 86_399_999 }).kind).toBe('retry')
    expect(decide(options, new Error('x'), { firstFailedAtMs: NOW_MS - 86_400_000 }).kind).toBe('exhausted')
  })

  test('a clock that jumped back gives nothing up by age', () => {
    expect(decide({ maxAgeMs: 1 }, new Error('x'), { firstFailedAtMs: NOW_MS + 5_000 }).kind).toBe('retry')
  })

  test('maxAttempts counts every call', () => {
    expect(run({ retry: fixed({ maxAttempts: 1 }) }, new Error('x')).calls).toBe(1)
    expect(run({ retry: fixed({ maxAttempts: 3 }), immediate: 10 }, new Error('x'))).toMatchObject({
      calls: 3,
      deliveries: 1,
      end: { kind: 'exhausted', reason: '3 of 3 attempts failed' },
    })
  })

  test('the delay follows the delivery, and the due time now (I5)', () => {
    const retry = exponential({ initialMs: 100, jitter: 'none' })
    expect(decide({ retry }, new Error('x'), { attempts: 5, deliveries: 3 })).toEqual({
      kind: 'retry',
      delayMs: 400,
      dueAtMs: NOW_MS + 400,
    })
  })

  test('scenario 20: a negative delay of a list is the end', () => {
    const retry = list([10, -1], { maxAttempts: 9 })
    expect(run({ retry }, new Error('x'))).toMatchObject({ calls: 2, end: { kind: 'exhausted' } })
  })
})

describe('the order of those who speak', () => {
  // biome-ignore lint/suspicious/noThenProperty: a rule's verdict
  const rules: FailureOptions['rules'] = [{ error: 'Error', then: 'drop' }]

  test('an outcome that was thrown comes before classify', () => {
    const classify = () => outcome.drop('by classify')
    expect(decide({ classify }, outcome.deadLetter('by handler'))).toEqual({
      kind: 'dead-letter',
      reason: 'by handler',
    })
  })

  test('what looks like an outcome but is none is a failure like any other', () => {
    const domain = { kind: 'drop', reason: 'the parcel was dropped' }
    expect(decide({}, domain).kind).toBe('retry')
    expect(decide({ classify: () => domain as never }, new Error('x'))).toMatchObject(domain)
    const foreign = Object.assign(new Error('x'), { isEddyOutcome: true, outcome: domain })
    expect(decide({}, foreign)).toMatchObject(domain)
  })

  test('classify comes before rules, and undefined leaves it to them', () => {
    expect(decide({ rules, classify: () => outcome.deadLetter('by classify') }, new Error('x')).kind).toBe(
      'dead-letter',
    )
    expect(decide({ rules, classify: () => undefined }, new Error('x'))).toEqual({
      kind: 'drop',
      reason: 'rule for Error',
    })
  })

  test('classify sees what was thrown, the event and the attempt', () => {
    const seen: unknown[] = []
    const thrown = new Error('x')
    const classify = (...args: unknown[]) => {
      seen.push(...args)
      return undefined
    }
    decide({ classify }, thrown, { attempts: 4 })
    expect(seen).toEqual([thrown, { event, attempt: 4 }])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      'classify threw Error: broken',
    ],
    ['returns nonsense', () => ({ kind: 'explode' }), 'classify returned {"kind":"explode"}'],
    [
      'is async',
      async () => {
        throw new Error('late')
      },
      'classify returned a promise',
    ],
  ])('a classify that %s is told of, and the rules decide', (_name, classify, warning) => {
    const decision = decide({ rules, classify: classify as never }, new Error('x'))
    expect(decision.kind).toBe('drop')
    expect(decision.warning).toContain(warning)
  })

  test('the first rule that matches decides: by name, by code, by a part of the message', () => {
    const retryIn = (delayMs: number) => fixed({ delayMs, maxAttempts: 50 })
    const options: FailureOptions = {
      rules: [
        { error: 'RangeError', message: 'deep', retry: retryIn(1) },
        { error: 'E_LIMIT', retry: retryIn(2) },
        { message: 'timed out', retry: retryIn(3) },
        { error: 'RangeError', retry: retryIn(4) },
      ],
    }
    const delayOf = (thrown: unknown) => (decide(options, thrown) as { delayMs?: number }).delayMs
    expect(delayOf(new RangeError('too deep'))).toBe(1)
    expect(delayOf(Object.assign(new Error('x'), { code: 'E_LIMIT' }))).toBe(2)
    expect(delayOf(new Error('the call timed out'))).toBe(3)
    expect(delayOf(new RangeError('other'))).toBe(4)
  })

  test("a rule's own policy sets the delay and the attempts", () => {
    const options: FailureOptions = {
      retry: fixed({ maxAttempts: 2 }),
      rules: [{ error: 'RateLimited', retry: fixed({ delayMs: 5_000, maxAttempts: 20 }) }],
    }
    class RateLimited extends Error {}
    expect(run(options, new RateLimited('x')).calls).toBe(20)
    expect(run(options, new Error('x')).calls).toBe(2)
  })
})

describe('retry-after hints', () => {
  test('the handler names the delay, in place of the backoff and of immediate tries', () => {
    const decision = decide(
      { immediate: 3, retry: fixed({ delayMs: 60_000 }) },
      outcome.retryAfterMs(1_500.2),
    )
    expect(decision).toEqual({ kind: 'retry', delayMs: 1_501, dueAtMs: NOW_MS + 1_501, hintMs: 1_500.2 })
  })

  test('it spends an attempt like any other', () => {
    expect(run({ retry: fixed({ maxAttempts: 4 }) }, outcome.retryAfterMs(1))).toMatchObject({
      calls: 4,
      end: { kind: 'exhausted' },
    })
  })

  test('a negative one is a dead letter; a huge one is bounded', () => {
    expect(decide({}, outcome.retryAfterMs(-1)).kind).toBe('dead-letter')
    expect(decide({}, outcome.retryAfterMs(1e300))).toMatchObject({ delayMs: 365 * 86_400_000 })
  })

  test.each([
    [{ retryAfterMs: 700 }, 700],
    [{ retryAfter: 2 }, 2_000],
    [{ retryAfter: '2' }, 2_000],
    [{ retryAfterMs: 10 }, 500],
    [{ retryAfter: -30 }, 500],
    [{ retryAfter: 'soon', retryAfterMs: Number.NaN }, 500],
  ])('what an HTTP client puts on its error (%j) is a lower bound', (fields, delayMs) => {
    const retry = fixed({ delayMs: 500 })
    expect(decide({ retry }, Object.assign(new Error('429'), fields))).toMatchObject({
      kind: 'retry',
      delayMs,
    })
  })

  test('an error whose fields cannot be read hints nothing', () => {
    const hostile = new Proxy(new Error('x'), {
      get() {
        throw new Error('no')
      },
    })
    expect(decide({ retry: fixed({ delayMs: 500 }) }, hostile)).toMatchObject({ delayMs: 500 })
  })
})
