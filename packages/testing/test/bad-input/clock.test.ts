import { type FailureOptions, fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, oneSubscription, openHarness } from '../support/one-subscription.ts'

const retry = fixed({ delayMs: 60_000, maxAttempts: 4 })
const EVERY: readonly FailureOptions[] = [
  { blocks: 'nothing', retry },
  { blocks: 'key', exhausted: 'dead-letter', retry },
  { blocks: 'shard', exhausted: 'dead-letter', retry },
]
const HOUR_MS = 3_600_000

describe('a clock that jumps back', () => {
  test.each(EVERY)(
    'brings no retry early, loses nothing and keeps the order (%o, I2, I3, I5)',
    async (failure) => {
      const h = await openHarness(oneSubscription(failure))
      h.fail('work', { eventId: 'a1', attempts: 2 })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.advance('30s')
      h.clock.jump(-HOUR_MS)
      await h.advance('29s')
      expect(h.attempts('work', 'a1')).toBe(1)
      await h.append('events', [event('a', 'a3'), event('b', 'b1')])
      await h.settle('3h')
      expect(h.attempts('work', 'a1')).toBe(3)
      expect([...h.order('work', 'a')].sort()).toEqual(['a1', 'a2', 'a3'])
      if (failure.blocks !== 'nothing') expect(h.order('work', 'a')).toEqual(['a1', 'a2', 'a3'])
      expect(h.order('work', 'b')).toEqual(['b1'])
      expect(await h.operations.showSubscription('work')).toMatchObject({
        retrying: 0,
        held: 0,
        dead: 0,
        lagRecords: 0,
      })
    },
  )

  test.each(EVERY)('while a handler runs, its time stays its time (%o, I3)', async (failure) => {
    const h = await openHarness(oneSubscription(failure, { timeoutMs: 10_000 }))
    h.delay('work', { eventId: 'a1', by: '8s', times: 1 })
    h.delay('work', { eventId: 'b1', by: '12s', times: 1 })
    await h.append('events', [event('a', 'a1'), event('b', 'b1')])
    await h.advance('5s')
    h.clock.jump(-HOUR_MS)
    await h.advance('30s')
    expect(h.calls('work').find((call) => call.eventId === 'a1')).toMatchObject({ outcome: 'ok' })
    expect(h.calls('work').find((call) => call.eventId === 'b1')).toMatchObject({ outcome: 'timed-out' })
    await h.settle('3h')
    expect(h.order('work', 'b')).toEqual(['b1'])
  })

  test.each(EVERY)('between a crash and the next start, neither (%o, I2, I3)', async (failure) => {
    const h = await openHarness(oneSubscription(failure))
    h.fail('work', { eventId: 'a1', attempts: 1 })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.advance('10s')
    await h.crash({ restart: false })
    h.clock.jump(-24 * HOUR_MS)
    await h.restart()
    await h.append('events', [event('a', 'a3')])
    await h.advance('10s')
    expect(h.attempts('work', 'a1')).toBe(1)
    h.clock.jump(24 * HOUR_MS)
    await h.settle()
    expect([...h.order('work', 'a')].sort()).toEqual(['a1', 'a2', 'a3'])
    if (failure.blocks !== 'nothing') expect(h.order('work', 'a')).toEqual(['a1', 'a2', 'a3'])
  })

  test('forth, nothing is lost either (I2, I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold', retry }))
    h.fail('work', { eventId: 'a1', attempts: 1 })
    await h.append('events', [event('a', 'a1'), event('a', 'a2')])
    await h.advance('1s')
    h.clock.jump(24 * HOUR_MS)
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
  })
})
