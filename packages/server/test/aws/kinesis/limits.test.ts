import { KINESIS_LIMITS, type ServiceLimits } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { ACCOUNT, type Answer, FULL_RANGE_HALF, KinesisUnderTest } from './support/kinesis-under-test.ts'

/*
 * One test for each row of the table of Kinesis facts (the first section of the page on AWS): figures of the service,
 * on the virtual clock. Where the page calls a figure stale or unverified, the test says so.
 */

const StreamName = 'orders'
const ARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/orders`
const KIB = 1_024
const HOUR_MS = 3_600_000
const PTEE = 'ProvisionedThroughputExceededException'

let kinesis: KinesisUnderTest

afterEach(async () => kinesis.service.close())

async function start(shards: number, limits: ServiceLimits = KINESIS_LIMITS): Promise<void> {
  kinesis = await KinesisUnderTest.start({ limits })
  await kinesis.create('orders', shards)
  // Requests that were needed to get here are paid for.
  await kinesis.advance(1_000)
}

const records = (count: number, bytes: number, key: (i: number) => string = () => 'k') =>
  Array.from({ length: count }, (_, i) => ({ Data: Buffer.alloc(bytes), PartitionKey: key(i) }))

const put = (Records: readonly Answer[]) => kinesis.call('PutRecords', { StreamName, Records })

describe('Limits of Kinesis, row by row', () => {
  // "Hard-coded 5 MiB is stale": the service says 10 MiB since large records came.
  it('PutRecords: 500 records and 10 MiB a request, keys included', async () => {
    // Rates aside.
    await start(1, { ...KINESIS_LIMITS, writeRecordsPerSecond: 1e9, writeBytesPerSecond: 1e12 })
    expect((await put(records(500, 10))).FailedRecordCount).toBe(0)
    const tooMany = await kinesis.refused('PutRecords', { StreamName, Records: records(501, 10) })
    expect(tooMany.code).toBe('ValidationException')
    expect(tooMany.message).toContain('Member must have length less than or equal to 500')
    // Ten records of 1 MiB with their keys are 10 MiB to the byte.
    const full = records(10, KIB * KIB - 1)
    expect((await put(full)).FailedRecordCount).toBe(0)
    const over = await kinesis.refused('PutRecords', { StreamName, Records: [...full, ...records(1, 0)] })
    expect([over.code, over.message]).toEqual([
      'InvalidArgumentException',
      'Records size exceeds 10 MB limit',
    ])
  })

  // PutRecord's comment says "10 MiB per second"; PutRecords and the page on large records say 1 MB/s, which is meant.
  it('Per-shard write: 1,000 records and 1 MiB a second, for each shard by itself', async () => {
    await start(2)
    const low = (count: number, bytes: number) =>
      records(count, bytes).map((record) => ({ ...record, ExplicitHashKey: '0' }))
    const high = (count: number, bytes: number) =>
      records(count, bytes).map((record) => ({ ...record, ExplicitHashKey: FULL_RANGE_HALF }))
    for (let i = 0; i < 2; i++) expect((await put(low(500, 1))).FailedRecordCount).toBe(0)
    expect((await put(low(1, 1))).FailedRecordCount).toBe(1)
    expect((await put(high(500, 1))).FailedRecordCount).toBe(0)
    await kinesis.advance(500)
    expect((await put(low(500, 1))).FailedRecordCount).toBe(0)
    expect((await put(low(1, 1))).FailedRecordCount).toBe(1)
    await kinesis.advance(2_000)
    // 1 MiB: keys count as data does.
    expect((await put(low(16, 64 * KIB - 1))).FailedRecordCount).toBe(0)
    expect((await put(low(1, 2))).FailedRecordCount).toBe(1)
    await kinesis.advance(250)
    expect((await put(low(4, 64 * KIB - 1))).FailedRecordCount).toBe(0)
    expect((await put(low(1, 64 * KIB - 1))).FailedRecordCount).toBe(1)
  })

  it('Per-record failure: HTTP 200, a count, and a code for each, in the order of the request', async () => {
    await start(2)
    await put(
      Array.from({ length: 500 }, () => ({
        Data: Buffer.alloc(2_000),
        PartitionKey: 'k',
        ExplicitHashKey: '0',
      })),
    )
    const mixed = ['0', FULL_RANGE_HALF, '0'].map((ExplicitHashKey) => ({
      Data: Buffer.alloc(100_000),
      PartitionKey: 'k',
      ExplicitHashKey,
    }))
    const answer = await put(mixed.map((record, i) => ({ ...record, PartitionKey: `k${i}` })))
    const ErrorMessage = `Rate exceeded for shard shardId-000000000000 in stream orders under account ${ACCOUNT}.`
    expect(answer).toEqual({
      FailedRecordCount: 2,
      EncryptionType: 'NONE',
      Records: [
        { ErrorCode: PTEE, ErrorMessage },
        { ShardId: 'shardId-000000000001', SequenceNumber: expect.any(String) },
        { ErrorCode: PTEE, ErrorMessage },
      ],
    })
    const one = await kinesis.refused('PutRecord', { StreamName, ...mixed[0] })
    expect([one.code, one.status, one.message]).toEqual([PTEE, 400, ErrorMessage])
  })

  it('Ordering: SequenceNumberForOrdering takes the number before, and no number that nobody was given', async () => {
    await start(1)
    const record = { StreamName, Data: Buffer.from('x'), PartitionKey: 'k' }
    const { SequenceNumber: first } = await kinesis.call('PutRecord', record)
    const { SequenceNumber: second } = await kinesis.call('PutRecord', {
      ...record,
      SequenceNumberForOrdering: first,
    })
    expect(BigInt(second)).toBeGreaterThan(BigInt(first))
    const unknown = { ...record, SequenceNumberForOrdering: (BigInt(second) + 1n).toString() }
    const refused = await kinesis.refused('PutRecord', unknown)
    expect([refused.code, refused.message]).toEqual([
      'InvalidArgumentException',
      `ExclusiveMinimumSequenceNumber ${unknown.SequenceNumberForOrdering} used in PutRecord on stream orders under ` +
        `account ${ACCOUNT} is invalid.`,
    ])
  })

  it('Sequence numbers: decimal text of up to 129 digits, rising within a shard', async () => {
    await start(1)
    const { Records } = await put(records(20, 1))
    const numbers = Records.map(({ SequenceNumber }: Answer) => BigInt(SequenceNumber))
    expect(numbers).toEqual([...numbers].sort((a, b) => (a < b ? -1 : 1)))
    const at = (StartingSequenceNumber: string) => ({
      StreamName,
      ShardId: '0',
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber,
    })
    // 129 digits are a number, though not one of this shard; 130 are none.
    expect((await kinesis.refused('GetShardIterator', at('9'.repeat(129)))).code).toBe(
      'InvalidArgumentException',
    )
    expect((await kinesis.refused('GetShardIterator', at('9'.repeat(130)))).code).toBe('ValidationException')
  })

  it('Key to shard: the MD5 of the UTF-8 key as a 128-bit number; keys of up to 256 characters', async () => {
    await start(2)
    // Hash keys known from elsewhere: md5("a") = 0cc175b9…, md5("b") = 92eb5ffe…, md5("ü") = c03410a5….
    for (const [PartitionKey, shard] of [
      ['a', '0'],
      ['b', '1'],
      ['ü', '1'],
    ]) {
      const { ShardId } = await kinesis.call('PutRecord', { StreamName, Data: Buffer.alloc(0), PartitionKey })
      expect(ShardId).toBe(`shardId-00000000000${shard}`)
    }
    expect((await put(records(1, 1, () => 'ü'.repeat(256)))).FailedRecordCount).toBe(0)
    const long = { StreamName, Records: records(1, 1, () => 'x'.repeat(257)) }
    expect((await kinesis.refused('PutRecords', long)).code).toBe('ValidationException')
  })

  it('GetRecords: 10,000 records, 10 MiB, 5 calls and 2 MiB a second a shard; after 10 MiB a wait of 5 s', async () => {
    await start(1)
    const iterator = await kinesis.iterator('TRIM_HORIZON')
    const get = { ShardIterator: iterator }
    expect((await kinesis.refused('GetRecords', { ...get, Limit: 10_001 })).code).toBe('ValidationException')
    for (let i = 0; i < 5; i++) await kinesis.call('GetRecords', get)
    const sixth = await kinesis.refused('GetRecords', get)
    expect([sixth.code, sixth.status, sixth.message]).toEqual([
      PTEE,
      400,
      `Rate exceeded for shard shardId-000000000000 in stream orders under account ${ACCOUNT}.`,
    ])
    await kinesis.advance(200)
    await kinesis.call('GetRecords', get)
    // 14 MiB.
    for (let i = 0; i < 14; i++) {
      expect((await put(records(1, KIB * KIB - 1))).FailedRecordCount).toBe(0)
      await kinesis.advance(1_000)
    }
    const ShardIterator = await kinesis.iterator('TRIM_HORIZON')
    const { Records } = await kinesis.call('GetRecords', { ShardIterator })
    const bytes = Records.reduce((sum: number, { Data }: Answer) => sum + Data.length, 0)
    expect(bytes).toBeGreaterThan(9 * KIB * KIB)
    expect(bytes).toBeLessThanOrEqual(10 * KIB * KIB)
    await kinesis.advance(3_900)
    expect((await kinesis.refused('GetRecords', { ShardIterator })).code).toBe(PTEE)
    await kinesis.advance(1_100)
    // 2 MiB are allowed again, and are gone by this.
    await kinesis.call('GetRecords', { ShardIterator, Limit: 2 })
    await kinesis.advance(200)
    await kinesis.call('GetRecords', { ShardIterator, Limit: 1 })
  })

  it('GetRecords: an empty answer is not the end', async () => {
    await start(1)
    const empty = await kinesis.call('GetRecords', { ShardIterator: await kinesis.iterator('LATEST') })
    expect(empty.Records).toEqual([])
    await put(records(1, 1))
    const { Records } = await kinesis.call('GetRecords', { ShardIterator: empty.NextShardIterator })
    expect(Records).toHaveLength(1)
  })

  it('Iterators: expire after 5 minutes; 5 GetShardIterator a second a shard', async () => {
    await start(2)
    const iterator = await kinesis.iterator('TRIM_HORIZON')
    for (let i = 0; i < 4; i++) await kinesis.iterator('LATEST')
    const input = { StreamName, ShardId: '0', ShardIteratorType: 'LATEST' }
    expect((await kinesis.refused('GetShardIterator', input)).code).toBe(PTEE)
    // Another shard has its own.
    await kinesis.iterator('LATEST', { ShardId: '1' })
    await kinesis.advance(200)
    await kinesis.iterator('LATEST')
    await kinesis.advance(300_000 - 200)
    await kinesis.texts(iterator)
    await kinesis.advance(1)
    const expired = await kinesis.refused('GetRecords', { ShardIterator: iterator })
    expect(expired.code).toBe('ExpiredIteratorException')
    expect(expired.message).toMatch(
      /^Iterator expired. The iterator was created at time Thu Jan 01 00:00:01 UTC 2026 while right now it is Thu Jan 01 00:05:01 UTC 2026 /,
    )
  })

  it('End of shard: no next iterator, and the child shards with their parents and ranges', async () => {
    await start(2)
    const iterator = await kinesis.iterator('TRIM_HORIZON')
    await kinesis.call('MergeShards', { StreamName, ShardToMerge: '0', AdjacentShardToMerge: '1' })
    const end = await kinesis.call('GetRecords', { ShardIterator: iterator })
    expect(end).toEqual({
      Records: [],
      MillisBehindLatest: 0,
      ChildShards: [
        {
          ShardId: 'shardId-000000000002',
          ParentShards: ['shardId-000000000000', 'shardId-000000000001'],
          HashKeyRange: { StartingHashKey: '0', EndingHashKey: (2n ** 128n - 1n).toString() },
        },
      ],
    })
  })

  it('MillisBehindLatest: 0 at the head, else the age of what was read', async () => {
    await start(1)
    await put(records(1, 1))
    await kinesis.advance(7_000)
    await put(records(1, 1))
    const first = await kinesis.call('GetRecords', {
      ShardIterator: await kinesis.iterator('TRIM_HORIZON'),
      Limit: 1,
    })
    expect(first.MillisBehindLatest).toBe(7_000)
    const second = await kinesis.call('GetRecords', { ShardIterator: first.NextShardIterator })
    expect(second.MillisBehindLatest).toBe(0)
  })

  it('Enhanced fan-out is not served, and says so as for an operation that is unknown', async () => {
    await start(1)
    for (const operation of ['RegisterStreamConsumer', 'SubscribeToShard', 'DescribeStreamConsumer'])
      expect((await kinesis.refused(operation, { StreamARN: ARN })).code).toBe('UnknownOperationException')
  })

  // StreamDescription's comment still says "max 168", which is stale.
  it('Retention: 24 to 8,760 hours; raising it brings nothing back', async () => {
    await start(1)
    const to = (RetentionPeriodHours: number) => ({ StreamName, RetentionPeriodHours })
    const shorter = await kinesis.refused('DecreaseStreamRetentionPeriod', to(23))
    expect(shorter.message).toContain('Minimum allowed retention period is 24 hours.')
    const longer = await kinesis.refused('IncreaseStreamRetentionPeriod', to(8_761))
    expect(longer.message).toContain('Maximum allowed retention period is 8760 hours.')
    await put(records(1, 1))
    await kinesis.advance(24 * HOUR_MS + 1)
    await kinesis.call('IncreaseStreamRetentionPeriod', to(8_760))
    expect(await kinesis.texts(await kinesis.iterator('TRIM_HORIZON'))).toEqual([])
    await put(records(1, 1))
    await kinesis.advance(8_760 * HOUR_MS - 1)
    expect(await kinesis.texts(await kinesis.iterator('TRIM_HORIZON'))).toHaveLength(1)
    const wrongWay = await kinesis.refused('IncreaseStreamRetentionPeriod', to(48))
    expect(wrongWay.message).toContain('Use DecreaseRetentionPeriod API.')
    expect((await kinesis.refused('DecreaseStreamRetentionPeriod', to(8_761))).code).toBe(
      'InvalidArgumentException',
    )
    await kinesis.call('DecreaseStreamRetentionPeriod', to(24))
    expect(await kinesis.texts(await kinesis.iterator('TRIM_HORIZON'))).toEqual([])
  })

  it('Reshard: 10 times in 24 hours, to double or half, of provisioned streams', async () => {
    await start(4)
    const scale = (TargetShardCount: number) => ({
      StreamName,
      TargetShardCount,
      ScalingType: 'UNIFORM_SCALING',
    })
    for (const target of [9, 1]) {
      const refused = await kinesis.refused('UpdateShardCount', scale(target))
      expect(refused.code).toBe('InvalidArgumentException')
      expect(refused.message).toContain(`Current open shard count: 4 Target shard count: ${target}`)
    }
    for (let i = 0; i < 5; i++) {
      await kinesis.call('UpdateShardCount', scale(8))
      await kinesis.call('UpdateShardCount', scale(4))
      await kinesis.advance(1_000)
    }
    expect((await kinesis.refused('UpdateShardCount', scale(2))).code).toBe('LimitExceededException')
    await kinesis.advance(24 * HOUR_MS - 1_000)
    await kinesis.call('UpdateShardCount', scale(2))
    expect(
      (await kinesis.call('DescribeStreamSummary', { StreamName })).StreamDescriptionSummary.OpenShardCount,
    ).toBe(2)
  })

  it('Reshard: ListShards gives 1,000 a page, and its token is good for 300 s', async () => {
    await start(2)
    const { NextToken } = await kinesis.call('ListShards', { StreamName, MaxResults: 1 })
    await kinesis.advance(300_000)
    expect((await kinesis.call('ListShards', { NextToken })).Shards).toHaveLength(1)
    await kinesis.advance(1)
    expect((await kinesis.refused('ListShards', { NextToken })).code).toBe('ExpiredNextTokenException')
    await kinesis.service.close()
    kinesis = await KinesisUnderTest.start()
    await kinesis.engine.log.createStream({
      name: 'orders',
      shardCount: 1_001,
      retentionMs: HOUR_MS,
      durability: 'fsync',
    })
    const page = await kinesis.call('ListShards', { StreamName, MaxResults: 10_000 })
    expect([page.Shards.length, typeof page.NextToken]).toEqual([1_000, 'string'])
  })

  // That such a stream grows with its traffic is not simulated.
  it('On-demand: begins with 4 MB/s written, that is 4 shards; 50 streams an account', async () => {
    await start(1)
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' }
    for (let i = 0; i < 50; i++) {
      await kinesis.call('CreateStream', { StreamName: `s${i}`, StreamModeDetails })
      await kinesis.advance(200)
    }
    expect(await kinesis.shards('s0')).toHaveLength(4)
    const full = await kinesis.refused('CreateStream', { StreamName: 's50', StreamModeDetails })
    expect(full.code).toBe('LimitExceededException')
    let stored = 0
    for (let i = 0; i < 20; i++) {
      const Records = records(10, 51_199, (j) => `key ${i} ${j}`)
      const { FailedRecordCount } = await kinesis.call('PutRecords', { StreamName: 's0', Records })
      stored += 10 - FailedRecordCount
    }
    expect(stored * 51_200).toBeLessThanOrEqual(4 * KIB * KIB)
    expect(stored * 51_200).toBeGreaterThan(3.5 * KIB * KIB)
  })

  it('Channels are not served, and say so as an operation that is unknown', async () => {
    await start(1)
    for (const operation of ['CreateChannel', 'DescribeChannel', 'ListChannels'])
      expect((await kinesis.refused(operation)).code).toBe('UnknownOperationException')
  })
})

describe('What changed in Kinesis of late', () => {
  it('AUTO distribution: keys are ignored for placement and optional; no SequenceNumberForOrdering', async () => {
    kinesis = await KinesisUnderTest.start({ limits: KINESIS_LIMITS })
    await kinesis.call('CreateStream', {
      StreamName,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO',
    })
    const same = records(100, 10).map((record) => ({ ...record, ExplicitHashKey: '0' }))
    const spread = await put(same)
    expect(new Set(spread.Records.map(({ ShardId }: Answer) => ShardId)).size).toBe(4)
    const { ShardId } = await kinesis.call('PutRecord', { StreamName, Data: Buffer.from('keyless') })
    const iterator = await kinesis.iterator('TRIM_HORIZON', { ShardId })
    const got = (await kinesis.call('GetRecords', { ShardIterator: iterator })).Records
    expect(got[0].PartitionKey).toBe('k')
    expect(got.at(-1)).not.toHaveProperty('PartitionKey')
    const { code } = await kinesis.refused('PutRecord', {
      StreamName,
      Data: Buffer.from('x'),
      PartitionKey: 'k',
      SequenceNumberForOrdering: got[0].SequenceNumber,
    })
    expect(code).toBe('ValidationException')
    // Takes effect at once, in the other direction too.
    await kinesis.call('UpdateStreamRecordDistributionStrategy', {
      StreamARN: ARN,
      RecordDistributionStrategy: 'USER_PARTITION_KEY',
    })
    const placed = await put(same)
    expect(new Set(placed.Records.map((record: Answer) => record.ShardId))).toEqual(
      new Set(['shardId-000000000000']),
    )
    expect((await kinesis.refused('PutRecord', { StreamName, Data: Buffer.from('x') })).code).toBe(
      'ValidationException',
    )
  })

  it('records are of 1 MiB at most, or of up to 10 MiB where the stream allows it', async () => {
    await start(1)
    const large = { StreamName, Data: Buffer.alloc(KIB * KIB), PartitionKey: 'k' }
    expect((await kinesis.refused('PutRecord', large)).code).toBe('InvalidArgumentException')
    for (const MaxRecordSizeInKiB of [1_023, 10_241])
      expect(
        (await kinesis.refused('UpdateMaxRecordSize', { StreamARN: ARN, MaxRecordSizeInKiB })).code,
      ).toBe('ValidationException')
    await kinesis.call('UpdateMaxRecordSize', { StreamARN: ARN, MaxRecordSizeInKiB: 1_025 })
    await kinesis.call('PutRecord', large)
    const { limits } = await kinesis.engine.log.describeStream('orders')
    expect(limits?.maxRecordBytes).toBe(1_025 * KIB)
  })
})
