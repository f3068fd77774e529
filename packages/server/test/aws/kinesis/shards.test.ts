import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, FULL_RANGE_HALF, KinesisUnderTest } from './support/kinesis-under-test.ts'

let kinesis: KinesisUnderTest
const StreamName = 'orders'

afterEach(async () => kinesis.service.close())

const idsOf = (shards: readonly Answer[]): string[] =>
  shards.map(({ ShardId }) => ShardId.replace('shardId-00000000000', ''))

function expectUniform(shards: readonly Answer[], count: number): void {
  const open = shards.filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined)
  const starts = open.map((shard) => BigInt(shard.HashKeyRange.StartingHashKey))
  starts.sort((a, b) => (a < b ? -1 : 1))
  const width = 2n ** 128n / BigInt(count)
  expect(starts).toEqual(Array.from({ length: count }, (_, i) => width * BigInt(i)))
}

describe('Shards of the Kinesis endpoint', () => {
  it('a split makes the stream UPDATING, and is made at its end; both go on through a crash', async () => {
    kinesis = await KinesisUnderTest.start({ stateMs: 500 })
    await kinesis.create()
    await kinesis.advance(500)
    const split = { StreamName, ShardToSplit: '0', NewStartingHashKey: FULL_RANGE_HALF }
    await kinesis.call('SplitShard', split)
    expect(await kinesis.status()).toBe('UPDATING')
    await kinesis.put('while it is updated')
    expect((await kinesis.refused('SplitShard', split)).code).toBe('ResourceInUseException')
    await kinesis.crash()
    expect(await kinesis.status()).toBe('UPDATING')
    expect(await kinesis.shards()).toHaveLength(1)
    await kinesis.advance(500)
    expect(await kinesis.status()).toBe('ACTIVE')
    const [parent, low, high] = await kinesis.shards()
    expect(parent.SequenceNumberRange.EndingSequenceNumber).toBeDefined()
    for (const child of [low, high]) expect(child.ParentShardId).toBe(parent.ShardId)
    expect(high.HashKeyRange.StartingHashKey).toBe(FULL_RANGE_HALF)
    expect((await kinesis.refused('SplitShard', split)).message).toContain(
      'has already been merged or split, and thus is not eligible for merging or splitting.',
    )
  })

  it('a merge takes two neighbours, whichever comes first, and tells both parents', async () => {
    const changes: string[] = []
    kinesis = await KinesisUnderTest.start({ streamsChanged: async () => void changes.push('changed') })
    await kinesis.create('orders', 3)
    changes.length = 0
    const merge = (ShardToMerge: string, AdjacentShardToMerge: string) => ({
      StreamName,
      ShardToMerge,
      AdjacentShardToMerge,
    })
    const apart = await kinesis.refused('MergeShards', merge('shardId-0', 'shardId-2'))
    expect(apart.message).toContain('are not an adjacent pair of shards eligible for merging')
    await kinesis.call('MergeShards', merge('shardId-000000000001', '0'))
    const child = (await kinesis.shards()).at(-1)
    expect([child.ParentShardId, child.AdjacentParentShardId].sort()).toEqual([
      'shardId-000000000000',
      'shardId-000000000001',
    ])
    expect(changes).toEqual(['changed'])
    const missing = await kinesis.refused('MergeShards', merge('2', '7'))
    expect(missing.code).toBe('ResourceNotFoundException')
  })

  it.each([
    [1, 2],
    [2, 4],
    [4, 3],
    [3, 2],
    [5, 7],
    [6, 3],
  ])('UpdateShardCount from %i to %i makes equal shards', async (from, to) => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', from)
    const answer = await kinesis.call('UpdateShardCount', {
      StreamName,
      TargetShardCount: to,
      ScalingType: 'UNIFORM_SCALING',
    })
    expect(answer).toMatchObject({ StreamName, CurrentShardCount: from, TargetShardCount: to })
    expectUniform(await kinesis.shards(), to)
  })

  it('UpdateShardCount that is interrupted at any step is finished by the next process', async () => {
    for (let calls = 1; calls < 40; calls++) {
      kinesis = await KinesisUnderTest.start({ stateMs: 500 })
      await kinesis.create('orders', 4)
      await kinesis.advance(500)
      await kinesis.call('UpdateShardCount', {
        StreamName,
        TargetShardCount: 3,
        ScalingType: 'UNIFORM_SCALING',
      })
      const before = kinesis.world.callCount
      kinesis.world.crashAtCall(before + calls)
      await kinesis.advance(1_000)
      // Every call was interrupted once.
      if (kinesis.world.callCount < before + calls) return expect(calls).toBeGreaterThan(5)
      await kinesis.crash()
      await kinesis.advance(1_000)
      expect(await kinesis.status()).toBe('ACTIVE')
      expectUniform(await kinesis.shards(), 3)
      await kinesis.service.close()
    }
    throw new Error('the change takes more port calls than this test interrupts')
  })

  it('on-demand streams are not resharded by hand', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.call('CreateStream', { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } })
    const inputs = {
      SplitShard: { StreamName, ShardToSplit: '0', NewStartingHashKey: '5' },
      MergeShards: { StreamName, ShardToMerge: '0', AdjacentShardToMerge: '1' },
      UpdateShardCount: { StreamName, TargetShardCount: 5, ScalingType: 'UNIFORM_SCALING' },
    }
    for (const [operation, input] of Object.entries(inputs))
      expect((await kinesis.refused(operation, input)).code).toBe('ValidationException')
  })

  it('a hash key that does not cut a shard in two is refused', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 2)
    for (const start of ['0', '1', FULL_RANGE_HALF, (2n ** 127n - 1n).toString()]) {
      const split = { StreamName, ShardToSplit: '0', NewStartingHashKey: start }
      expect((await kinesis.refused('SplitShard', split)).message).toContain(
        'is not both greater than one plus',
      )
    }
    await kinesis.call('SplitShard', { StreamName, ShardToSplit: '0', NewStartingHashKey: '2' })
  })

  it('short forms name a shard, anything else does not', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    for (const ShardId of ['shardId-000000000000', 'shardId-0', '0', '00', 'x-0'])
      await kinesis.iterator('LATEST', { ShardId })
    const input = { StreamName, ShardIteratorType: 'LATEST' }
    for (const ShardId of ['shardId-', 'zero', '1', 'shardId-1', '99999999999'])
      expect((await kinesis.refused('GetShardIterator', { ...input, ShardId })).code).toBe(
        'ResourceNotFoundException',
      )
  })

  it('ListShards filters by state, time and id', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const t = () => new Date(kinesis.world.clock.now())
    await kinesis.advance(3_600_000)
    const beforeSplit = t()
    await kinesis.advance(1_000)
    await kinesis.call('SplitShard', { StreamName, ShardToSplit: '0', NewStartingHashKey: FULL_RANGE_HALF })
    await kinesis.advance(1_000)
    const between = t()
    await kinesis.advance(1_000)
    await kinesis.call('MergeShards', { StreamName, ShardToMerge: '1', AdjacentShardToMerge: '2' })
    const listed = async (Type: string, more = {}) =>
      idsOf(await kinesis.shards('orders', { ShardFilter: { Type, ...more } }))
    expect(idsOf(await kinesis.shards())).toEqual(['0', '1', '2', '3'])
    expect(await listed('FROM_TRIM_HORIZON')).toEqual(['0', '1', '2', '3'])
    expect(await listed('AT_TRIM_HORIZON')).toEqual(['0'])
    expect(await listed('AT_LATEST')).toEqual(['3'])
    expect(await listed('AFTER_SHARD_ID', { ShardId: 'shardId-1' })).toEqual(['2', '3'])
    expect(await listed('AT_TIMESTAMP', { Timestamp: beforeSplit })).toEqual(['0'])
    expect(await listed('AT_TIMESTAMP', { Timestamp: between })).toEqual(['1', '2'])
    expect(await listed('FROM_TIMESTAMP', { Timestamp: between })).toEqual(['1', '2', '3'])
    expect(await listed('FROM_TIMESTAMP', { Timestamp: new Date(0) })).toEqual(['0', '1', '2', '3'])
    const badFilters = [
      { Type: 'AFTER_SHARD_ID' },
      { Type: 'AT_TIMESTAMP' },
      { Type: 'AT_LATEST', Timestamp: between },
      { Type: 'AT_LATEST', ShardId: '0' },
      { Type: 'AT_TIMESTAMP', Timestamp: new Date(kinesis.world.clock.now() + 1_000) },
    ]
    for (const ShardFilter of badFilters)
      expect((await kinesis.refused('ListShards', { StreamName, ShardFilter })).code).toBe(
        'InvalidArgumentException',
      )
    await kinesis.advance(24 * 3_600_000 - 1_500)
    expect(await listed('AT_TRIM_HORIZON')).toEqual(['1', '2'])
  })

  it('ListShards goes on with a token, which stands alone and for the filter too', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 5)
    const ShardFilter = { Type: 'AFTER_SHARD_ID', ShardId: '0' }
    const first = await kinesis.call('ListShards', { StreamName, MaxResults: 2, ShardFilter })
    expect(idsOf(first.Shards)).toEqual(['1', '2'])
    const second = await kinesis.call('ListShards', { NextToken: first.NextToken, MaxResults: 1 })
    expect(idsOf(second.Shards)).toEqual(['3'])
    const third = await kinesis.call('ListShards', { NextToken: second.NextToken })
    expect([idsOf(third.Shards), third.NextToken]).toEqual([['4'], undefined])
    const { NextToken } = first
    for (const input of [{ NextToken, StreamName }, { NextToken: 'garbage' }, {}])
      expect((await kinesis.refused('ListShards', input)).code).toBe('InvalidArgumentException')
    await kinesis.call('DeleteStream', { StreamName })
    await kinesis.create('orders', 5)
    expect((await kinesis.refused('ListShards', { NextToken })).code).toBe('ResourceNotFoundException')
  })

  it('a stream has 1,000 open shards at most, also without the limits of the service', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1_000)
    const split = { StreamName, ShardToSplit: '0', NewStartingHashKey: '5' }
    const scale = { StreamName, TargetShardCount: 1_001, ScalingType: 'UNIFORM_SCALING' }
    expect((await kinesis.refused('SplitShard', split)).code).toBe('LimitExceededException')
    expect((await kinesis.refused('UpdateShardCount', scale)).code).toBe('LimitExceededException')
    const more = await kinesis.refused('CreateStream', { StreamName: 'other', ShardCount: 1_001 })
    expect(more.message).toContain('Limit: 1000.')
    await kinesis.create('other', 1_000)
  })

  it('DescribeStream gives shards in pages of at most 100', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 101)
    const page = async (more = {}) =>
      (await kinesis.call('DescribeStream', { StreamName, ...more })).StreamDescription
    const first = await page({ Limit: 10_000 })
    expect([first.Shards.length, first.HasMoreShards]).toEqual([100, true])
    const ExclusiveStartShardId = first.Shards.at(-1).ShardId
    const second = await page({ ExclusiveStartShardId })
    expect([second.Shards.length, second.HasMoreShards]).toEqual([1, false])
  })
})
