import { compareSequence, type Engine, type ShardInfo } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode, expectWoken, LONG_WAIT_MS } from '../support/contract-test.ts'
import type { ContractOptions } from '../support/fixture.ts'
import {
  entry,
  expectTiles,
  HASH_KEY_SPACE,
  onlyShard,
  openShards,
  readFirst,
  readOn,
  request,
  spec,
  store,
  textOf,
} from '../support/log-samples.ts'

const HALF = (HASH_KEY_SPACE / 2n).toString()

export function splitTests(test: ContractTest): void {
  test('a split closes the shard and opens two children over its range, above it', async ({
    engine,
    options,
  }) => {
    const { parent, numbers } = await oneShardWithRecords(engine)
    const children = await engine.log.split('orders', parent.shardId, HALF)
    expect(children).toHaveLength(2)
    const [low, high] = children as [ShardInfo, ShardInfo]
    expect([low.startingHashKey, BigInt(low.endingHashKey)]).toEqual(['0', HASH_KEY_SPACE / 2n - 1n])
    expect([high.startingHashKey, BigInt(high.endingHashKey)]).toEqual([HALF, HASH_KEY_SPACE - 1n])
    const closed = (await engine.log.listShards('orders')).find((s) => s.shardId === parent.shardId)
    const end = closed?.endingSequenceNumber ?? ''
    for (const number of numbers) expect(compareSequence(number, end)).toBeLessThanOrEqual(0)
    for (const child of children) {
      expect(child.parentShardIds).toEqual([parent.shardId])
      expectDepth(child, 1, [parent], options)
      expect(child.shardId).not.toBe(parent.shardId)
      expect(child.endingSequenceNumber).toBeUndefined()
      expect(compareSequence(child.startingSequenceNumber, end)).toBeGreaterThan(0)
    }
    expectTiles(await openShards(engine.log, 'orders'))
  })

  test('a closed shard says when it was closed, where the engine knows', async ({ engine }) => {
    const { parent } = await oneShardWithRecords(engine)
    expect(parent.closedAtMs).toBeUndefined()
    const beforeMs = engine.clock.now()
    await engine.log.split('orders', parent.shardId, HALF)
    const shards = await engine.log.listShards('orders')
    for (const { closedAtMs, endingSequenceNumber } of shards) {
      if (closedAtMs === undefined) continue
      expect(endingSequenceNumber).toBeDefined()
      expect(closedAtMs).toBeGreaterThanOrEqual(beforeMs)
      expect(closedAtMs).toBeLessThanOrEqual(engine.clock.now())
    }
  })

  test('the next sequence number is above all stored ones, and the next record gets it', async ({
    engine,
  }) => {
    const { log } = engine
    const { parent, numbers } = await oneShardWithRecords(engine)
    if (log.nextSequenceNumber === undefined) return
    const next = await log.nextSequenceNumber('orders', parent.shardId)
    for (const number of numbers) expect(compareSequence(number, next)).toBeLessThan(0)
    const [stored] = await store(log, 'orders', [entry('k', 'next')])
    expect(stored?.sequenceNumber).toBe(next)
  })

  test('after a split, records go to the children, above every number of the parent', async ({ engine }) => {
    const { parent, numbers } = await oneShardWithRecords(engine)
    const children = await engine.log.split('orders', parent.shardId, HALF)
    const stored = await store(engine.log, 'orders', [
      entry('k', 'low', { explicitHashKey: '0' }),
      entry('k', 'high', { explicitHashKey: HALF }),
    ])
    expect(stored.map((one) => one.shardId)).toEqual(children.map((child) => child.shardId))
    for (const { sequenceNumber } of stored) {
      for (const number of numbers) expect(compareSequence(number, sequenceNumber)).toBeLessThan(0)
    }
  })

  test('a closed shard is read to its end, then has no next position', async ({ engine }) => {
    const { parent } = await oneShardWithRecords(engine)
    await engine.log.split('orders', parent.shardId, HALF)
    const { records, last } = await readToEnd(engine, parent.shardId)
    expect(records).toHaveLength(3)
    expect(last.next).toBeUndefined()
    expect(last.millisBehindLatest).toBe(0)
    const latest = await engine.log.read(request('orders', parent.shardId, { from: { at: 'latest' } }))
    expect([latest.records, latest.next]).toEqual([[], undefined])
  })

  test('a waiting read learns that its shard was closed', async ({ engine }) => {
    const { parent } = await oneShardWithRecords(engine)
    const { last } = await readOn(engine.log, request('orders', parent.shardId))
    if (last.next === undefined) throw new Error('expected a position to go on from')
    const waiting = request('orders', parent.shardId, { from: last.next, waitMs: LONG_WAIT_MS })
    const result = await expectWoken(engine.clock, async () => {
      const reading = readFirst(engine.log, waiting)
      await engine.log.split('orders', parent.shardId, HALF)
      return reading
    })
    expect([result.records, result.next]).toEqual([[], undefined])
  })

  test('a split outside of the range, of a closed or unknown shard is refused', async ({ engine }) => {
    const { parent } = await oneShardWithRecords(engine)
    for (const hashKey of ['0', HASH_KEY_SPACE.toString(), '-1', 'middle']) {
      await expectCode(engine.log.split('orders', parent.shardId, hashKey), 'EDDY_INVALID_OPTION')
    }
    await expectCode(engine.log.split('orders', 'shardId-000000000009', HALF), 'EDDY_SHARD_NOT_FOUND')
    await engine.log.split('orders', parent.shardId, HALF)
    await expectCode(engine.log.split('orders', parent.shardId, HALF), 'EDDY_SHARD_STATE')
    expect(await openShards(engine.log, 'orders')).toHaveLength(2)
  })

  test('appends during a split are stored once each, in the parent or a child', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    const appends = Array.from({ length: 40 }, (_, i) =>
      store(engine.log, 'orders', [entry(`k${i}`, `${i}`)]),
    )
    await Promise.all([...appends, engine.log.split('orders', shardId, HALF)])
    const texts: string[] = []
    for (const shard of await engine.log.listShards('orders')) {
      texts.push(...(await readOn(engine.log, request('orders', shard.shardId))).records.map(textOf))
    }
    expect(texts.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })
}

export function mergeTests(test: ContractTest): void {
  test('a merge closes two adjacent shards and opens one child over both ranges', async ({
    engine,
    options,
  }) => {
    await engine.log.createStream(spec('orders', { shardCount: 3 }))
    const [a, b] = await openShards(engine.log, 'orders')
    if (a === undefined || b === undefined) throw new Error('expected three shards')
    const stored = await store(engine.log, 'orders', [
      entry('k', 'a1', { explicitHashKey: a.startingHashKey }),
      entry('k', 'a2', { explicitHashKey: a.startingHashKey }),
      entry('k', 'a3', { explicitHashKey: a.startingHashKey }),
      entry('k', 'b1', { explicitHashKey: b.startingHashKey }),
    ])
    const child = await engine.log.merge('orders', b.shardId, a.shardId)
    expect([...child.parentShardIds].sort()).toEqual([a.shardId, b.shardId])
    expect(child).toMatchObject({
      startingHashKey: a.startingHashKey,
      endingHashKey: b.endingHashKey,
    })
    expectDepth(child, 1, [a, b], options)
    for (const { sequenceNumber } of stored) {
      expect(compareSequence(sequenceNumber, child.startingSequenceNumber)).toBeLessThan(0)
    }
    expectTiles(await openShards(engine.log, 'orders'))
    for (const [parent, count] of [
      [a, 3],
      [b, 1],
    ] as const) {
      const end = await readToEnd(engine, parent.shardId)
      expect([end.records.length, end.last.next]).toEqual([count, undefined])
    }
  })

  test('a merge of shards that are not adjacent, not two, closed or unknown is refused', async ({
    engine,
  }) => {
    await engine.log.createStream(spec('orders', { shardCount: 3 }))
    const [a, b, c] = (await openShards(engine.log, 'orders')).map((shard) => shard.shardId) as [
      string,
      string,
      string,
    ]
    await expectCode(engine.log.merge('orders', a, c), 'EDDY_SHARD_STATE')
    await expectCode(engine.log.merge('orders', a, a), 'EDDY_SHARD_STATE')
    await expectCode(engine.log.merge('orders', a, 'shardId-000000000009'), 'EDDY_SHARD_NOT_FOUND')
    await engine.log.merge('orders', a, b)
    await expectCode(engine.log.merge('orders', a, b), 'EDDY_SHARD_STATE')
  })

  test('depth counts generations: 1 + the deepest parent; ids are never used again', async ({
    engine,
    options,
  }) => {
    await engine.log.createStream(spec('orders', { shardCount: 2 }))
    const [a, b] = (await openShards(engine.log, 'orders')) as [ShardInfo, ShardInfo]
    await store(engine.log, 'orders', [
      entry('k', 'a', { explicitHashKey: a.startingHashKey }),
      entry('k', 'b', { explicitHashKey: b.startingHashKey }),
    ])
    const middle = (BigInt(a.endingHashKey) / 2n).toString()
    const [a1, a2] = (await engine.log.split('orders', a.shardId, middle)) as [ShardInfo, ShardInfo]
    await store(engine.log, 'orders', [entry('k', 'a2', { explicitHashKey: a2.startingHashKey })])
    const merged = await engine.log.merge('orders', a2.shardId, b.shardId)
    expectDepth(a1, 1, [a], options)
    expectDepth(a2, 1, [a], options)
    expectDepth(merged, 2, [a2, b], options)
    const ids = [a, b, a1, a2, merged].map((shard) => shard.shardId)
    expect(new Set(ids).size).toBe(5)
    expectTiles(await openShards(engine.log, 'orders'))
    expectParentsFirst(await engine.log.listShards('orders'), [a, b, a2, merged])
  })

  test(
    'lineage survives a restart',
    async (subject) => {
      const { parent } = await oneShardWithRecords(subject.engine)
      const [, high] = await subject.engine.log.split('orders', parent.shardId, HALF)
      await store(subject.engine.log, 'orders', [entry('k', 'high', { explicitHashKey: HALF })])
      const before = await subject.engine.log.listShards('orders')
      const engine = await subject.reopen()
      expect(await engine.log.listShards('orders')).toEqual(before)
      const [more] = await store(engine.log, 'orders', [entry('k', 'more', { explicitHashKey: HALF })])
      expect(more?.shardId).toBe(high?.shardId)
      const end = await readToEnd(engine, parent.shardId)
      expect([end.records.length, end.last.next]).toEqual([3, undefined])
    },
    { needs: 'reopen' },
  )
}

function expectDepth(
  shard: ShardInfo,
  generations: number,
  parents: readonly ShardInfo[],
  { log }: ContractOptions,
): void {
  if (log?.hasOwnDepths !== true) expect(shard.depth).toBe(generations)
  for (const parent of parents) expect(shard.depth).toBeGreaterThan(parent.depth)
}

async function oneShardWithRecords(
  engine: Engine,
): Promise<{ readonly parent: ShardInfo; readonly numbers: readonly string[] }> {
  await engine.log.createStream(spec('orders'))
  const parent = await onlyShard(engine.log, 'orders')
  const stored = await store(engine.log, 'orders', [entry('a', '0'), entry('b', '1'), entry('c', '2')])
  return { parent, numbers: stored.map((one) => one.sequenceNumber) }
}

/** The last records of a closed shard may come with or without the news that it has ended. */
async function readToEnd(engine: Engine, shardId: string): ReturnType<typeof readOn> {
  return readOn(engine.log, request('orders', shardId))
}

function expectParentsFirst(listed: readonly ShardInfo[], holding: readonly ShardInfo[]): void {
  const ids = listed.map((shard) => shard.shardId)
  for (const { shardId } of holding) expect(ids).toContain(shardId)
  for (const [at, shard] of listed.entries()) {
    for (const parent of shard.parentShardIds) expect(ids.indexOf(parent)).toBeLessThan(at)
  }
}
