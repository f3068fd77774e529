import { setTimeout as sleep } from 'node:timers/promises'
import { MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisLog } from '../../src/kinesis/index.ts'
import { shardInfos } from '../../src/kinesis/shard-infos.ts'
import { clientOf, type Kinesalite, startKinesalite, startService } from '../support/kinesalite.ts'

describe('kinesalite as the service', () => {
  let service: Kinesalite
  beforeEach(async () => {
    service = await startKinesalite()
  })
  afterEach(() => service.close())

  it('lists shards with their ranges, and a depth that grows with a split and a merge, parents first', async () => {
    await service.createStream('s', 2)
    const client = clientOf(service.endpoint)
    const log = new KinesisLog({ client })
    const before = await log.listShards('s')
    expect(before.map(({ depth, parentShardIds }) => [depth, parentShardIds])).toEqual([
      [0, []],
      [1, []],
    ])
    expect(before[0]?.startingHashKey).toBe('0')
    expect(before[1]?.endingHashKey).toBe(String((1n << 128n) - 1n))
    const first = before[0]?.shardId as string
    await client.send(
      new SplitShardCommand({ StreamName: 's', ShardToSplit: first, NewStartingHashKey: '1000' }),
    )
    const split = await until(async () => {
      const shards = await log.listShards('s')
      return shards.length === 4 ? shards : undefined
    })
    const [left, right] = split.filter(({ parentShardIds }) => parentShardIds.length > 0)
    expect([left?.parentShardIds, right?.parentShardIds]).toEqual([[first], [first]])
    expect(split.find(({ shardId }) => shardId === first)?.endingSequenceNumber).toMatch(/^\d+$/)
    await until(async () => {
      const merge = new MergeShardsCommand({
        StreamName: 's',
        ShardToMerge: left?.shardId as string,
        AdjacentShardToMerge: right?.shardId as string,
      })
      // In use until the split has ended.
      return await client.send(merge).catch(() => undefined)
    })
    const merged = await until(async () => {
      const shards = await log.listShards('s')
      return shards.length === 5 ? shards : undefined
    })
    expect(merged.at(-1)).toMatchObject({
      depth: 4,
      parentShardIds: [left?.shardId, right?.shardId],
      startingHashKey: '0',
    })
    client.destroy()
  })

  it('stores records where their hash belongs, and orders those of PutRecord', async () => {
    await service.createStream('s', 2)
    const log = new KinesisLog({ client: clientOf(service.endpoint) })
    const data = Buffer.from('{}')
    const [low, high] = await log.append('s', [
      { partitionKey: 'a', data, explicitHashKey: '0' },
      { partitionKey: 'a', data, explicitHashKey: String((1n << 128n) - 1n) },
    ])
    expect([low, high]).toMatchObject([
      { ok: true, shardId: 'shardId-000000000000' },
      { ok: true, shardId: 'shardId-000000000001' },
    ])
    const orderedAfter = low?.ok === true ? low.sequenceNumber : ''
    const [next] = await log.append('s', [{ partitionKey: 'a', data, explicitHashKey: '0', orderedAfter }])
    expect(next?.ok === true && BigInt(next.sequenceNumber) > BigInt(orderedAfter)).toBe(true)
  })
})

describe('a list of shards in pages', () => {
  it('is put together, each page asked for by its token alone', async () => {
    const service = await startService(({ operation, input }) => {
      if (operation === 'DescribeStreamSummary')
        return { status: 400, body: { __type: 'UnknownOperationException' } }
      const page = Number(input.NextToken ?? 0)
      const range = { StartingHashKey: String(page), EndingHashKey: String(page) }
      const shard = {
        ShardId: `shardId-${page}`,
        HashKeyRange: range,
        SequenceNumberRange: { StartingSequenceNumber: '1' },
      }
      return { status: 200, body: { Shards: [shard], ...(page < 2 && { NextToken: String(page + 1) }) } }
    })
    const shards = await new KinesisLog({ client: clientOf(service.endpoint) }).listShards('s')
    expect(shards.map(({ shardId }) => shardId)).toEqual(['shardId-0', 'shardId-1', 'shardId-2'])
    const asked = service.requests.filter(({ operation }) => operation === 'ListShards')
    expect(asked.map(({ input }) => input.StreamName)).toEqual(['s', undefined, undefined])
    await service.close()
  })

  it('may lack parents whose records have expired, and be thousands of generations long', () => {
    const line = Array.from({ length: 20_000 }, (_, n) => ({
      ShardId: `s${n}`,
      ParentShardId: `s${n - 1}`,
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: '1' },
      SequenceNumberRange: { StartingSequenceNumber: '1' },
    })).reverse()
    const infos = shardInfos(line)
    expect(infos.map(({ depth }) => depth)).toEqual(Array.from({ length: 20_000 }, (_, n) => n + 1))
  })

  it('a shard keeps its depth once its parents are no longer listed, which stored positions rest on (I3)', () => {
    const shard = (number: number, parents: readonly number[]) => ({
      ShardId: `shardId-${String(number).padStart(12, '0')}`,
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: '1' },
      SequenceNumberRange: { StartingSequenceNumber: '1' },
      ...(parents[0] !== undefined && { ParentShardId: `shardId-${String(parents[0]).padStart(12, '0')}` }),
      ...(parents[1] !== undefined && {
        AdjacentParentShardId: `shardId-${String(parents[1]).padStart(12, '0')}`,
      }),
    })
    const all = [shard(11, [7, 3]), shard(3, []), shard(7, [2]), shard(2, []), shard(12_345, [11])]
    const depths = (shards: typeof all) =>
      Object.fromEntries(shardInfos(shards).map(({ shardId, depth }) => [Number(shardId.slice(8)), depth]))
    expect(depths(all)).toEqual({ 2: 2, 3: 3, 7: 7, 11: 11, 12345: 12_345 })
    expect(depths(all.filter(({ ShardId }) => /0(11|12345)$/.test(ShardId)))).toEqual({
      11: 11,
      12345: 12_345,
    })
    expect(shardInfos(all).map(({ shardId }) => Number(shardId.slice(8)))).toEqual([2, 3, 7, 11, 12_345])
  })
})

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(5)
  }
  throw new Error('it does not come')
}
