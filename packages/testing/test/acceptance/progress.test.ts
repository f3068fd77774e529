import { fixed, list } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const HOUR_MS = 3_600_000
/** A shard's intake takes records in portions of up to this many. */
const PORTION = 500
/** Records that may be taken in before a checkpoint knows of them: their handlers may not have ended. */
const UNSAVED = 1_024

describe('progress', () => {
  test('scenario 5: of 10,000 events three are failing; after a restart exactly those three are handled again (I2)', async () => {
    const h = await openHarness(
      oneSubscription({ retry: fixed({ delayMs: HOUR_MS, maxAttempts: 3 }) }, { shards: 2 }),
    )
    const failing = ['k3-7', 'k11-50', 'k99-99']
    for (const eventId of failing) h.fail('work', { eventId, times: 1 })
    await h.append('events', events(10_000, 100))
    await h.settle('1m')
    expect(h.calls('work')).toHaveLength(10_000)
    await h.restart()
    await h.settle('2h')
    const again = h.calls('work').filter((call) => call.life === 2)
    expect(again.map((call) => call.eventId).sort()).toEqual([...failing].sort())
    expect(await h.operations.showSubscription('work')).toMatchObject({ lagRecords: 0, retrying: 0, dead: 0 })
  })

  test('scenario 5: of 10,000 events three are running at a crash; exactly those three come again (I2)', async () => {
    const h = await openHarness(oneSubscription({}, { shards: 2, timeoutMs: HOUR_MS }))
    const running = ['k0-0', 'k11-50', 'k99-99']
    for (const eventId of running) h.delay('work', { eventId, by: Number.POSITIVE_INFINITY, times: 1 })
    await h.append('events', events(10_000, 100))
    await h.advance('1m')
    // What waits behind a running event of its key waits with it.
    const behind = new Set(
      [...Array(99).keys()].map((n) => `k0-${n + 1}`).concat(laterOf('k11', 50), laterOf('k99', 99)),
    )
    const expected = [...running, ...behind].sort()
    await h.crash()
    await h.settle()
    const again = h.calls('work').filter((call) => call.life === 2)
    expect(again.map((call) => call.eventId).sort()).toEqual(expected)
    for (const eventId of running) expect(h.attempts('work', eventId)).toBe(2)
    expect(await h.operations.showSubscription('work')).toMatchObject({ lagRecords: 0 })
  })

  test('scenario 6: far above a blocked event intake stops; the event still retries; then intake resumes (I6)', async () => {
    const h = await openHarness(
      oneSubscription({ immediate: 5, retry: list([], { maxAttempts: 6 }) }, { timeoutMs: HOUR_MS }),
    )
    h.delay('work', { eventId: 'blocked', by: '10m' })
    h.fail('work', { eventId: 'blocked', times: 2 })
    await h.append('events', event('blocked', 'blocked'))
    const spanRecords = 100_000
    for (let count = 0; count < spanRecords + 2_000; count += 2_000) {
      await h.append('events', events(2_000, 50))
    }
    await h.advance('9m')
    const atLimit = h.calls('work').length
    expect(atLimit).toBeGreaterThan(spanRecords)
    expect(atLimit).toBeLessThanOrEqual(spanRecords + 1 + PORTION)
    await h.advance('10m')
    expect(h.calls('work')).toHaveLength(atLimit + 1)
    expect(h.attempts('work', 'blocked')).toBe(2)
    await h.settle()
    expect(h.attempts('work', 'blocked')).toBe(3)
    expect(h.calls('work')).toHaveLength(spanRecords + 2_000 + 3)
  })

  test('scenario 6: with too many gaps in its progress intake stops, and resumes as they close (I6)', async () => {
    const runs = 4_096
    const h = await openHarness(
      oneSubscription(
        { retry: list([1_000]) },
        { concurrency: 4_000, maxBufferedRecords: 20_000, timeoutMs: 10 * 60_000 },
      ),
    )
    // Every second event runs for five minutes: each is a gap with a resolved event above it.
    const slow = Array.from({ length: 8_000 }, (_, index) => event(`s${index}`, `s${index}`, {}))
    h.delay('work', { type: 'slow', by: '5m' })
    await h.append(
      'events',
      slow.map((one, index) => ({ ...one, type: index % 2 === 0 ? 'slow' : 'fast' })),
    )
    await h.advance('4m')
    const atLimit = h.calls('work').length
    expect(atLimit).toBeGreaterThanOrEqual(runs - PORTION)
    expect(atLimit).toBeLessThanOrEqual(runs + UNSAVED)
    await h.settle()
    expect(h.calls('work')).toHaveLength(8_000)
  })

  test('scenario 7: progress with gaps survives crashes: what was resolved does not come again (I2)', async () => {
    for (const seed of [1, 2, 3]) {
      const h = await openHarness(oneSubscription({}, { concurrency: 200, timeoutMs: HOUR_MS }), { seed })
      const stuck = Array.from({ length: 300 }, (_, n) => n).filter(
        (n) => h.clock.random() < 0.4 && n !== 299,
      )
      for (const n of stuck) h.delay('work', { eventId: `k${n}-0`, by: Number.POSITIVE_INFINITY, times: 2 })
      await h.append('events', events(300, 300))
      await h.advance('5s')
      // Twice: the second life starts from a map that was itself restored.
      for (const life of [2, 3]) {
        await h.crash()
        await h.advance('5s')
        const again = h.calls('work').filter((call) => call.life === life)
        expect(again.map((call) => call.eventId).sort()).toEqual(stuck.map((n) => `k${n}-0`).sort())
      }
      await h.settle()
      expect(h.calls('work').filter((call) => call.outcome === 'ok')).toHaveLength(300)
    }
  })

  test('scenario 7: a corrupt progress map is told and ignored: events come again, none is lost (I2)', async () => {
    const h = await openHarness(oneSubscription({}, { timeoutMs: HOUR_MS }))
    h.delay('work', { eventId: 'k0-0', by: Number.POSITIVE_INFINITY, times: 1 })
    await h.append('events', events(50, 50))
    await h.advance('5s')
    await h.crash({ restart: false })
    const [checkpoint] = h.world.store.allItems('checkpoint/work')
    if (checkpoint === undefined) throw new Error('no checkpoint was saved')
    const value = { ...(checkpoint.value as object), runs: 'Acorrupt!' }
    h.world.store.table.put({ ...checkpoint, value }, 'any', h.clock.now(), h.clock.now())
    await h.restart()
    await h.append('events', event('new', 'new'))
    await h.settle()
    expect(h.calls('work').filter((call) => call.life === 2)).toHaveLength(51)
    expect(h.logs.map((line) => line.message).join()).toContain('resolved map of a checkpoint is unreadable')
    expect(h.order('work', 'new')).toEqual(['new'])
  })

  test('scenario 9: of 4,000 events half fail; never do more than 2,000 wait (I2, I6)', async () => {
    const h = await openHarness(
      oneSubscription({ retry: fixed({ delayMs: 5_000, maxAttempts: 3 }) }, { shards: 2 }),
    )
    for (let n = 1; n < 200; n += 2) h.fail('work', { key: `k${n}`, attempts: 1 })
    let most = 0
    for (let batch = 0; batch < 10; batch += 1) {
      await h.append('events', events(4_000, 200).slice(batch * 400, batch * 400 + 400))
      for (let look = 0; look < 20; look += 1) {
        await h.advance(50)
        most = Math.max(most, (await h.operations.showSubscription('work')).retrying)
      }
    }
    expect(most).toBeGreaterThan(500)
    expect(most).toBeLessThanOrEqual(2_000)
    await h.settle()
    expect(await h.operations.showSubscription('work')).toMatchObject({ retrying: 0, dead: 0, lagRecords: 0 })
    expect(h.calls('work')).toHaveLength(6_000)
    expect(await h.resolved('work')).toHaveLength(2_000)
  })
})

function laterOf(key: string, index: number): string[] {
  return Array.from({ length: 99 - index }, (_, n) => `${key}-${index + 1 + n}`)
}
