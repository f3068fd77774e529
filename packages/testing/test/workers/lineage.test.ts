import { expect, test } from 'vitest'
import { KEYS, Workers } from '../support/workers.ts'

test('children of a split are read once their parent is done, by whichever worker (I3)', async () => {
  const workers = new Workers({ shards: 2, handleMs: 50, concurrency: 2 })
  await workers.start('a')
  await workers.start('b')
  await workers.advance(10_000)
  for (let round = 0; round < 3; round += 1) await workers.append(KEYS)
  const { operations } = workers.get('a').runtime
  for (const { shardId } of (await workers.until(operations.showStream('events'))).shards)
    await workers.until(operations.splitShard('events', shardId))
  for (let round = 0; round < 3; round += 1) await workers.append(KEYS, 'b')
  await workers.advance(30_000)
  expect(workers.outOfOrder()).toEqual([])
  expect(workers.handled).toHaveLength(6 * KEYS.length)
  // The parents need nobody any more; the children are shared out.
  expect([...workers.owners().values()]).toEqual([2, 2])
})

test('a child is read for one subscription while its parent is not done with for another', async () => {
  const workers = new Workers({ shards: 1, subscriptions: ['late'] })
  await workers.start('a')
  await workers.start('b')
  await workers.append(KEYS)
  await workers.until(workers.get('a').runtime.operations.pauseSubscription('late', {}))
  await workers.advance(10_000)
  await workers.append(KEYS)
  const { operations } = workers.get('b').runtime
  const [shard] = (await workers.until(operations.showStream('events'))).shards
  await workers.until(operations.splitShard('events', shard?.shardId as string))
  await workers.append(KEYS, 'b')
  await workers.advance(5_000)
  expect(workers.handled).toHaveLength(3 * KEYS.length)
  const states = async (): Promise<string[]> => {
    const found: string[] = []
    for (const name of ['a', 'b']) {
      const status = await workers.until(workers.get(name).runtime.operations.showSubscription('late'))
      found.push(...status.shards.filter(({ owner }) => owner === name).map(({ state }) => state))
    }
    return found.sort()
  }
  expect(await states()).toEqual(['paused', 'waiting', 'waiting'])
  await workers.until(operations.resumeSubscription('late', {}))
  await workers.advance(10_000)
  expect(await states()).toEqual(['reading', 'reading'])
})

test('shards that wait for their parents are looked after together, however many they are', async () => {
  const workers = new Workers({ shards: 1, subscriptions: ['late'] })
  await workers.start('a')
  await workers.append(KEYS)
  const { operations } = workers.get('a').runtime
  await workers.until(operations.pauseSubscription('late', {}))
  for (let round = 0; round < 3; round += 1) {
    const { shards } = await workers.until(operations.showStream('events'))
    for (const { shardId, open } of shards)
      if (open) await workers.until(operations.splitShard('events', shardId))
    await workers.advance(2_000)
  }
  let lists = 0
  workers.world.onCall = ({ op }) => {
    if (op === 'log.listShards') lists += 1
  }
  await workers.advance(20_000)
  // Eight shards wait for the one parent of a subscription that is paused: about a look a second, not eight.
  expect(lists).toBeGreaterThan(10)
  expect(lists).toBeLessThan(30)
  await workers.until(operations.resumeSubscription('late', {}))
  await workers.advance(5_000)
  const { shards } = await workers.until(operations.showSubscription('late'))
  expect(shards.filter(({ state }) => state === 'reading')).toHaveLength(8)
})
