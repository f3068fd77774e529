import { type AppDefinition, defineApp, fixed, subscribe } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import type { Harness } from '../../src/index.ts'
import { event, eventStream, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const HOUR_MS = 3_600_000

/** Writes the only checkpoint anew, as a restored or a foreign table would have it. */
function tamper(h: Harness, change: (checkpoint: object) => object): void {
  const [checkpoint] = h.world.store.allItems('checkpoint/work')
  if (checkpoint === undefined) throw new Error('no checkpoint was saved')
  const value = change(checkpoint.value as object)
  h.world.store.table.put({ ...checkpoint, value: value as never }, 'any', h.clock.now(), h.clock.now())
}

describe('checkpoint', () => {
  test('scenario 8: what expires during a pause is handled or counted, the rest handled (I2, I9)', async () => {
    const app = shortLived()
    const h = await openHarness(app)
    await h.append('events', [event('a', 'a1')])
    await h.settle()
    await h.operations.pauseSubscription('work')
    await h.append('events', events(20, 4))
    await h.advance('2h')
    await h.append('events', [event('a', 'a2')])
    await h.operations.resumeSubscription('work')
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    // What it had read before it expired is handled all the same.
    const handled = h.calls('work').length - 2
    const status = await h.operations.showSubscription('work')
    expect(handled + (status.shards[0]?.expiredRecords ?? 0)).toBe(20)
  })

  test('scenario 8: when everything expired it is counted once, also while nothing new comes (I2, I9)', async () => {
    const h = await openHarness(shortLived())
    await h.append('events', [event('a', 'a1')])
    await h.settle()
    await h.advance('2s')
    await h.restart({ app: defineApp({ streams: [eventStream(1, HOUR_MS)], subscriptions: [] }) })
    await h.append('events', events(20, 4))
    await h.advance('2h')
    await h.restart({ app: shortLived() })
    await h.advance('1m')
    expect(h.notices.filter((notice) => notice.kind === 'expired')).toMatchObject([{ records: 20 }])
    await h.append('events', [event('a', 'a2')])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(h.notices.filter((notice) => notice.kind === 'expired')).toHaveLength(1)
  })

  test('scenario 8: a checkpoint below the log: what expired is counted and told, the rest handled (I2, I9)', async () => {
    const h = await openHarness(shortLived())
    await h.append('events', [event('a', 'a1')])
    await h.settle()
    await h.advance('2s')
    await h.restart({ app: defineApp({ streams: [eventStream(1, HOUR_MS)], subscriptions: [] }) })
    await h.append('events', events(20, 4))
    await h.advance('2h')
    await h.append('events', [event('a', 'a2')])
    await h.restart({ app: shortLived() })
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(h.notices).toContainEqual(expect.objectContaining({ kind: 'expired', records: 20 }))
    const status = await h.operations.showSubscription('work')
    expect(status.shards).toMatchObject([{ expiredRecords: 20 }])
  })

  test('scenario 8: a checkpoint of a stream that was created anew: the new one is read from its beginning (I2)', async () => {
    const h = await openHarness(shortLived())
    await h.append('events', events(30, 3))
    await h.settle()
    await h.advance('2s')
    await h.restart({ app: defineApp({ streams: [eventStream(1, HOUR_MS)], subscriptions: [] }) })
    await h.operations.deleteStream('events')
    await h.restart({ app: shortLived() })
    await h.append('events', [event('a', 'new-1'), event('b', 'new-2')])
    await h.settle()
    const seen = h.calls('work').filter((call) => call.eventId.startsWith('new'))
    expect(seen.map((call) => call.eventId)).toEqual(['new-1', 'new-2'])
  })

  test('scenario 8: with a held key, a stream created anew does not skip the key’s new events (I2, I3)', async () => {
    const app = (): AppDefinition =>
      oneSubscription({ blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 1_000, maxAttempts: 2 }) })
    const h = await openHarness(app())
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2')])
    await h.settle()
    await h.restart({ app: defineApp({ streams: [eventStream(1)], subscriptions: [] }) })
    await h.operations.deleteStream('events')
    await h.restart({ app: app() })
    await h.append('events', [event('a', 'new-1')])
    await h.settle()
    await h.operations.dropFailures({ subscription: 'work', status: 'held' })
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a2', 'new-1'])
  })

  test('scenario 8: a checkpoint above the log loses no event that comes after (I2, I9)', async () => {
    const h = await openHarness(oneSubscription({}))
    await h.append('events', [event('a', 'a1')])
    await h.settle()
    await h.advance('2s')
    await h.crash({ restart: false })
    tamper(h, (checkpoint) => ({
      ...checkpoint,
      from: { at: 'after_sequence_number', sequenceNumber: String(10 ** 15 + 500) },
    }))
    await h.restart()
    await h.append('events', [event('a', 'a2'), event('b', 'b1')])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(h.logs.map((line) => line.message).join()).toContain('a checkpoint is ahead of its shard')
    expect(h.order('work', 'b')).toEqual(['b1'])
  })
})

/** Retention of one hour. */
function shortLived(): AppDefinition {
  return defineApp({
    subscriptions: [subscribe('work', eventStream(1, HOUR_MS), { failure: {}, handle: () => {} })],
  })
}
