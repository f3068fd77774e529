import { fixed } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, oneSubscription, openHarness } from '../support/one-subscription.ts'

const MINUTE_MS = 60_000
const retry = fixed({ delayMs: 10 * MINUTE_MS, maxAttempts: 4 })

describe('order', () => {
  test('scenario 1: while A1 waits for its retry, A2 never runs and B flows (I3, I4)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'dead-letter', retry }))
    h.fail('work', { eventId: 'a1', times: 2 })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    for (let minute = 0; minute < 20; minute += 1) {
      await h.append('events', [event('a', `a${minute + 3}`), event('b', `b${minute + 2}`)])
      await h.advance('30s')
      expect(h.order('work', 'b')).toHaveLength(minute + 2)
      expect(h.order('work', 'a')).toEqual([])
      await h.advance('29s')
    }
    await h.advance('1m')
    expect(h.order('work', 'a')).toEqual(Array.from({ length: 22 }, (_, index) => `a${index + 1}`))
    expect(h.attempts('work', 'a1')).toBe(3)
    expect(h.attempts('work', 'a2')).toBe(1)
  })

  test('scenario 1: with blocks: shard everything of the shard waits, and another shard flows (I3, I4)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'shard', retry }, { shards: 2 }))
    const top = { explicitHashKey: String(2n ** 128n - 1n) }
    const bottom = { explicitHashKey: '0' }
    h.fail('work', { eventId: 'a1', times: 1 })
    await h.append('events', [
      { ...event('a', 'a1'), ...bottom },
      { ...event('b', 'b1'), ...bottom },
      { ...event('c', 'c1'), ...top },
    ])
    await h.advance('9m')
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['a1', 'c1'])
    await h.settle()
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['a1', 'c1', 'a1', 'b1'])
  })

  test('scenario 1: a key whose event is dead-lettered goes on with the next one, not before (I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'dead-letter', retry }))
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2')])
    await h.advance('29m')
    expect(h.order('work', 'a')).toEqual([])
    await h.settle()
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['a1', 'a1', 'a1', 'a1', 'a2'])
  })

  test('scenario 3: an exhausted key stays blocked and listed; dropping its event unblocks it (I3, I9)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold', retry }))
    h.fail('work', { key: 'a' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.advance('3h')
    h.heal('work')
    await h.advance('1h')
    expect(h.attempts('work', 'a1')).toBe(4)
    expect(h.attempts('work', 'a2')).toBe(0)
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 1, held: 2 })
    const held = await h.held('work')
    expect(held.map((item) => [item.eventId, item.parked === true]).sort()).toEqual([
      ['a1', true],
      ['a2', false],
    ])
    const dropped = await h.operations.dropFailures({ subscription: 'work', status: 'held' })
    expect(dropped).toMatchObject({ changed: 1 })
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a2'])
    expect(await h.dropped('work')).toMatchObject([{ eventId: 'a1' }])
    expect(await h.operations.showSubscription('work')).toMatchObject({ heldKeys: 0, held: 0 })
  })

  test('scenario 3: retrying an exhausted key’s event unblocks it in its place (I3, I8)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold', retry }))
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2')])
    await h.settle()
    h.heal('work')
    const job = await h.operations.startRedrive({ subscription: 'work', status: 'held' })
    expect(job.total).toBe(1)
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2'])
    expect(h.calls('work').at(-2)).toMatchObject({ eventId: 'a1', path: 'redrive', outOfOrder: false })
  })

  test('scenario 3: with blocks: shard an exhausted event holds its shard until a person decides (I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'shard', exhausted: 'hold', retry }))
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('b', 'b1')])
    await h.advance('3h')
    expect(h.attempts('work', 'b1')).toBe(0)
    expect(await h.held('work')).toMatchObject([{ eventId: 'a1', parked: true }])
    await h.operations.dropFailures({ subscription: 'work', status: 'held' })
    await h.settle()
    expect(h.order('work', 'b')).toEqual(['b1'])
  })

  test('scenario 4: with two handlers for three shards, none of the shards starves (I4)', async () => {
    const h = await openHarness(
      oneSubscription({ blocks: 'key', exhausted: 'hold', retry }, { shards: 3, concurrency: 2 }),
    )
    const third = 2n ** 128n / 3n
    const inShard = (shard: number, index: number) => ({
      ...event(`k${shard}`, `${shard}-${index}`),
      explicitHashKey: String(third * BigInt(shard) + 1n),
    })
    h.delay('work', { by: '100ms' })
    // The first shard has ten times as much, and had it first.
    await h.append(
      'events',
      Array.from({ length: 300 }, (_, index) => inShard(0, index)),
    )
    await h.advance('1s')
    await h.append(
      'events',
      [1, 2].flatMap((shard) => Array.from({ length: 30 }, (_, index) => inShard(shard, index))),
    )
    await h.advance('5s')
    for (const shard of [0, 1, 2]) expect(h.order('work', `k${shard}`).length).toBeGreaterThan(25)
    await h.settle()
    expect(h.order('work', 'k2')).toHaveLength(30)
  })

  const group = [event('1', '1x'), event('1', '1y'), event('2', '2x'), event('2', '2y'), event('3', '3y')]

  test('scenario 12: after a key’s first failure its later events are not done, others are (I3, I4)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold', retry }))
    h.fail('work', { eventId: '1x' })
    h.fail('work', { eventId: '2x' })
    await h.append('events', group)
    await h.advance('1m')
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['1x', '2x', '3y'])
    const unresolved = [...(await h.retrying('work')), ...(await h.held('work'))]
    expect(unresolved.map((item) => item.eventId).sort()).toEqual(['1x', '1y', '2x', '2y'])
  })

  test('scenario 12: with blocks: nothing only the failed ones are not done (I4)', async () => {
    const h = await openHarness(oneSubscription({ retry }))
    h.fail('work', { eventId: '1x' })
    h.fail('work', { eventId: '2x' })
    await h.append('events', group)
    await h.advance('1m')
    expect([...h.order('work', '1'), ...h.order('work', '2'), ...h.order('work', '3')]).toEqual([
      '1y',
      '2y',
      '3y',
    ])
    expect((await h.retrying('work')).map((item) => item.eventId).sort()).toEqual(['1x', '2x'])
  })

  test('scenario 12: with blocks: shard nothing is done from the first failure on (I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'shard', retry }))
    h.fail('work', { eventId: '1x' })
    await h.append('events', group)
    await h.advance('1m')
    expect(h.calls('work').map((call) => call.eventId)).toEqual(['1x'])
  })
})
