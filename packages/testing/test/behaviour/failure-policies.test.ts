import { defineApp, fixed, list, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, eventStream, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const HOUR_MS = 3_600_000

describe('what becomes of failed events', () => {
  test('dead-letter-key takes the waiting tail of its key along; later events flow (I3)', async () => {
    const h = await openHarness(
      oneSubscription({ blocks: 'key', exhausted: 'dead-letter-key', retry: list([1_000, 1_000]) }),
    )
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('a', 'a3'), event('b', 'b1')])
    await h.settle()
    const dead = await h.deadLetters('work')
    expect(dead.map((item) => [item.eventId, item.attempts]).sort()).toEqual([
      ['a1', 3],
      ['a2', 0],
      ['a3', 0],
    ])
    await h.append('events', event('a', 'a4'))
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a4'])
  })

  test('drop is counted, logged and told, and its key goes on (I9)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const h = await openHarness(oneSubscription({ blocks, exhausted: 'drop', retry: list([1_000]) }))
      h.fail('work', { eventId: 'a1' })
      await h.append('events', [event('a', 'a1'), event('a', 'a2')])
      await h.settle()
      expect(await h.dropped('work')).toMatchObject([{ eventId: 'a1', attempts: 2 }])
      expect(h.order('work', 'a')).toEqual(['a2'])
      expect(h.notices).toContainEqual(expect.objectContaining({ kind: 'dropped', key: 'a' }))
      expect(h.logs.map((line) => line.message)).toContain('an event was dropped')
    }
  })

  test('a failed event outlives its record: the ledger has the payload (I2)', async () => {
    for (const blocks of ['nothing', 'key', 'shard'] as const) {
      const app = defineApp({
        subscriptions: [
          subscribe('work', eventStream(1, HOUR_MS), {
            failure: { blocks, exhausted: 'dead-letter', retry: list([3 * HOUR_MS]) },
            handle: () => {},
          }),
        ],
      })
      const h = await openHarness(app)
      h.fail('work', { eventId: 'a1', attempts: 1 })
      await h.append('events', event('a', 'a1', { cents: 5 }))
      await h.advance('2h')
      await h.crash()
      await h.append('events', event('a', 'a2'))
      await h.settle('4h')
      expect(h.calls('work').findLast((call) => call.eventId === 'a1')).toMatchObject({
        outcome: 'ok',
        event: { data: { cents: 5 } },
      })
      if (blocks !== 'nothing') expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    }
  })

  test('a subscription far behind the head loses nothing and delays nobody (I2, I4)', async () => {
    const stream = eventStream(1)
    const app = defineApp({
      subscriptions: [
        subscribe('slow', stream, {
          failure: { blocks: 'shard', exhausted: 'hold', retry: fixed({ delayMs: 600_000 }) },
          handle: () => {},
        }),
        subscribe('fast', stream, { failure: { blocks: 'key', exhausted: 'hold' }, handle: () => {} }),
      ],
    })
    const h = await openHarness(app)
    h.fail('slow', { eventId: 'k0-0', attempts: 1 })
    // More than the recent window holds.
    const all = events(12_000, 10)
    for (let from = 0; from < all.length; from += 2_000) {
      await h.append('events', all.slice(from, from + 2_000))
      await h.advance(100)
    }
    expect(h.calls('fast')).toHaveLength(all.length)
    expect(h.calls('slow')).toHaveLength(1)
    await h.settle()
    for (const { key } of all.slice(0, 10)) {
      const sent = all.filter((one) => one.key === key).map((one) => one.id)
      expect(h.order('slow', key)).toEqual(sent)
      expect(h.order('fast', key)).toEqual(sent)
    }
  })
})
