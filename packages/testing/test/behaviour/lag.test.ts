import {
  type AppDefinition,
  defineApp,
  type FailureOptions,
  type SubscriptionStatus,
  subscribe,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { type Harness, quietFaults } from '../../src/index.ts'
import { event, eventStream, events, openHarness } from '../support/one-subscription.ts'

const RETENTION_MS = 3_600_000 * 2

describe('how far a subscription is behind (I9)', () => {
  test('a paused one, also after a restart, shows what waits and is told before it expires', async () => {
    const h = await openHarness(app())
    await h.append('events', event('a', 'a1'))
    await h.settle()
    await h.operations.pauseSubscription('work')
    await h.append('events', [event('a', 'a2'), event('a', 'a3')])
    await h.advance('10m')
    expect(await statusOf(h)).toMatchObject({ lagRecords: 2, lagMs: minutes(10) })
    await h.restart()
    await h.advance('10m')
    expect((await statusOf(h)).lagMs).toBeGreaterThanOrEqual(minutes(20))
    expect(h.notices).toEqual([])
    await h.advance('80m')
    expect(h.notices.map((notice) => notice.kind)).toEqual(['retention-near'])
    expect(h.notices[0]).toMatchObject({ retentionMs: RETENTION_MS, subscription: 'work' })
    await h.operations.resumeSubscription('work')
    await h.settle()
    expect(await statusOf(h)).toMatchObject({ lagRecords: 0, lagMs: 0 })
    expect(h.order('work', 'a')).toEqual(['a1', 'a2', 'a3'])
  })

  test('children that wait for their parent count with what they hold', async () => {
    const h = await openHarness(app({ blocks: 'shard', exhausted: 'hold' }))
    h.fail('work')
    await h.append('events', event('k0', 'poison'))
    await h.advance('1m')
    const [parent] = (await h.operations.showStream('events')).shards
    await h.operations.splitShard('events', parent?.shardId ?? '')
    await h.append('events', events(20, 10))
    await h.advance('10m')
    const { shards } = await statusOf(h)
    const waiting = shards.filter((shard) => shard.state === 'waiting')
    expect(waiting).toHaveLength(2)
    expect(waiting.reduce((sum, shard) => sum + (shard.lagRecords ?? 0), 0)).toBe(20)
    for (const shard of waiting) expect(shard.lagMs).toBe(minutes(10))
    await h.advance('90m')
    const told = h.notices.filter((notice) => notice.kind === 'retention-near')
    expect(told).toHaveLength(3)
  })

  test('however often somebody asks, a shard is looked at once a second', async () => {
    const h = await openHarness(app())
    await h.operations.pauseSubscription('work')
    await h.restart()
    await h.advance('65s')
    const before = readsOf(h)
    for (let asked = 0; asked < 20; asked += 1) await statusOf(h)
    expect(readsOf(h) - before).toBe(1)
  })

  test('a log that does not answer keeps no status back', async () => {
    const h = await openHarness(app())
    await h.operations.pauseSubscription('work')
    await h.restart()
    await h.append('events', event('a', 'a1'))
    await h.advance('65s')
    h.world.faults = { ...h.world.faults, readRejected: 1 }
    expect(await statusOf(h)).toMatchObject({ paused: true, lagMs: 0 })
    h.world.faults = quietFaults
    await h.advance('1s')
    expect(await statusOf(h)).toMatchObject({ paused: true, lagMs: 66_000 })
  })
})

function app(failure: FailureOptions = {}): AppDefinition {
  return defineApp({
    subscriptions: [subscribe('work', eventStream(1, RETENTION_MS), { failure, handle: () => {} })],
  })
}

function minutes(count: number): number {
  return count * 60_000
}

async function statusOf(h: Harness): Promise<SubscriptionStatus> {
  return await h.operations.showSubscription('work')
}

function readsOf(h: Harness): number {
  return h.world.trace.calls().filter((call) => call.op === 'log.read').length
}
