import { KinesisClient } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisProducerLog } from '../../src/kinesis/index.ts'
import { clientOf, type ServiceAnswer, type ServiceRequest, startService } from '../support/kinesalite.ts'

type Service = Awaited<ReturnType<typeof startService>>

let service: Service
let answers: (request: ServiceRequest) => ServiceAnswer
let log: KinesisProducerLog

const data = (text: string) => new TextEncoder().encode(text)
const entry = (partitionKey: string, text = 'x') => ({ partitionKey, data: data(text) })
const ok = (body: object): ServiceAnswer => ({ status: 200, body })
const problem = (status: number, type: string, message = 'because'): ServiceAnswer => ({
  status,
  body: { __type: type, message },
})
const accepted = (input: ServiceRequest['input']): ServiceAnswer =>
  ok({
    FailedRecordCount: 0,
    Records: (input.Records as unknown[]).map((_, n) => ({
      ShardId: 'shardId-000000000000',
      SequenceNumber: String(100 + n),
    })),
  })
const summary = (more: object = {}): ServiceAnswer =>
  ok({
    StreamDescriptionSummary: {
      StreamName: 's',
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/s',
      StreamStatus: 'ACTIVE',
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: 1_700_000_000,
      EnhancedMonitoring: [],
      OpenShardCount: 1,
      ...more,
    },
  })

const puts = () => service.requests.filter(({ operation }) => operation.startsWith('PutRecord'))

beforeEach(async () => {
  answers = ({ operation, input }) => (operation === 'DescribeStreamSummary' ? summary() : accepted(input))
  service = await startService((request) => answers(request))
  log = new KinesisProducerLog({ client: clientOf(service.endpoint), requestTimeoutMs: 5_000 })
})
afterEach(() => service.close())

/** Answers PutRecords and PutRecord in this way; the rest as ever. */
function answerPuts(answer: (input: ServiceRequest['input']) => ServiceAnswer): void {
  answers = ({ operation, input }) => (operation === 'DescribeStreamSummary' ? summary() : answer(input))
}

describe('append to Kinesis', () => {
  it('tells each entry its own fate, in order: stored, throttled, and the service in trouble', async () => {
    answerPuts(() =>
      ok({
        FailedRecordCount: 2,
        Records: [
          { ShardId: 'shardId-000000000003', SequenceNumber: '49' },
          { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' },
          { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' },
        ],
      }),
    )
    expect(await log.append('s', [entry('a'), entry('b'), entry('c')])).toEqual([
      { ok: true, shardId: 'shardId-000000000003', sequenceNumber: '49', duplicate: false },
      {
        ok: false,
        code: 'throttled',
        retryable: true,
        message: 'ProvisionedThroughputExceededException: Rate exceeded',
      },
      { ok: false, code: 'internal', retryable: true, message: 'InternalFailure: Internal Service Failure' },
    ])
    expect(puts()).toHaveLength(1)
  })

  it('sends an entry that is ordered after another with PutRecord and SequenceNumberForOrdering', async () => {
    answerPuts(() => ok({ ShardId: 'shardId-000000000000', SequenceNumber: '12' }))
    const [result] = await log.append('s', [{ ...entry('a'), explicitHashKey: '7', orderedAfter: '11' }])
    expect(result).toEqual({
      ok: true,
      shardId: 'shardId-000000000000',
      sequenceNumber: '12',
      duplicate: false,
    })
    expect(puts()).toMatchObject([
      {
        operation: 'PutRecord',
        input: { PartitionKey: 'a', ExplicitHashKey: '7', SequenceNumberForOrdering: '11' },
      },
    ])
  })

  it('fails what would make Kinesis refuse the whole request alone, and sends the rest', async () => {
    const results = await log.append('s', [
      entry('a'),
      entry(''),
      entry('x'.repeat(257)),
      { ...entry('b'), explicitHashKey: String(1n << 128n) },
      entry('c', 'y'.repeat(1024 * 1024)),
      entry('d'),
    ])
    expect(results.map((result) => (result.ok ? result.sequenceNumber : result.code))).toEqual([
      '100',
      'invalid',
      'invalid',
      'invalid',
      'too-large',
      '101',
    ])
    expect(puts()[0]?.input.Records).toHaveLength(2)
  })

  it('asks nothing when no entry is left to send', async () => {
    expect(await log.append('s', [entry('')])).toMatchObject([{ ok: false, code: 'invalid' }])
    expect(puts()).toHaveLength(0)
  })

  it('knows what the stream allows a record', async () => {
    answers = ({ operation, input }) =>
      operation === 'DescribeStreamSummary' ? summary({ MaxRecordSizeInKiB: 2_048 }) : accepted(input)
    const [result] = await log.append('s', [entry('c', 'y'.repeat(1024 * 1024))])
    expect(result).toMatchObject({ ok: true })
  })

  it.each([
    'ProvisionedThroughputExceededException',
    'LimitExceededException',
    'ThrottlingException',
    'KMSThrottlingException',
  ])('a request refused with %s stored nothing: every entry is throttled', async (type) => {
    answerPuts(() => problem(400, type))
    expect(await log.append('s', [entry('a'), entry('b')])).toMatchObject([
      { ok: false, code: 'throttled', retryable: true },
      { ok: false, code: 'throttled', retryable: true },
    ])
  })

  it('a stream that is still being made has room for a later try', async () => {
    answerPuts(() => problem(400, 'ResourceInUseException'))
    expect(await log.append('s', [entry('a')])).toMatchObject([
      { ok: false, code: 'internal', retryable: true },
    ])
  })

  it.each<[string, ServiceAnswer]>([
    ['a 500', problem(500, 'InternalFailure')],
    ['a 503', problem(503, 'ServiceUnavailable')],
    ['a connection that is cut', 'reset'],
    ['an answer with too few results', ok({ FailedRecordCount: 0, Records: [] })],
  ])('the outcome of %s is unknown, and sent once', async (_, answer) => {
    answerPuts(() => answer)
    await expect(log.append('s', [entry('a')])).rejects.toMatchObject({
      code: 'EDDY_KINESIS_UNAVAILABLE',
      retryable: true,
    })
    expect(puts()).toHaveLength(1)
  })

  it('the outcome of a request that is not answered in time is unknown', async () => {
    answerPuts(() => 'silence')
    const hasty = new KinesisProducerLog({ client: clientOf(service.endpoint), requestTimeoutMs: 100 })
    await expect(hasty.append('s', [entry('a')])).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE' })
  })

  it('nobody listening is unavailable, too', async () => {
    await service.close()
    await expect(log.append('s', [entry('a')])).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE' })
    service = await startService(() => 'reset')
  })

  it.each(['ValidationException', 'UnrecognizedClientException'])('%s is final, and named', async (type) => {
    answers = () => problem(400, type, 'Stream s under account 000000000000 not found.')
    await expect(log.append('s', [entry('a')])).rejects.toMatchObject({
      code: 'EDDY_KINESIS_REFUSED',
      retryable: false,
      message: expect.stringContaining(`${type}: Stream s under account`),
    })
  })

  it('a stream that is not there is named, with what to look at', async () => {
    for (const isAsked of [true, false]) {
      answers = ({ operation }) =>
        operation === 'DescribeStreamSummary' && !isAsked
          ? problem(400, 'AccessDeniedException')
          : problem(400, 'ResourceNotFoundException', 'Stream s under account 000000000000 not found.')
      await expect(log.append('s', [entry('a')])).rejects.toMatchObject({
        code: 'EDDY_STREAM_NOT_FOUND',
        message: expect.stringContaining('check its name, the region and the account'),
      })
    }
  })

  it('goes by the defaults where it may not ask about the stream', async () => {
    answers = ({ operation, input }) =>
      operation === 'DescribeStreamSummary' ? problem(400, 'AccessDeniedException') : accepted(input)
    expect(await log.append('s', [entry('a')])).toMatchObject([{ ok: true }])
  })

  it('refuses a client that sends again by itself, and a stream that places records by itself', async () => {
    const retrying = new KinesisClient({ endpoint: service.endpoint, region: 'us-east-1', maxAttempts: 3 })
    await expect(
      new KinesisProducerLog({ client: retrying }).append('s', [entry('a')]),
    ).rejects.toMatchObject({
      code: 'EDDY_INVALID_OPTION',
      message: expect.stringContaining('maxAttempts: 1'),
    })
    answers = ({ operation, input }) =>
      operation === 'DescribeStreamSummary'
        ? summary({ RecordDistributionStrategy: 'AUTO' })
        : accepted(input)
    await expect(log.append('s', [entry('a')])).rejects.toMatchObject({ code: 'EDDY_KINESIS_REFUSED' })
    const client = clientOf(service.endpoint)
    const indifferent = new KinesisProducerLog({ client, allowAutoDistribution: true })
    expect(await indifferent.append('s', [entry('a')])).toMatchObject([{ ok: true }])
  })
})
