import { describe, expect, test } from 'vitest'
import { KEYS, Workers } from '../support/workers.ts'

const LEASE_MS = 10_000

function spread(workers: Workers): number[] {
  return [...workers.owners().values()].sort()
}

describe('workers share the shards of a stream by leases', () => {
  test('one has all of them, a second gets half, a third its share, within three renewals', async () => {
    const workers = new Workers({ shards: 8 })
    await workers.start('a')
    expect(spread(workers)).toEqual([8])
    await workers.start('b')
    await workers.advance(LEASE_MS)
    expect(spread(workers)).toEqual([4, 4])
    await workers.start('c')
    await workers.advance(LEASE_MS)
    expect(spread(workers)).toEqual([2, 3, 3])
    await workers.append(KEYS)
    await workers.advance(1_000)
    expect(new Set(workers.handled.map(({ worker }) => worker)).size).toBe(3)
    expect(workers.handled).toHaveLength(KEYS.length)
  })

  test('what a killed worker had is read again within the lease and two seconds, in order (I2, I3)', async () => {
    const workers = new Workers({ shards: 8, handleMs: 40, concurrency: 4 })
    await workers.start('a')
    await workers.start('b')
    await workers.advance(LEASE_MS)
    for (let round = 0; round < 5; round += 1) await workers.append(KEYS)
    workers.kill('b')
    const killedAtMs = workers.world.clock.monotonicMs()
    await workers.append(KEYS)
    await workers.advance(LEASE_MS + 2_000)
    expect(spread(workers)).toEqual([8])
    const shards = new Set(
      workers.handled
        .filter(({ atMs, worker }) => worker === 'a' && atMs > killedAtMs)
        .map((one) => one.shardId),
    )
    await workers.advance(20_000)
    expect(shards).toEqual(new Set(workers.handled.map(({ shardId }) => shardId)))
    expect(workers.outOfOrder()).toEqual([])
    expect(new Set(workers.handled.map(({ id }) => id)).size).toBe(6 * KEYS.length)
  })

  test('a worker that stops hands over at once: nothing is handled twice', async () => {
    const workers = new Workers({ shards: 8, handleMs: 20, concurrency: 4 })
    await workers.start('a')
    await workers.start('b')
    await workers.advance(LEASE_MS)
    for (let round = 0; round < 5; round += 1) await workers.append(KEYS)
    await workers.stop('b')
    await workers.advance(2_000)
    expect(spread(workers)).toEqual([8])
    await workers.append(KEYS)
    await workers.advance(20_000)
    expect(workers.outOfOrder()).toEqual([])
    expect(workers.handled).toHaveLength(6 * KEYS.length)
    expect(new Set(workers.handled.map(({ id }) => id)).size).toBe(6 * KEYS.length)
  })

  test('one that joins gets its share once what runs there is done and saved: nothing is handled twice', async () => {
    const workers = new Workers({ shards: 8, handleMs: 1_500, concurrency: 8 })
    await workers.start('a')
    for (let round = 0; round < 5; round += 1) await workers.append(KEYS)
    await workers.advance(3_000)
    await workers.start('b')
    await workers.advance(LEASE_MS)
    expect(spread(workers)).toEqual([4, 4])
    await workers.advance(60_000)
    expect(workers.outOfOrder()).toEqual([])
    expect(workers.handled).toHaveLength(5 * KEYS.length)
    expect(new Set(workers.handled.map(({ id }) => id)).size).toBe(5 * KEYS.length)
  })

  test('one that stood still beyond its lease begins nothing more of what another has by now (I3)', async () => {
    const workers = new Workers({ shards: 4, handleMs: 20, concurrency: 2 })
    await workers.start('a')
    await workers.start('b')
    await workers.advance(LEASE_MS)
    for (let round = 0; round < 5; round += 1) await workers.append(KEYS, 'a')
    workers.world.stall(workers.get('b').engine, 30_000)
    await workers.append(KEYS, 'a')
    await workers.advance(29_000)
    expect(spread(workers)).toEqual([4])
    await workers.advance(30_000)
    expect(spread(workers)).toEqual([2, 2])
    await workers.append(KEYS, 'a')
    await workers.advance(5_000)
    // One handler a slot was running when it stood still; nothing else came late.
    expect(workers.outOfOrder().length).toBeLessThanOrEqual(2)
    expect(new Set(workers.handled.map(({ id }) => id)).size).toBe(7 * KEYS.length)
  })
})
