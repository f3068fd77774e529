import { fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { oneQueue, task } from '../support/one-queue.ts'
import { events, oneBatchSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 1_000, maxAttempts: 6 })
const breaker = { window: 10, pauseMs: 120_000, maxPauseMs: 120_000, probes: 5, rampMs: 1_000 }

const okOf = (h: Harness): number =>
  new Set(
    h
      .calls('work')
      .filter((call) => call.outcome === 'ok')
      .map((call) => call.eventId),
  ).size

async function stateOf(h: Harness): Promise<string | undefined> {
  return (await h.operations.showSubscription('work')).protection?.state
}

describe('protection of what is no single event of a stream', () => {
  test('messages of a queue wait while the breaker is open, longer than they are hidden, and each is handled (I2)', async () => {
    const h = await openHarness(oneQueue({ retry }, { timeoutMs: 1_000, protect: { breaker } }))
    h.fail('work')
    await h.send(
      'tasks',
      Array.from({ length: 60 }, (_, index) => task(`t${index}`)),
    )
    await h.advance('5s')
    expect(await stateOf(h)).toBe('open')
    const before = h.calls('work').length
    await h.advance('110s')
    expect(h.calls('work')).toHaveLength(before)
    h.heal('work')
    await h.settle()
    expect(okOf(h)).toBe(60)
    expect(await h.deadLetters('work')).toEqual([])
    expect(await h.operations.showQueue('tasks')).toMatchObject({ messages: 0 })
  })

  test('events of a batch are an outcome each; no batch is begun while the breaker is open', async () => {
    const h = await openHarness(oneBatchSubscription({ retry }, { protect: { breaker } }))
    h.fail('work')
    await h.append('events', events(40, 40))
    await h.advance('5s')
    expect(await stateOf(h)).toBe('open')
    const before = h.calls('work').length
    await h.append(
      'events',
      events(20, 20).map(({ id, ...rest }) => ({ ...rest, id: `later-${id}` })),
    )
    await h.advance('100s')
    expect(h.calls('work')).toHaveLength(before)
    h.heal('work')
    await h.settle()
    expect(okOf(h)).toBe(60)
    expect(await h.deadLetters('work')).toEqual([])
  })

  test('the rate holds for the calls of batches', async () => {
    const batch = { maxEvents: 5 }
    const h = await openHarness(oneBatchSubscription({ retry }, { batch, protect: { ratePerSecond: 2 } }))
    await h.append('events', events(50, 50))
    await h.settle()
    const calls = h.calls('work')
    const spanMs = (calls.at(-1)?.startedAtMs ?? 0) - (calls[0]?.startedAtMs ?? 0)
    expect(calls).toHaveLength(50)
    expect(spanMs).toBeGreaterThanOrEqual(4_400)
    expect(spanMs).toBeLessThanOrEqual(5_500)
  })

  test('a policy that is changed while the breaker is open counts within a second', async () => {
    const h = await openHarness(oneQueue({ retry }, { protect: { breaker } }))
    h.fail('work')
    await h.send(
      'tasks',
      Array.from({ length: 60 }, (_, index) => task(`t${index}`)),
    )
    await h.advance('5s')
    expect(await stateOf(h)).toBe('open')
    h.heal('work')
    await h.operations.changePolicy('work', { set: { 'protect.breaker': null } })
    await h.advance('1s')
    expect(await stateOf(h)).toBeUndefined()
    expect(okOf(h)).toBeGreaterThanOrEqual(40)
    await h.settle()
    expect(okOf(h)).toBe(60)
  })
})
