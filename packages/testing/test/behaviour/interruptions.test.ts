import { fixed, list } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { event, events, oneSubscription, openHarness } from '../support/one-subscription.ts'

const ids = (key: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${key}-${n}`)

describe('what comes in between', () => {
  test.each(['key', 'shard'] as const)(
    'a split and a merge while events wait keep the order (%s, I3)',
    async (blocks) => {
      const h = await openHarness(
        oneSubscription({ blocks, exhausted: 'hold', retry: fixed({ delayMs: 60_000, maxAttempts: 5 }) }),
      )
      const all = events(60, 4)
      h.fail('work', { eventId: 'k1-0', attempts: 2 })
      await h.append('events', all.slice(0, 20))
      await h.advance('10s')
      const split = await h.operations.splitShard('events', 'shardId-000000000000')
      await h.append('events', all.slice(20, 40))
      await h.advance('10s')
      const [first, second] = split.shards.filter((shard) => shard.open)
      await h.operations.mergeShards('events', first?.shardId as string, second?.shardId)
      await h.append('events', all.slice(40))
      await h.settle()
      for (const key of ['k0', 'k1', 'k2', 'k3']) expect(h.order('work', key)).toEqual(ids(key, 15))
    },
  )

  test.each(['key', 'shard'] as const)(
    'stops and crashes under load lose nothing and keep the order (%s, I2, I3)',
    async (blocks) => {
      const h = await openHarness(
        oneSubscription(
          { blocks, exhausted: 'hold', retry: fixed({ delayMs: 500, maxAttempts: 100 }) },
          { shards: 2, concurrency: 5 },
        ),
      )
      h.delay('work', { by: '20ms' })
      h.fail('work', { key: 'k1', attempts: 1 })
      h.fail('work', { key: 'k3', attempts: 2, when: 'after' })
      await h.append('events', events(300, 10))
      for (let life = 0; life < 10; life += 1) {
        await h.advance(137)
        if (life % 2 === 0) await h.crash()
        else await h.restart({ timeoutMs: life % 4 === 1 ? 5 : 25_000 })
      }
      await h.settle()
      for (let n = 0; n < 10; n += 1) {
        // What ran when the process died runs again, in its place.
        expect([...new Set(h.order('work', `k${n}`))]).toEqual(ids(`k${n}`, 30))
      }
    },
  )

  test('a seek back while a key is held runs the key’s old events first (I3)', async () => {
    const h = await openHarness(oneSubscription({ blocks: 'key', exhausted: 'hold', retry: list([1_000]) }))
    h.fail('work', { eventId: 'a1' })
    await h.append('events', [event('a', 'a1'), event('a', 'a2'), event('b', 'b1')])
    await h.settle()
    await h.operations.seekSubscription('work', { at: 'trim_horizon' })
    await h.settle()
    expect(h.order('work', 'b')).toEqual(['b1', 'b1'])
    expect(h.order('work', 'a')).toEqual([])
    h.heal('work')
    await h.operations.startRedrive({ subscription: 'work', status: 'held' })
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1', 'a2', 'a1', 'a2'])
  })

  test('what was handled beside a slow event is not handled again after a crash (I2)', async () => {
    const h = await openHarness(oneSubscription({}, { concurrency: 5, timeoutMs: 600_000 }))
    h.delay('work', { eventId: 'k0-0', by: '5m' })
    await h.append('events', events(4, 4))
    // The checkpoint stands before the slow one, and knows of the others.
    await h.advance('10s')
    await h.crash()
    h.heal('work')
    await h.settle()
    expect(['k0-0', 'k1-0', 'k2-0', 'k3-0'].map((id) => h.attempts('work', id))).toEqual([2, 1, 1, 1])
  })
})
