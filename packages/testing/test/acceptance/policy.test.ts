import { exponential, type FailureOptions, fixed, linear, list, outcome, type RetryPolicy } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { roughFaults } from '../../src/index.ts'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

// biome-ignore lint/suspicious/noThenProperty: a word, never a function
const fatalRule = { error: 'Fatal', then: 'dead-letter' } as const

class Fatal extends Error {
  override name = 'Fatal'
}

async function failing(failure: FailureOptions, error?: unknown): Promise<Harness> {
  const h = await openHarness(oneSubscription(failure))
  h.fail('work', error === undefined ? {} : { error })
  await h.append('events', event('a', 'a1'))
  return h
}

describe('policy', () => {
  test('scenario 2: a retry is not there one second before it is due, and is there after (I5)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const retry = fixed({ delayMs: 60_000, maxAttempts: 5 })
      const h = await failing({ blocks, exhausted: 'dead-letter', retry })
      await h.advance('59s')
      expect(h.attempts('work', 'a1')).toBe(1)
      await h.advance('1s')
      expect(h.attempts('work', 'a1')).toBe(2)
      await h.advance(59_999)
      expect(h.attempts('work', 'a1')).toBe(2)
      await h.advance(1)
      expect(h.attempts('work', 'a1')).toBe(3)
    }
  })

  test('scenario 2: nothing is ever early, whatever storage and queue do (I5)', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const blocks = (['nothing', 'key', 'shard'] as const)[seed % 3] as 'nothing'
      const app = oneSubscription({
        blocks,
        exhausted: 'dead-letter',
        retry: fixed({ delayMs: 7_000, maxAttempts: 4 }),
      })
      const h = await openHarness(app, { seed, faults: roughFaults })
      h.fail('work', { key: 'k1' })
      await h.append('events', events(12, 4))
      await h.advance('10m')
      const calls = h.calls('work').filter((call) => call.key === 'k1')
      const failed = new Map<string, number>()
      for (const call of calls) {
        const before = failed.get(call.eventId)
        if (before !== undefined) expect(call.startedAtMs - before).toBeGreaterThanOrEqual(7_000)
        failed.set(call.eventId, call.startedAtMs)
      }
      expect(calls.length).toBeGreaterThanOrEqual(12)
    }
  })

  test('scenario 14: five immediate tries and three delayed retries are 24 calls (I7)', async () => {
    const h = await failing({ immediate: 5, retry: list([1_000, 2_000, 3_000], { maxAttempts: 24 }) })
    await h.advance('1ms')
    expect(h.attempts('work', 'a1')).toBe(6)
    await h.settle()
    expect(h.calls('work').map((call) => call.attempt)).toEqual(Array.from({ length: 24 }, (_, n) => n + 1))
    const [dead] = await h.deadLetters('work')
    expect(dead).toMatchObject({ attempts: 24, deliveries: 4 })
    expect(dead?.history).toHaveLength(20)
  })

  test('scenario 14: what is unrecoverable is called once (I9)', async () => {
    const h = await failing({ immediate: 5, retry: exponential() }, () =>
      outcome.deadLetter('no such member'),
    )
    await h.settle()
    expect(h.attempts('work', 'a1')).toBe(1)
    expect(await h.deadLetters('work')).toMatchObject([{ reason: 'no such member' }])
  })

  test('scenario 14: after 24 hours of failing an event is given up (I9)', async () => {
    const retry = fixed({ delayMs: 3_600_000, maxAttempts: 1_000_000 })
    const h = await failing({ retry, maxAgeMs: 24 * 3_600_000 })
    await h.advance(24 * 3_600_000 - 1)
    expect(h.attempts('work', 'a1')).toBe(24)
    expect(await h.retrying('work')).toHaveLength(1)
    await h.advance('1h')
    expect(h.attempts('work', 'a1')).toBe(25)
    expect((await h.deadLetters('work'))[0]?.reason).toContain('over maxAgeMs')
  })

  test('scenario 14: an action that classify makes up is told, and the event still ends as a dead letter (I9)', async () => {
    const classify = () => ({ kind: 'teleport' }) as never
    const h = await failing({ classify, retry: list([1_000]) })
    await h.settle()
    expect(h.attempts('work', 'a1')).toBe(2)
    expect(await h.deadLetters('work')).toHaveLength(1)
    expect(h.logs.map((line) => line.message).join()).toContain('classify returned {"kind":"teleport"}')
  })

  test.each<[string, FailureOptions, number, number]>([
    ['immediate only', { immediate: 3, retry: list([], { maxAttempts: 4 }) }, 4, 0],
    ['delayed only', { retry: list([1_000, 2_000]) }, 3, 3_000],
    ['both', { immediate: 1, retry: list([1_000], { maxAttempts: 4 }) }, 4, 1_000],
    ['fatal by rule', { immediate: 9, rules: [fatalRule] }, 1, 0],
  ])('scenario 15: route %s (I9)', async (_name, failure, calls, spanMs) => {
    const h = await failing(failure, () => new Fatal('no'))
    await h.settle()
    const made = h.calls('work')
    expect(made).toHaveLength(calls)
    expect((made.at(-1)?.startedAtMs ?? 0) - (made[0]?.startedAtMs ?? 0)).toBe(spanMs)
    expect(await h.deadLetters('work')).toMatchObject([{ attempts: calls, lastError: { type: 'Fatal' } }])
  })

  test('scenario 15: past the overall time the next failure ends it (I9)', async () => {
    const h = await failing({ retry: list([1_000, 60_000, 1_000, 1_000]), maxAgeMs: 30_000 })
    await h.settle()
    expect(h.attempts('work', 'a1')).toBe(3)
    expect(await h.deadLetters('work')).toHaveLength(1)
  })

  test('scenario 16: an onExhausted that fails does not loop: the event ends, and says so (I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      let calls = 0
      const onExhausted = () => {
        calls += 1
        throw new Fatal('the undo fails too')
      }
      const h = await openHarness(
        oneSubscription({ blocks, exhausted: 'dead-letter', retry: list([1_000]) }, { onExhausted }),
      )
      h.fail('work', { eventId: 'a1' })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance('2h')
      expect(calls).toBe(1)
      expect(await h.deadLetters('work')).toMatchObject([
        { eventId: 'a1', attempts: 2, note: 'onExhausted failed: Fatal: the undo fails too' },
      ])
      expect(h.order('work', 'a')).toEqual(['a2'])
    }
  })

  test.each<[string, RetryPolicy]>([
    ['exponential', exponential({ maxAttempts: 1_100, factor: 1_000, maxMs: 500 })],
    ['decorrelated', exponential({ maxAttempts: 150, maxMs: 500, jitter: 'decorrelated' })],
    ['linear', linear({ maxAttempts: 150, initialMs: 1, stepMs: 1_000, maxMs: 500 })],
  ])('scenario 20: %s backoff stays finite after many attempts (I5, I9)', async (_name, retry) => {
    const h = await failing({ retry })
    await h.settle('1d')
    const calls = h.calls('work')
    expect(calls).toHaveLength(retry.maxAttempts)
    const waits = calls.slice(1).map((call, index) => call.startedAtMs - (calls[index]?.startedAtMs ?? 0))
    expect(Math.max(...waits)).toBeLessThanOrEqual(500)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0)
  })

  test('scenario 20: -1 is terminal, in a list and as a hint (I9)', async () => {
    const listed = await failing({ retry: list([1_000, -1, 1_000]) })
    await listed.settle()
    expect(listed.attempts('work', 'a1')).toBe(2)
    expect(await listed.deadLetters('work')).toHaveLength(1)
    const hinted = await failing({ retry: exponential() }, () => outcome.retryAfterMs(-1))
    await hinted.settle()
    expect(hinted.attempts('work', 'a1')).toBe(1)
    expect(await hinted.deadLetters('work')).toHaveLength(1)
  })
})
