import { fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const HOUR_MS = 3_600_000
const retry = fixed({ delayMs: HOUR_MS, maxAttempts: 3 })

describe('shutdown and late results', () => {
  test('scenario 10: a stop finishes and saves what is in flight, and leaves what is queued (I2)', async () => {
    const h = await openHarness(oneSubscription({ retry }, { concurrency: 4 }))
    h.delay('work', { by: '1s' })
    await h.append('events', events(20, 20))
    await h.advance('1500ms')
    expect(h.calls('work')).toHaveLength(8)
    await h.restart()
    const first = h.calls('work').filter((call) => call.life === 1)
    expect(first.map((call) => call.outcome)).toEqual(Array(8).fill('ok'))
    await h.settle()
    const second = h.calls('work').filter((call) => call.life === 2)
    expect(second).toHaveLength(12)
    expect(new Set(h.calls('work').map((call) => call.eventId)).size).toBe(20)
  })

  test('scenario 10: a stop gives back what does not finish in time; it comes again (I2, I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const h = await openHarness(oneSubscription({ blocks, exhausted: 'dead-letter', retry }))
      h.delay('work', { by: '20s', times: 1 })
      await h.append('events', event('a', 'a1'))
      await h.advance('1s')
      const beforeMs = h.clock.monotonicMs()
      await h.restart({ timeoutMs: 5_000 })
      expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(6_000)
      await h.settle()
      expect(h.calls('work')).toMatchObject([
        { outcome: 'stopped', life: 1 },
        { outcome: 'ok', life: 2, attempt: 1 },
      ])
      expect(await h.failures()).toEqual([])
    }
  })

  test('scenario 10: of a key’s waiting events it begins no further one (I2, I3)', async () => {
    for (const blocks of ['key', 'shard'] as const) {
      const short = fixed({ delayMs: 10_000, maxAttempts: 3 })
      const h = await openHarness(oneSubscription({ blocks, exhausted: 'dead-letter', retry: short }))
      h.fail('work', { eventId: 'k0-0', attempts: 1 })
      await h.append('events', events(10, 1))
      await h.advance('5s')
      h.delay('work', { by: '1s' })
      await h.advance('6500ms')
      const begun = h.calls('work').length
      await h.restart()
      expect(h.calls('work').filter((call) => call.life === 1)).toHaveLength(begun)
      // The next process goes on at once.
      await h.advance('1500ms')
      expect(h.calls('work').length).toBeGreaterThan(begun)
      await h.settle()
      expect(h.order('work', 'k0')).toEqual(events(10, 1).map((one) => one.id))
    }
  })

  test('scenario 21: a paused subscription begins no retry when it stops, nor after its restart (I5)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const short = fixed({ delayMs: 10_000, maxAttempts: 5 })
      const h = await openHarness(oneSubscription({ blocks, exhausted: 'dead-letter', retry: short }))
      h.fail('work', { eventId: 'a1', attempts: 2 })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance('5s')
      await h.operations.pauseSubscription('work')
      const before = h.calls('work').length
      await h.advance('1m')
      await h.restart()
      await h.advance('1m')
      expect(h.calls('work')).toHaveLength(before)
      await h.operations.resumeSubscription('work')
      await h.settle()
      expect([...h.order('work', 'a')].sort()).toEqual(['a1', 'a2'])
    }
  })

  test('scenario 10: with nothing to do a stop takes less than two seconds', async () => {
    const h = await openHarness(oneSubscription({ retry }, { shards: 4 }))
    await h.append('events', events(20, 20))
    await h.settle()
    await h.advance('10m')
    const beforeMs = h.clock.monotonicMs()
    await h.restart()
    expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(2_000)
    await h.advance('1m')
    expect(h.calls('work')).toHaveLength(20)
  })

  test('scenario 11: a timed-out attempt’s late success is ignored; the same event is admitted again (I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const h = await openHarness(
        oneSubscription({ blocks, exhausted: 'dead-letter', retry }, { timeoutMs: 1_000 }),
      )
      h.delay('work', { eventId: 'a1', by: '3m', times: 1 })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance('10m')
      const late = await h.retrying('work')
      expect(late).toMatchObject([
        { eventId: 'a1', attempts: 1, lastError: { code: 'EDDY_HANDLER_TIMEOUT' } },
      ])
      await h.settle('2h')
      const calls = h.calls('work').filter((call) => call.eventId === 'a1')
      expect(calls).toMatchObject([
        { outcome: 'timed-out', attempt: 1 },
        { outcome: 'ok', attempt: 2 },
      ])
      expect(await h.resolved('work')).toHaveLength(blocks === 'key' ? 2 : 1)
      if (blocks !== 'nothing') expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    }
  })

  test('scenario 11: its late failure is ignored too, after the event was handled (I9)', async () => {
    const short = fixed({ delayMs: 10_000, maxAttempts: 3 })
    const h = await openHarness(oneSubscription({ retry: short }, { timeoutMs: 1_000 }))
    h.delay('work', { by: '3m', times: 1 })
    h.fail('work', { times: 1, error: new Error('too late to matter') })
    await h.append('events', event('a', 'a1'))
    await h.advance('1m')
    expect(await h.resolved('work')).toMatchObject([{ eventId: 'a1', attempts: 2 }])
    await h.advance('10m')
    const [item] = await h.resolved('work')
    expect(item).toMatchObject({ status: 'resolved', attempts: 2 })
    expect(item?.lastError?.message).not.toContain('too late')
    expect(h.attempts('work', 'a1')).toBe(2)
  })

  test('scenario 21: a stop does not wait for a retry that is not due; it is neither lost nor early (I2, I5)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const h = await openHarness(oneSubscription({ blocks, exhausted: 'dead-letter', retry }))
      h.fail('work', { times: 1 })
      await h.append('events', event('a', 'a1'))
      await h.advance('10m')
      const beforeMs = h.clock.monotonicMs()
      await h.restart()
      expect(h.clock.monotonicMs() - beforeMs).toBeLessThan(2_000)
      await h.advance('49m')
      expect(h.attempts('work', 'a1')).toBe(1)
      await h.advance('2m')
      expect(h.calls('work')).toMatchObject([
        { outcome: 'failed', life: 1 },
        { outcome: 'ok', life: 2, attempt: 2, path: 'retry' },
      ])
    }
  })
})
