import type { Clock, ReadRequest, StartPosition } from '@eddy/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisLog, type KinesisLogOptions } from '../../src/kinesis/index.ts'
import { clientOf, type ServiceAnswer, type ServiceRequest, startService } from '../support/kinesalite.ts'

type Service = Awaited<ReturnType<typeof startService>>

const SHARD = 'shardId-000000000000'
const NOW_MS = 1_800_000_000_000
const MIB = 1024 * 1024

/** Stands still but for sleeps and `elapse`. */
class StillClock implements Clock {
  #ms = 0
  readonly slept: number[] = []
  now = () => NOW_MS + this.#ms
  monotonicMs = () => this.#ms
  random = () => 0.5
  sleep = async (ms: number) => {
    this.slept.push(ms)
    this.#ms += ms
  }
  elapse(ms: number): void {
    this.#ms += ms
  }
}

const ok = (body: object): ServiceAnswer => ({ status: 200, body })
const problem = (type: string, message = 'because'): ServiceAnswer => ({
  status: 400,
  body: { __type: type, message },
})
const record = (sequence: number, bytes = 1) => ({
  SequenceNumber: String(sequence),
  PartitionKey: 'k',
  Data: Buffer.alloc(bytes).toString('base64'),
  ApproximateArrivalTimestamp: (NOW_MS - 60_000 + sequence) / 1_000,
})
const summary = (more: object = {}): ServiceAnswer =>
  ok({
    StreamDescriptionSummary: {
      StreamName: 's',
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/s',
      StreamStatus: 'ACTIVE',
      RetentionPeriodHours: 48,
      StreamCreationTimestamp: 1_700_000_000,
      EnhancedMonitoring: [],
      OpenShardCount: 3,
      ...more,
    },
  })

let service: Service
let clock: StillClock
let log: KinesisLog
/** By operation; answers in turn, the last one for ever. */
let script: Record<string, ServiceAnswer[]>

const newLog = (options: Partial<KinesisLogOptions> = {}) =>
  new KinesisLog({ client: clientOf(service.endpoint), clock, ...options })
const inputs = (operation: string) =>
  service.requests.filter((request) => request.operation === operation).map(({ input }) => input)
const request = (from: StartPosition, more: Partial<ReadRequest> = {}): ReadRequest => ({
  stream: 's',
  shardId: SHARD,
  from,
  maxRecords: 1_000,
  maxBytes: 4 * MIB,
  waitMs: 0,
  ...more,
})
const START: StartPosition = { at: 'trim_horizon' }
const after = (sequence: number): StartPosition => ({
  at: 'after_sequence_number',
  sequenceNumber: String(sequence),
})
const numbers = ({ records }: { readonly records: readonly { readonly sequenceNumber: string }[] }) =>
  records.map(({ sequenceNumber }) => Number(sequenceNumber))

beforeEach(async () => {
  let iterators = 0
  script = {}
  service = await startService(({ operation }: ServiceRequest) => {
    const planned = script[operation]
    const next = planned !== undefined && planned.length > 1 ? planned.shift() : planned?.[0]
    if (next !== undefined) return next
    if (operation === 'DescribeStreamSummary') return summary()
    iterators += 1
    return ok({ ShardIterator: `fresh-${iterators}` })
  })
  clock = new StillClock()
  log = newLog()
})
afterEach(() => service.close())

describe('reading a shard of Kinesis', () => {
  it('goes on with the iterator of the last answer: one GetShardIterator for any number of reads', async () => {
    script.GetRecords = [
      ok({ Records: [record(1), record(2)], NextShardIterator: 'i2', MillisBehindLatest: 0 }),
      ok({ Records: [], NextShardIterator: 'i3', MillisBehindLatest: 0 }),
      ok({ Records: [record(3)], NextShardIterator: 'i4', MillisBehindLatest: 0 }),
    ]
    const first = await log.read(request(START))
    const second = await log.read(request(first.next ?? START))
    const third = await log.read(request(second.next ?? START))
    expect([first, second, third].map(numbers)).toEqual([[1, 2], [], [3]])
    expect(second.next).toEqual(after(2))
    expect(inputs('GetShardIterator')).toHaveLength(1)
    expect(inputs('GetRecords').map(({ ShardIterator }) => ShardIterator)).toEqual(['fresh-1', 'i2', 'i3'])
  })

  it('takes a new iterator where one has expired, and before one would', async () => {
    script.GetRecords = [
      ok({ Records: [record(1)], NextShardIterator: 'old', MillisBehindLatest: 0 }),
      problem('ExpiredIteratorException'),
      ok({ Records: [record(1), record(2)], NextShardIterator: 'young', MillisBehindLatest: 0 }),
    ]
    const first = await log.read(request(START))
    const second = await log.read(request(first.next ?? START))
    expect(numbers(second)).toEqual([2])
    expect(inputs('GetShardIterator')[1]).toMatchObject({
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber: '1',
    })
    clock.elapse(300_000)
    script.GetRecords = [ok({ Records: [record(2)], NextShardIterator: 'x', MillisBehindLatest: 0 })]
    await log.read(request(second.next ?? START))
    expect(inputs('GetRecords').map(({ ShardIterator }) => ShardIterator)).toEqual([
      'fresh-1',
      'old',
      'fresh-2',
      'fresh-3',
    ])
  })

  it('hands out no more bytes than asked for, keeps the rest for the next read, and then asks for fewer', async () => {
    const records = [1, 2, 3, 4, 5].map((sequence) => record(sequence, MIB))
    script.GetRecords = [
      ok({ Records: records, NextShardIterator: 'i2', MillisBehindLatest: 5_000 }),
      ok({ Records: [record(6, MIB)], NextShardIterator: 'i3', MillisBehindLatest: 0 }),
    ]
    const answers = []
    let next: StartPosition | undefined = START
    for (let read = 0; read < 4 && next !== undefined; read += 1) {
      const answer = await log.read(request(next, { maxBytes: 2 * MIB + 10 }))
      answers.push(answer)
      next = answer.next
    }
    expect(answers.map(numbers)).toEqual([[1, 2], [3, 4], [5], [6]])
    expect(answers.map(({ millisBehindLatest }) => millisBehindLatest > 0)).toEqual([true, true, true, false])
    expect(inputs('GetRecords').map(({ Limit }) => Limit)).toEqual([257, 3])
  })

  it('an empty answer behind the end is no end and no wait; at the end it waits a little, within what was allowed', async () => {
    script.GetRecords = [
      ok({ Records: [], NextShardIterator: 'i2', MillisBehindLatest: 9_000 }),
      ok({ Records: [], NextShardIterator: 'i3', MillisBehindLatest: 0 }),
    ]
    const gap = await log.read(request(START, { waitMs: 10_000 }))
    expect([gap.next, gap.millisBehindLatest, clock.slept]).toEqual([START, 9_000, []])
    await log.read(request(START, { waitMs: 10_000 }))
    await log.read(request(START, { waitMs: 100 }))
    await log.read(request(START))
    expect(clock.slept).toEqual([250, 100])
    expect(inputs('GetRecords').map(({ ShardIterator }) => ShardIterator)).toEqual([
      'fresh-1',
      'i2',
      'i3',
      'i3',
    ])
  })

  it('ends where Kinesis gives no next iterator, after what it still brought', async () => {
    script.GetRecords = [ok({ Records: [record(1, MIB), record(2, MIB)], MillisBehindLatest: 0 })]
    const first = await log.read(request(START, { maxBytes: MIB }))
    expect([numbers(first), first.next]).toEqual([[1], after(1)])
    const last = await log.read(request(after(1), { maxBytes: MIB }))
    expect([numbers(last), last.next, last.millisBehindLatest]).toEqual([[2], undefined, 0])
  })

  it('tells that something was removed by retention: the record that the position names is gone', async () => {
    script.GetRecords = [
      ok({ Records: [record(7), record(8)], NextShardIterator: 'i', MillisBehindLatest: 0 }),
    ]
    const gone = await log.read(request(after(5)))
    expect([numbers(gone), gone.expiredRecords]).toEqual([[7, 8], 1])
    const there = await newLog().read(request(after(7)))
    expect([numbers(there), there.expiredRecords]).toEqual([[8], 0])
    const at = await newLog().read(request({ at: 'at_sequence_number', sequenceNumber: '7' }))
    expect([numbers(at), at.expiredRecords]).toEqual([[7, 8], 0])
  })

  it('LATEST becomes a time of the service a little before, and within the process stays exact', async () => {
    script.GetRecords = [
      ok({ Records: [], NextShardIterator: 'i2', MillisBehindLatest: 0 }),
      ok({ Records: [record(1)], NextShardIterator: 'i3', MillisBehindLatest: 0 }),
    ]
    const realNowMs = Date.now()
    const head = await log.read(request({ at: 'latest' }))
    if (head.next?.at !== 'at_timestamp') throw new Error('expected a time')
    expect(head.next.timestampMs).toBeGreaterThan(realNowMs - 10_000)
    expect(head.next.timestampMs).toBeLessThanOrEqual(realNowMs)
    expect(numbers(await log.read(request(head.next)))).toEqual([1])
    expect(inputs('GetShardIterator')).toHaveLength(1)
  })

  it('a time that has not come has nothing, on our clock and on the one of Kinesis, which refuses it', async () => {
    const future = { at: 'at_timestamp', timestampMs: NOW_MS + 1_000 } as const
    expect(await log.read(request(future))).toMatchObject({ records: [], next: future })
    expect(service.requests).toEqual([])
    script.GetShardIterator = [
      problem(
        'InvalidArgumentException',
        'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis.',
      ),
    ]
    const past = { at: 'at_timestamp', timestampMs: NOW_MS - 1 } as const
    expect(await log.read(request(past))).toMatchObject({ records: [], next: past, millisBehindLatest: 0 })
  })

  it('a throttled read says when to come again, and goes on with the same iterator: 10 MiB are five seconds', async () => {
    script.GetRecords = [
      ok({ Records: [record(1, 10 * MIB)], NextShardIterator: 'i2', MillisBehindLatest: 1 }),
      problem('ProvisionedThroughputExceededException'),
      problem('ProvisionedThroughputExceededException'),
      ok({ Records: [record(2)], NextShardIterator: 'i3', MillisBehindLatest: 0 }),
    ]
    await log.read(request(START))
    clock.elapse(1_000)
    await expect(log.read(request(after(1)))).rejects.toMatchObject({
      code: 'EDDY_THROTTLED',
      retryAfterMs: 4_001,
    })
    clock.elapse(60_000)
    await expect(log.read(request(after(1)))).rejects.toMatchObject({ retryAfterMs: 200 })
    expect(numbers(await log.read(request(after(1))))).toEqual([2])
    expect(inputs('GetShardIterator')).toHaveLength(1)
  })

  it('throttled for its iterator, it is the same', async () => {
    script.GetShardIterator = [problem('ProvisionedThroughputExceededException')]
    await expect(log.read(request(START))).rejects.toMatchObject({
      code: 'EDDY_THROTTLED',
      retryAfterMs: 200,
    })
  })

  it('names what is missing: the stream or the shard', async () => {
    script.GetShardIterator = [problem('ResourceNotFoundException', 'Shard x in stream s does not exist.')]
    await expect(log.read(request(START))).rejects.toMatchObject({ code: 'EDDY_SHARD_NOT_FOUND' })
    script.DescribeStreamSummary = [problem('ResourceNotFoundException', 'Stream s not found.')]
    await expect(log.read(request(START))).rejects.toMatchObject({ code: 'EDDY_STREAM_NOT_FOUND' })
  })

  it('times of arrival never fall, and records without a key get one each', async () => {
    const { PartitionKey: _none, ...keyless } = record(2)
    const late = { ...record(3), ApproximateArrivalTimestamp: (NOW_MS - 70_000) / 1_000 }
    script.GetRecords = [
      ok({ Records: [record(1), keyless, late], NextShardIterator: 'i', MillisBehindLatest: 0 }),
    ]
    const { records } = await log.read(request(START))
    expect(records.map(({ partitionKey }) => partitionKey)).toEqual(['k', 'no-key-2', 'k'])
    expect(records.map(({ arrivedAtMs }) => arrivedAtMs - NOW_MS)).toEqual([-59_999, -59_998, -59_998])
  })
})

describe('streams of Kinesis', () => {
  it('are described with the limits of the service, and asked about once a minute at the most', async () => {
    script.DescribeStreamSummary = [
      summary({ MaxRecordSizeInKiB: 2_048 }),
      summary({ RecordDistributionStrategy: 'AUTO' }),
    ]
    const [info] = await Promise.all([log.describeStream('s'), log.describeStream('s')])
    expect(info).toMatchObject({
      name: 's',
      shardCount: 3,
      retentionMs: 48 * 3_600_000,
      durability: 'fsync',
      limits: { readCallsPerSecond: 5, maxRecordBytes: 2_048 * 1024 },
      streamId: 'arn:aws:kinesis:us-east-1:000000000000:stream/s@1700000000000',
      createdAtMs: 1_700_000_000_000,
    })
    expect(info.keysIgnored).toBeUndefined()
    await log.describeStream('s')
    expect(inputs('DescribeStreamSummary')).toHaveLength(1)
    expect((await newLog({ describedForMs: 0 }).describeStream('s')).keysIgnored).toBe(true)
  })

  it('have names of their own on Kinesis, and those of the application are listed', async () => {
    const named = newLog({ nameOf: (stream) => `prod-${stream}`, streams: ['b', 'a', 'none'] })
    script.DescribeStreamSummary = [summary(), summary(), problem('ResourceNotFoundException')]
    expect((await named.listStreams()).map(({ name }) => name)).toEqual(['a', 'b'])
    expect(inputs('DescribeStreamSummary').map(({ StreamName }) => StreamName)).toEqual([
      'prod-a',
      'prod-b',
      'prod-none',
    ])
    expect(() => newLog({ nameOf: (stream) => stream })).toThrow('streams')
  })

  it('are created where that was asked for alone', async () => {
    const spec = { name: 's', shardCount: 1, retentionMs: 48 * 3_600_000, durability: 'fsync' } as const
    await expect(log.createStream(spec)).rejects.toMatchObject({
      code: 'EDDY_INVALID_OPTION',
      message: expect.stringContaining('deployment'),
    })
    expect([log.hasGivenStreams, newLog({ createStreams: 'on-demand' }).hasGivenStreams]).toEqual([
      true,
      false,
    ])
    script.CreateStream = [ok({})]
    await newLog({ createStreams: 'on-demand' }).createStream(spec)
    expect(inputs('CreateStream')).toEqual([
      { StreamName: 's', StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
    ])
  })

  it('a change waits for the one that is under way, and a limit of the account is final', async () => {
    script.ListShards = [
      ok({
        Shards: [
          {
            ShardId: SHARD,
            HashKeyRange: { StartingHashKey: '0', EndingHashKey: '99' },
            SequenceNumberRange: { StartingSequenceNumber: '1' },
          },
        ],
      }),
    ]
    script.SplitShard = [
      problem('ResourceInUseException'),
      problem('LimitExceededException', 'Rate exceeded for account 000000000000.'),
      problem('LimitExceededException', 'This request would exceed the shard limit for the account.'),
    ]
    await expect(log.split('s', SHARD, '50')).rejects.toMatchObject({
      code: 'EDDY_KINESIS_REFUSED',
      message: expect.stringContaining('shard limit for the account'),
    })
    expect(inputs('SplitShard')).toHaveLength(3)
  })
})
