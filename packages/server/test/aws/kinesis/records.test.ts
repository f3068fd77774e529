import { KINESIS_LIMITS, silentLogger } from '@eddy/core'
import { quietFaults } from '@eddy/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { ACCOUNT, type Answer, FULL_RANGE_HALF, KinesisUnderTest } from './support/kinesis-under-test.ts'

let kinesis: KinesisUnderTest
const StreamName = 'orders'
const ARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/orders`

afterEach(async () => kinesis.service.close())

describe('Records of the Kinesis endpoint', () => {
  it('PutRecords answers each record, and GetRecords gives them back as they were', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const Records = [
      { Data: bytes, PartitionKey: 'ключ' },
      { Data: new Uint8Array(0), PartitionKey: 'k', ExplicitHashKey: '0' },
    ]
    const put = await kinesis.call('PutRecords', { StreamARN: ARN, Records })
    expect(put.FailedRecordCount).toBe(0)
    const atMs = kinesis.world.clock.now()
    const got = await kinesis.call('GetRecords', { ShardIterator: await kinesis.iterator('TRIM_HORIZON') })
    expect(got.Records).toEqual(
      Records.map(({ Data, PartitionKey }, i) => ({
        SequenceNumber: put.Records[i].SequenceNumber,
        ApproximateArrivalTimestamp: new Date(atMs),
        Data,
        PartitionKey,
        EncryptionType: 'NONE',
      })),
    )
    expect(got.MillisBehindLatest).toBe(0)
  })

  it('what the application appends is read here, and what is put here is in the log as it is', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.engine.log.append('orders', [{ partitionKey: 'p', data: Buffer.from('appended') }])
    await kinesis.put('put', 'q')
    expect(await kinesis.texts(await kinesis.iterator('TRIM_HORIZON'))).toEqual(['appended', 'put'])
    const { records } = await kinesis.engine.log.read({
      stream: 'orders',
      shardId: 'shardId-000000000000',
      from: { at: 'trim_horizon' },
      maxRecords: 10,
      maxBytes: 1_000,
      waitMs: 0,
    })
    expect(Buffer.from(records[1]?.data ?? []).toString()).toBe('put')
  })

  it('an iterator of each type begins where it says', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const { SequenceNumber: first } = await kinesis.put('first')
    await kinesis.advance(1_000)
    const Timestamp = new Date(kinesis.world.clock.now())
    await kinesis.put('second')
    const latest = await kinesis.iterator('LATEST')
    await kinesis.put('third')
    const from = async (type: string, more = {}) => kinesis.texts(await kinesis.iterator(type, more))
    expect(await from('TRIM_HORIZON')).toEqual(['first', 'second', 'third'])
    expect(await from('AT_SEQUENCE_NUMBER', { StartingSequenceNumber: first })).toHaveLength(3)
    expect(await from('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber: first })).toHaveLength(2)
    expect(await from('AT_TIMESTAMP', { Timestamp })).toEqual(['second', 'third'])
    expect(await from('AT_TIMESTAMP', { Timestamp: new Date(0) })).toHaveLength(3)
    // What came between the iterator and its first use is read.
    expect(await kinesis.texts(latest)).toEqual(['third'])
  })

  it('each answer has the iterator that goes on, and says how far behind it is', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    for (const text of ['a', 'b', 'c']) await kinesis.put(text)
    await kinesis.advance(5_000)
    let next: string | undefined = await kinesis.iterator('TRIM_HORIZON')
    const seen: Answer[] = []
    for (let i = 0; i < 4; i++) {
      const page: Answer = await kinesis.call('GetRecords', { ShardIterator: next, Limit: 1 })
      seen.push([page.Records.length, page.MillisBehindLatest])
      next = page.NextShardIterator
    }
    expect(seen).toEqual([
      [1, 5_000],
      [1, 5_000],
      [1, 0],
      [0, 0],
    ])
  })

  it('a closed shard ends without an iterator, and names its children', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.put('last')
    const iterator = await kinesis.iterator('TRIM_HORIZON')
    await kinesis.call('SplitShard', { StreamName, ShardToSplit: '0', NewStartingHashKey: FULL_RANGE_HALF })
    const end = await kinesis.call('GetRecords', { ShardIterator: iterator })
    expect(end.Records).toHaveLength(1)
    expect(end.NextShardIterator).toBeUndefined()
    expect(end.ChildShards).toMatchObject([
      { ShardId: 'shardId-000000000001', ParentShards: ['shardId-000000000000'] },
      {
        ShardId: 'shardId-000000000002',
        HashKeyRange: { StartingHashKey: FULL_RANGE_HALF },
      },
    ])
    const latest = await kinesis.call('GetRecords', { ShardIterator: await kinesis.iterator('LATEST') })
    expect([latest.Records, latest.NextShardIterator]).toEqual([[], undefined])
  })

  it('iterators that were not handed out, or belong to a stream that is gone, are refused', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.create('other')
    const good = await kinesis.iterator('TRIM_HORIZON')
    const other = Buffer.from(good, 'base64')
    other.writeUInt8(other.readUInt8(20) ^ 1, 20)
    for (const ShardIterator of ['x', 'AAAA', `${good}A`, other.toString('base64'), good.toLowerCase()]) {
      const refused = await kinesis.refused('GetRecords', { ShardIterator })
      expect([refused.code, refused.message]).toEqual(['InvalidArgumentException', 'Invalid ShardIterator.'])
    }
    const wrong = { ShardIterator: good, StreamARN: ARN.replace('orders', 'other') }
    expect((await kinesis.refused('GetRecords', wrong)).code).toBe('InvalidArgumentException')
    await kinesis.call('DeleteStream', { StreamName })
    const gone = await kinesis.refused('GetRecords', { ShardIterator: good })
    expect(gone.code).toBe('ResourceNotFoundException')
    await kinesis.create()
    expect((await kinesis.refused('GetRecords', { ShardIterator: good })).code).toBe(
      'ResourceNotFoundException',
    )
  })

  it('iterators of the longest names fit into what the model allows', async () => {
    kinesis = await KinesisUnderTest.start()
    const name = 'n'.repeat(128)
    await kinesis.create(name)
    await kinesis.put('x', 'k', name)
    const { SequenceNumber } = await kinesis.put('y', 'k', name)
    const more = { StartingSequenceNumber: SequenceNumber }
    const iterator = await kinesis.iterator('AFTER_SEQUENCE_NUMBER', more, name)
    expect(iterator.length).toBeLessThanOrEqual(512)
    expect(await kinesis.texts(iterator)).toEqual([])
  })

  it('an iterator is good after a restart', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.put('kept')
    const iterator = await kinesis.iterator('TRIM_HORIZON')
    await kinesis.crash()
    expect(await kinesis.texts(iterator)).toEqual(['kept'])
  })

  it('positions that do not exist are refused in the service’s words', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.put('x')
    const refusal = async (ShardIteratorType: string, more = {}) => {
      const input = { StreamName, ShardId: '0', ShardIteratorType, ...more }
      const { code, message } = await kinesis.refused('GetShardIterator', input)
      expect(code).toBe('InvalidArgumentException')
      return message
    }
    for (const StartingSequenceNumber of ['0', '1', '1000000000000001', '9'.repeat(129)])
      expect(await refusal('AT_SEQUENCE_NUMBER', { StartingSequenceNumber })).toBe(
        `StartingSequenceNumber ${StartingSequenceNumber} used in GetShardIterator on shard shardId-000000000000 in ` +
          `stream orders under account ${ACCOUNT} is invalid.`,
      )
    const either = 'Must either specify (1) AT_SEQUENCE_NUMBER'
    expect(await refusal('LATEST', { StartingSequenceNumber: '5' })).toContain(either)
    expect(await refusal('AFTER_SEQUENCE_NUMBER')).toContain(either)
    expect(await refusal('AT_TIMESTAMP')).toContain('Must specify timestampInMillis')
    const Timestamp = new Date(kinesis.world.clock.now() + 1)
    expect(await refusal('AT_TIMESTAMP', { Timestamp })).toContain('cannot be greater than')
  })

  it('the number that a shard starts with is before every record, at and after which one may begin', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const [shard] = await kinesis.shards()
    const StartingSequenceNumber = shard.SequenceNumberRange.StartingSequenceNumber
    const early = await kinesis.iterator('AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })
    await kinesis.put('first')
    expect(await kinesis.texts(early)).toEqual(['first'])
    for (const type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'])
      expect(await kinesis.texts(await kinesis.iterator(type, { StartingSequenceNumber }))).toEqual(['first'])
  })

  it('a request with a record that the stream does not take is refused as a whole', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const good = { Data: Buffer.from('good'), PartitionKey: 'k' }
    const put = (record: Answer) => kinesis.refused('PutRecords', { StreamName, Records: [good, record] })
    const keyless = await put({ Data: Buffer.from('x') })
    expect([keyless.code, keyless.message]).toEqual([
      'ValidationException',
      "1 validation error detected: Value null at 'records.2.member.partitionKey' failed to satisfy constraint: Member must not be null",
    ])
    expect((await put({ ...good, ExplicitHashKey: (2n ** 128n).toString() })).message).toContain(
      'Invalid ExplicitHashKey.',
    )
    const large = Buffer.alloc(10 * 1_024 * 1_024 - 4)
    expect((await put({ ...good, Data: large })).message).toBe('Records size exceeds 10 MB limit')
    expect(await kinesis.texts(await kinesis.iterator('TRIM_HORIZON'))).toEqual([])
  })

  it('a key over the limit that an application gave its stream is refused for good, not as a failure of ours', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    await kinesis.engine.log.setLimits?.(StreamName, {
      limits: { ...KINESIS_LIMITS, maxPartitionKeyCharacters: 3 },
    })
    const record = (PartitionKey: string) => ({ Data: Buffer.from('x'), PartitionKey })
    const one = await kinesis.refused('PutRecord', { StreamName, ...record('keys') })
    expect([one.code, one.message]).toEqual([
      'ValidationException',
      "1 validation error detected: Value 'keys' at 'partitionKey' failed to satisfy constraint: Member must have length " +
        'less than or equal to 3',
    ])
    const many = await kinesis.refused('PutRecords', {
      StreamName,
      Records: [record('key'), record('keys')],
    })
    expect(many.message).toContain("at 'records.2.member.partitionKey'")
  })

  it('a record without a key counts 30 bytes for one, and is refused for good when that is too much', async () => {
    kinesis = await KinesisUnderTest.start({ limits: KINESIS_LIMITS })
    await kinesis.call('CreateStream', {
      StreamName,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
      RecordDistributionStrategy: 'AUTO',
    })
    const keyless = (bytes: number) => ({ StreamName, Data: Buffer.alloc(bytes) })
    const mib = 1_024 * 1_024
    expect((await kinesis.refused('PutRecord', keyless(mib - 29))).code).toBe('InvalidArgumentException')
    await kinesis.call('PutRecord', keyless(mib - 30))
  })

  it('a dry run checks, and does nothing', async () => {
    kinesis = await KinesisUnderTest.start()
    await kinesis.create()
    const iterator = await kinesis.iterator('LATEST')
    const record = { Data: Buffer.from('x'), PartitionKey: 'k' }
    const DryRun = true
    const inputs = {
      PutRecord: { StreamName, ...record, DryRun },
      PutRecords: { StreamName, Records: [record], DryRun },
      GetShardIterator: { StreamName, ShardId: '0', ShardIteratorType: 'LATEST', DryRun },
      GetRecords: { ShardIterator: iterator, DryRun },
    }
    for (const [operation, input] of Object.entries(inputs))
      expect((await kinesis.refused(operation, input)).code).toBe('DryRunOperationException')
    expect((await kinesis.refused('PutRecord', { ...inputs.PutRecord, StreamName: 'none' })).code).toBe(
      'ResourceNotFoundException',
    )
    expect(await kinesis.texts(iterator)).toEqual([])
  })

  it('an append that is not answered is an internal failure, of one record or of the request', async () => {
    const logged: unknown[] = []
    const logger = { ...silentLogger, error: (fields: object) => void logged.push(fields) }
    kinesis = await KinesisUnderTest.start({ logger })
    await kinesis.create()
    kinesis.world.faults = { ...quietFaults, appendRejected: 1 }
    const rejected = await kinesis.refused('PutRecords', {
      StreamName,
      Records: [{ Data: Buffer.from('x'), PartitionKey: 'k' }],
    })
    expect([rejected.code, rejected.status]).toEqual(['InternalFailureException', 500])
    // The client is not told what it was; the operator is.
    expect(logged).toMatchObject([{ stream: 'orders', error: { code: 'EDDY_STORAGE' } }])
    kinesis.world.faults = { ...quietFaults, appendEntryAckLost: 1 }
    const put = await kinesis.call('PutRecords', {
      StreamName,
      Records: [{ Data: Buffer.from('x'), PartitionKey: 'k' }],
    })
    expect(put).toMatchObject({
      FailedRecordCount: 1,
      Records: [{ ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' }],
    })
  })
})
