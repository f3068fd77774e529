import { exponential, fixed, list, outcome, type ProtectOptions } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const MANY_KEYS = 50
const patient = exponential({ maxAttempts: 50, initialMs: 200, maxMs: 2_000 })

async function protectedBy(
  protect: ProtectOptions,
  more: Parameters<typeof oneSubscription>[1] = {},
  retry = patient as Parameters<typeof oneSubscription>[0]['retry'],
): Promise<Harness> {
  return await openHarness(oneSubscription({ ...(retry !== undefined && { retry }) }, { ...more, protect }))
}

async function breakerOf(h: Harness) {
  const { protection } = await h.operations.showSubscription('work')
  if (protection === undefined) throw new Error('no protection in the status')
  return protection
}

const startsOf = (h: Harness): number[] => h.calls('work').map((call) => call.startedAtMs)

describe('protection', () => {
  test('scenario 17: the breaker opens at N failures in a row, not below, and ends on one success', async () => {
    const h = await protectedBy(
      { breaker: { window: 5, minimum: 5, ratio: 1, probes: 1, rampMs: 0 } },
      {},
      list([600_000]),
    )
    const heal = h.fail('work')
    await h.append('events', events(4, 4))
    await h.advance('1s')
    expect((await breakerOf(h)).state).toBe('closed')
    await h.append('events', event('x', 'fifth'))
    await h.advance(10)
    expect(await breakerOf(h)).toMatchObject({
      state: 'open',
      reason: expect.stringContaining('5 of the last 5 failed: InjectedFailure'),
    })
    heal()
    await h.append(
      'events',
      events(20, 20).map(({ id, ...rest }) => ({ ...rest, id: `later-${id}` })),
    )
    await h.advance(980)
    // Nothing is started while it is open.
    expect(h.calls('work')).toHaveLength(5)
    await h.advance(20)
    expect((await breakerOf(h)).state).toBe('closed')
    expect(h.calls('work').length).toBe(25)
  })

  test('scenario 18: 20 bad events open it, it closes again, then 20 good ones succeed', async () => {
    const h = await protectedBy({ breaker: { window: 20, probes: 10, rampMs: 5_000 } })
    h.fail('work')
    await h.append('events', events(20, 20))
    await h.advance('100ms')
    expect((await breakerOf(h)).state).toBe('open')
    h.heal('work')
    await h.advance('30s')
    expect((await breakerOf(h)).state).toBe('closed')
    await h.append(
      'events',
      events(20, 20).map(({ id, ...rest }) => ({ ...rest, id: `good-${id}` })),
    )
    await h.settle()
    const good = h.calls('work').filter((call) => call.eventId.startsWith('good-'))
    expect(good.map((call) => call.outcome)).toEqual(Array.from({ length: 20 }, () => 'ok'))
    expect(await h.deadLetters('work')).toEqual([])
    const told = h.notices.map((notice) => notice.kind).filter((kind) => kind.startsWith('breaker'))
    expect(told).toEqual(['breaker-opened', 'breaker-closed'])
  })

  test('scenario 19: half open, one call at a time is a sample of the downstream, of a different event each', async () => {
    const h = await protectedBy(
      { breaker: { window: 10, minimum: 10, probes: 10, rampMs: 0 } },
      { concurrency: 8 },
      fixed({ delayMs: 0, maxAttempts: 50 }),
    )
    const heal = h.fail('work')
    h.delay('work', { by: 20 })
    await h.append('events', events(MANY_KEYS, MANY_KEYS))
    await h.advance('200ms')
    expect((await breakerOf(h)).state).toBe('open')
    const before = h.calls('work').length
    // Five probes that fail are enough to know: a second of pause, five probes, two seconds of pause.
    await h.advance('1500ms')
    const probes = h.calls('work').slice(before)
    expect(probes).toHaveLength(5)
    expect(new Set(probes.map((probe) => probe.eventId)).size).toBe(5)
    probes.forEach((probe, index) => {
      const last = probes[index - 1]
      if (last !== undefined) expect(probe.startedAtMs).toBeGreaterThanOrEqual(last.startedAtMs + 20)
    })
    heal()
    await h.settle()
    expect(await h.deadLetters('work')).toEqual([])
    expect(
      new Set(
        h
          .calls('work')
          .filter((call) => call.outcome === 'ok')
          .map((call) => call.eventId),
      ).size,
    ).toBe(MANY_KEYS)
  })

  test('scenario 19: the breaker survives a restart, and a crash', async () => {
    for (const how of ['restart', 'crash'] as const) {
      const h = await protectedBy({ breaker: { window: 10, pauseMs: 20_000, probes: 3, rampMs: 60_000 } })
      h.fail('work')
      await h.append('events', events(MANY_KEYS, MANY_KEYS))
      await h.advance('1s')
      const open = await breakerOf(h)
      expect(open.state).toBe('open')
      const calls = h.calls('work').length
      await h[how]()
      expect(await breakerOf(h)).toMatchObject({
        state: 'open',
        reason: open.reason,
        probesAtMs: open.probesAtMs,
      })
      await h.advance('15s')
      expect(h.calls('work')).toHaveLength(calls)
      h.heal('work')
      await h.advance('10s')
      expect((await breakerOf(h)).state).toBe('ramping')
      // The ramp, too, goes on where it was.
      const { rampEndsAtMs } = await breakerOf(h)
      await h[how]()
      expect(await breakerOf(h)).toMatchObject({ state: 'ramping', rampEndsAtMs })
      await h.settle()
      expect(await h.deadLetters('work')).toEqual([])
    }
  })

  test('scenario 21: a stop does not wait for a retry that waits for its turn; it comes after the next start', async () => {
    const h = await protectedBy({ retryRatePerSecond: 0.01 }, {}, fixed({ delayMs: 1_000, maxAttempts: 10 }))
    h.fail('work', { times: 3 })
    await h.append('events', events(3, 3))
    await h.advance('2s')
    // One retry was started, two wait for the rate.
    expect(h.calls('work')).toHaveLength(4)
    const beforeMs = h.clock.monotonicMs()
    await h.restart({ timeoutMs: 20_000 })
    expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(1_000)
    expect(h.calls('work')).toHaveLength(4)
    await h.settle()
    expect(h.calls('work').filter((call) => call.outcome === 'ok')).toHaveLength(3)
  })

  test('scenario 21: a stop does not wait for an open breaker', async () => {
    const h = await protectedBy({ breaker: { window: 5, pauseMs: 600_000 } })
    h.fail('work')
    await h.append('events', events(MANY_KEYS, MANY_KEYS))
    await h.advance('1s')
    const beforeMs = h.clock.monotonicMs()
    await h.restart({ timeoutMs: 20_000 })
    expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(1_000)
  })

  test.each(['nothing', 'key', 'shard'] as const)(
    'while it is open nothing is tried and no attempt is used up, with blocks %s',
    async (blocks) => {
      const h = await openHarness(
        oneSubscription(
          { blocks, exhausted: 'dead-letter', retry: fixed({ delayMs: 1_000, maxAttempts: 12 }) },
          { shards: 2, protect: { breaker: { window: 2, pauseMs: 60_000, maxPauseMs: 60_000, rampMs: 0 } } },
        ),
      )
      h.fail('work')
      await h.append('events', events(20, 10))
      // Twelve attempts a second apart would be over after 12 s.
      await h.advance('10m')
      expect(await h.deadLetters('work')).toEqual([])
      const before = h.calls('work').length
      expect(before).toBeLessThan(60)
      h.heal('work')
      await h.settle()
      expect(await h.deadLetters('work')).toEqual([])
      expect(
        new Set(
          h
            .calls('work')
            .filter((call) => call.outcome === 'ok')
            .map((call) => call.eventId),
        ).size,
      ).toBe(20)
    },
  )

  test('scenario 14: tries in place stop when the breaker opens; the rest of the attempts comes later', async () => {
    const h = await openHarness(
      oneSubscription(
        { immediate: 5, retry: list([1_000, 2_000, 3_000], { maxAttempts: 24 }) },
        { concurrency: 1, protect: { breaker: { window: 4, probes: 1, rampMs: 0 } } },
      ),
    )
    h.fail('work')
    await h.append('events', events(4, 4))
    await h.advance(100)
    // An outcome is a delivery with its tries in place: the fourth opens it.
    expect(h.calls('work')).toHaveLength(24)
    expect((await breakerOf(h)).state).toBe('open')
    // A probe has no tries in place.
    await h.advance('1s')
    expect(h.calls('work')).toHaveLength(25)
    await h.advance('1h')
    const dead = await h.deadLetters('work')
    expect(dead.map((item) => item.attempts).every((attempts) => attempts >= 9 && attempts <= 24)).toBe(true)
  })

  test('scenario 15: the decisions of a handler say nothing of its downstream: no breaker opens', async () => {
    const h = await protectedBy({ breaker: { window: 5 } })
    h.fail('work', { error: () => outcome.deadLetter('no such member') })
    await h.append('events', events(30, 30))
    await h.settle()
    expect(await h.deadLetters('work')).toHaveLength(30)
    expect((await breakerOf(h)).state).toBe('closed')
  })

  test('a hint of the downstream moves the probes, too', async () => {
    const h = await protectedBy({ breaker: { window: 5, pauseMs: 1_000 } })
    h.fail('work', { error: () => Object.assign(new Error('503'), { retryAfter: 45 }) })
    await h.append('events', events(5, 5))
    await h.advance('1s')
    const openedAtMs = startsOf(h).at(-1) as number
    expect((await breakerOf(h)).probesAtMs).toBe(openedAtMs + 45_000)
  })

  test('a person closes an open breaker: it ramps up at once', async () => {
    const h = await protectedBy({ breaker: { window: 5, pauseMs: 3_600_000, rampMs: 10_000 } })
    h.fail('work')
    await h.append('events', events(MANY_KEYS, MANY_KEYS))
    await h.advance('1s')
    h.heal('work')
    await h.operations.resumeSubscription('work', { resetBreaker: true, by: 'ada' })
    expect((await breakerOf(h)).state).toBe('ramping')
    await h.settle()
    expect(
      new Set(
        h
          .calls('work')
          .filter((call) => call.outcome === 'ok')
          .map((call) => call.eventId),
      ).size,
    ).toBe(MANY_KEYS)
    const audit = (await h.operations.listAudit()).map(({ action, by }) => `${action} ${by}`)
    expect(audit.sort()).toEqual(['breaker-reset ada', 'resume ada'])
  })

  test('the rate holds for first attempts, retries and tries in place together, and is used up', async () => {
    const h = await openHarness(
      oneSubscription({ immediate: 1, retry: patient }, { protect: { ratePerSecond: 20 } }),
    )
    h.fail('work', { times: 40 })
    await h.append('events', events(100, 100))
    await h.settle()
    const starts = startsOf(h)
    expect(starts).toHaveLength(140)
    for (const fromMs of starts) {
      const within = (spanMs: number): number =>
        starts.filter((atMs) => atMs >= fromMs && atMs <= fromMs + spanMs).length
      expect(within(1_000)).toBeLessThanOrEqual(20 * 1.1 + 1)
    }
    expect((starts.at(-1) as number) - (starts[0] as number)).toBeLessThan((140 / 20) * 1_000 + 1_000)
  })

  test('retries have a rate of their own; they never starve, and never hold first attempts up', async () => {
    const h = await protectedBy(
      { ratePerSecond: 50, retryRatePerSecond: 5 },
      {},
      fixed({ delayMs: 100, maxAttempts: 100 }),
    )
    h.fail('work', { key: 'k0' })
    for (let second = 0; second < 20; second += 1) {
      await h.append(
        'events',
        events(60, 2).map(({ id, ...rest }) => ({ ...rest, id: `${second}-${id}` })),
      )
      await h.advance('1s')
    }
    const calls = h.calls('work')
    const retries = calls.filter((call) => call.path === 'retry').map((call) => call.startedAtMs)
    // Ninety-five and more of a hundred that there is room for.
    expect(retries.length).toBeGreaterThanOrEqual(90)
    for (const fromMs of retries)
      expect(retries.filter((atMs) => atMs >= fromMs && atMs <= fromMs + 1_000).length).toBeLessThanOrEqual(7)
    expect(calls.length).toBeGreaterThanOrEqual(20 * 50 - 50)
  })

  test('a slow retry rate keeps no token hidden for longer than it is hidden, and each event is tried', async () => {
    const h = await protectedBy(
      { retryRatePerSecond: 0.02 },
      { timeoutMs: 1_000 },
      fixed({ delayMs: 0, maxAttempts: 3 }),
    )
    h.fail('work', { times: 5 })
    await h.append('events', events(5, 5))
    await h.advance('6m')
    const retries = h.calls('work').filter((call) => call.path === 'retry')
    expect(new Set(retries.map((call) => call.eventId)).size).toBe(5)
    expect(retries).toHaveLength(5)
  })

  test('what a person redrives costs no retries: it has a rate of its own', async () => {
    const h = await protectedBy({ retryBudget: { share: 0, minPerSecond: 0.01 } }, {}, list([]))
    h.fail('work')
    await h.append('events', events(50, 50))
    await h.settle()
    h.heal('work')
    await h.operations.startRedrive({ status: 'dead' }, { ratePerSecond: 1_000 })
    await h.advance('2s')
    expect(h.calls('work').filter((call) => call.path === 'redrive')).toHaveLength(50)
  })
})
