import { afterEach, describe, expect, it } from 'vitest'
import { ACCOUNT, KinesisUnderTest, REGION } from './support/kinesis-under-test.ts'

const ARN = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/orders`
let kinesis: KinesisUnderTest

afterEach(async () => kinesis.service.close())

describe('Streams of the Kinesis endpoint', () => {
  it('a stream is CREATING, then ACTIVE; nothing is written to it and it has no shards before', async () => {
    kinesis = await KinesisUnderTest.start({ stateMs: 500 })
    await kinesis.create('orders', 2)
    const { StreamDescription } = await kinesis.call('DescribeStream', { StreamName: 'orders' })
    expect(StreamDescription).toMatchObject({
      StreamARN: ARN,
      StreamStatus: 'CREATING',
      Shards: [],
      RetentionPeriodHours: 24,
      EncryptionType: 'NONE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    })
    const put = { StreamName: 'orders', Data: Buffer.from('x'), PartitionKey: 'k' }
    expect((await kinesis.refused('PutRecord', put)).code).toBe('ResourceNotFoundException')
    expect((await kinesis.refused('ListShards', { StreamName: 'orders' })).message).toBe(
      `Stream orders under account ${ACCOUNT} not ACTIVE, instead in state CREATING`,
    )
    await kinesis.advance(500)
    expect(await kinesis.status()).toBe('ACTIVE')
    expect(await kinesis.shards()).toHaveLength(2)
    await kinesis.call('PutRecord', put)
  })

  it('a state goes on where it was when the process dies, and ends in its time', async () => {
    kinesis = await KinesisUnderTest.start({ stateMs: 500 })
    await kinesis.create()
    await kinesis.advance(500)
    await kinesis.call('DeleteStream', { StreamName: 'orders' })
    expect(await kinesis.status()).toBe('DELETING')
    await kinesis.crash()
    expect(await kinesis.status()).toBe('DELETING')
    await kinesis.advance(500)
    expect((await kinesis.refused('DescribeStream', { StreamName: 'orders' })).message).toBe(
      `Stream orders under account ${ACCOUNT} not found.`,
    )
  })

  it('a change whose time came while nothing ran is made at the next start', async () => {
    kinesis = await KinesisUnderTest.start({ stateMs: 500 })
    await kinesis.create()
    await kinesis.advance(500)
    await kinesis.call('DeleteStream', { StreamName: 'orders' })
    kinesis.world.crash()
    await kinesis.advance(60_000)
    await kinesis.crash()
    await kinesis.advance(0)
    expect((await kinesis.call('ListStreams')).StreamNames).toEqual([])
  })

  it('states can be instant', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 3)
    expect(await kinesis.status()).toBe('ACTIVE')
    await kinesis.call('UpdateShardCount', {
      StreamName: 'orders',
      TargetShardCount: 2,
      ScalingType: 'UNIFORM_SCALING',
    })
    expect(await kinesis.status()).toBe('ACTIVE')
    await kinesis.call('DeleteStream', { StreamName: 'orders' })
    expect((await kinesis.call('ListStreams')).StreamNames).toEqual([])
  })

  it('streams of the application are here, and streams made here are the application’s', async () => {
    kinesis = await KinesisUnderTest.start()
    const spec = { shardCount: 2, retentionMs: 5_400_000, durability: 'os' } as const
    await kinesis.engine.log.createStream({ name: 'theirs', ...spec })
    await kinesis.create('ours', 3)
    const { StreamDescriptionSummary } = await kinesis.call('DescribeStreamSummary', { StreamName: 'theirs' })
    expect(StreamDescriptionSummary).toMatchObject({
      StreamStatus: 'ACTIVE',
      OpenShardCount: 2,
      RetentionPeriodHours: 2,
    })
    const names = (await kinesis.engine.log.listStreams()).map(({ name }) => name)
    expect(names).toEqual(['ours', 'theirs'])
  })

  it('a stream made anew elsewhere has nothing of the one before', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1, { Tags: { team: 'red' } })
    const { log } = kinesis.engine
    await log.deleteStream('orders')
    await log.createStream({ name: 'orders', shardCount: 1, retentionMs: 3_600_000, durability: 'fsync' })
    expect((await kinesis.call('ListTagsForStream', { StreamName: 'orders' })).Tags).toEqual([])
    await kinesis.call('DeleteStream', { StreamName: 'orders' })
    await kinesis.create('orders')
    expect(await kinesis.status()).toBe('ACTIVE')
  })

  it('names that are taken, and streams that are not ready, are in use', async () => {
    kinesis = await KinesisUnderTest.start({ stateMs: 500 })
    await kinesis.create()
    const again = await kinesis.refused('CreateStream', { StreamName: 'orders', ShardCount: 1 })
    expect([again.code, again.message]).toEqual([
      'ResourceInUseException',
      `Stream orders under account ${ACCOUNT} already exists.`,
    ])
    expect((await kinesis.refused('DeleteStream', { StreamName: 'orders' })).code).toBe(
      'ResourceInUseException',
    )
  })

  it('a stream that an application reads is not deleted', async () => {
    kinesis = await KinesisUnderTest.start({ readersOf: async () => ['mailer'] })
    await kinesis.create()
    const refused = await kinesis.refused('DeleteStream', { StreamName: 'orders' })
    expect(refused.code).toBe('ResourceInUseException')
    expect(refused.message).toContain('subscription mailer')
  })

  it('a stream is named by its name, its ARN, or both; one of another account or Region is not here', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    for (const ref of [{ StreamARN: ARN }, { StreamARN: ARN, StreamName: 'orders' }])
      await kinesis.call('DescribeStream', ref)
    const code = async (ref: Record<string, string>) => (await kinesis.refused('DescribeStream', ref)).code
    expect(await code({})).toBe('InvalidArgumentException')
    expect(await code({ StreamARN: ARN, StreamName: 'other' })).toBe('InvalidArgumentException')
    expect(await code({ StreamARN: ARN.replace(ACCOUNT, '123456789012') })).toBe('ResourceNotFoundException')
    expect(await code({ StreamARN: ARN.replace(REGION, 'eu-west-1') })).toBe('ResourceNotFoundException')
  })

  it('streams are listed in pages', async () => {
    kinesis = await KinesisUnderTest.start()
    for (const name of ['c', 'a', 'b']) await kinesis.create(name)
    const first = await kinesis.call('ListStreams', { Limit: 2 })
    expect([first.StreamNames, first.HasMoreStreams]).toEqual([['a', 'b'], true])
    const second = await kinesis.call('ListStreams', { NextToken: first.NextToken })
    expect([second.StreamNames, second.HasMoreStreams, second.NextToken]).toEqual([['c'], false, undefined])
    expect(second.StreamSummaries[0]).toMatchObject({ StreamName: 'c', StreamStatus: 'ACTIVE' })
    expect((await kinesis.call('ListStreams', { ExclusiveStartStreamName: 'b' })).StreamNames).toEqual(['c'])
    expect((await kinesis.refused('ListStreams', { NextToken: 'garbage' })).code).toBe(
      'InvalidArgumentException',
    )
  })

  it('tags: 50 a stream, by either family of operations, checked, and gone with the stream', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create('orders', 1, { Tags: { team: 'red' } })
    const StreamName = 'orders'
    await kinesis.call('AddTagsToStream', { StreamName, Tags: { team: 'blue', env: '' } })
    await kinesis.call('TagResource', { ResourceARN: ARN, Tags: { zone: 'a' } })
    const all = await kinesis.call('ListTagsForResource', { ResourceARN: ARN })
    expect(all.Tags).toEqual([
      { Key: 'env', Value: '' },
      { Key: 'team', Value: 'blue' },
      { Key: 'zone', Value: 'a' },
    ])
    const page = await kinesis.call('ListTagsForStream', {
      StreamName,
      ExclusiveStartTagKey: 'env',
      Limit: 1,
    })
    expect(page).toEqual({ Tags: [{ Key: 'team', Value: 'blue' }], HasMoreTags: true })
    await kinesis.call('UntagResource', { ResourceARN: ARN, TagKeys: ['zone', 'none'] })
    await kinesis.call('RemoveTagsFromStream', { StreamName, TagKeys: ['env'] })
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`tag${i}`, 'x']))
    const tooMany = await kinesis.refused('AddTagsToStream', { StreamName, Tags: many })
    expect(tooMany.message).toContain('cannot have more than 50 tags')
    for (const key of ['semi;colon', 'aws:own'])
      expect((await kinesis.refused('AddTagsToStream', { StreamName, Tags: { [key]: 'x' } })).code).toBe(
        'InvalidArgumentException',
      )
    await kinesis.crash()
    const kept = await kinesis.call('ListTagsForStream', { StreamName })
    expect(kept.Tags).toEqual([{ Key: 'team', Value: 'blue' }])
  })

  it('the account’s limits: streams being created, on-demand streams, open shards, requests a second', async () => {
    const { KINESIS_LIMITS: limits } = await import('@eddy/core')
    kinesis = await KinesisUnderTest.start({ stateMs: 2_000, limits })
    for (let i = 0; i < 5; i++) await kinesis.create(`s${i}`)
    const sixth = await kinesis.refused('CreateStream', { StreamName: 's5', ShardCount: 1 })
    expect([sixth.code, sixth.message]).toEqual([
      'LimitExceededException',
      `Rate exceeded for account ${ACCOUNT}.`,
    ])
    await kinesis.advance(1_000)
    expect((await kinesis.refused('CreateStream', { StreamName: 's5', ShardCount: 1 })).message).toContain(
      'CREATING',
    )
    await kinesis.advance(2_000)
    const shards = await kinesis.refused('CreateStream', { StreamName: 's5', ShardCount: 996 })
    expect(shards.code).toBe('LimitExceededException')
    expect(shards.message).toContain('Current shard count for the account: 5. Limit: 1000.')
    expect(await kinesis.call('DescribeLimits')).toEqual({
      ShardLimit: 1_000,
      OpenShardCount: 5,
      OnDemandStreamCount: 0,
      OnDemandStreamCountLimit: 50,
    })
    expect((await kinesis.refused('DescribeLimits')).code).toBe('LimitExceededException')
  })

  it('a mode, a strategy and a record size are changed and shown', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.call('CreateStream', {
      StreamName: 'orders',
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    })
    const summary = async () =>
      (await kinesis.call('DescribeStreamSummary', { StreamARN: ARN })).StreamDescriptionSummary
    expect(await summary()).toMatchObject({
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      OpenShardCount: 4,
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
      MaxRecordSizeInKiB: 10_240,
    })
    await kinesis.call('UpdateStreamRecordDistributionStrategy', {
      StreamARN: ARN,
      RecordDistributionStrategy: 'AUTO',
    })
    expect((await summary()).RecordDistributionStrategy).toBe('AUTO')
    const StreamModeDetails = { StreamMode: 'PROVISIONED' }
    const auto = await kinesis.refused('UpdateStreamMode', { StreamARN: ARN, StreamModeDetails })
    expect(auto.code).toBe('ValidationException')
    await kinesis.call('UpdateStreamRecordDistributionStrategy', {
      StreamARN: ARN,
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
    })
    await kinesis.call('UpdateStreamMode', { StreamARN: ARN, StreamModeDetails })
    await kinesis.call('UpdateMaxRecordSize', { StreamARN: ARN, MaxRecordSizeInKiB: 2_048 })
    expect(await summary()).toMatchObject({ StreamModeDetails, MaxRecordSizeInKiB: 2_048 })
    expect((await summary()).RecordDistributionStrategy).toBeUndefined()
  })
})
