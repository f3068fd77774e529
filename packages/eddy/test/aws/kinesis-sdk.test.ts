import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  RemoveTagsFromStreamCommand,
  SplitShardCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateMaxRecordSizeCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
  UpdateStreamRecordDistributionStrategyCommand,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACCESS, type Endpoint, servedOperations, startEndpoint } from './support/endpoint.ts'
import { operationsCalled } from './support/operations-called.ts'

const HALF = (1n << 127n).toString()
const QUARTER = (1n << 126n).toString()
const FIRST = 'shardId-000000000000'
const SECOND = 'shardId-000000000001'
const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array | undefined) => new TextDecoder().decode(data)

const HANDLERS = [
  { name: 'HTTP/2, its default', protocol: 'h2', handler: {} },
  { name: 'HTTP/1.1', protocol: 'http/1.1', handler: { requestHandler: new NodeHttpHandler() } },
]

let endpoint: Endpoint
beforeAll(async () => {
  endpoint = await startEndpoint()
})
afterAll(async () => await endpoint?.close())

/** One story: each test goes on where the one before it ended. */
describe.each(HANDLERS)('The Kinesis client of the JavaScript SDK over $name', ({ protocol, handler }) => {
  const StreamName = `orders-${protocol.replace(/\W/g, '-')}`
  const StreamARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`
  let kinesis: KinesisClient
  let called: ReadonlySet<string>

  beforeAll(() => {
    kinesis = new KinesisClient({ endpoint: endpoint.url, ...ACCESS, ...handler })
    called = operationsCalled(kinesis)
  })
  afterAll(() => kinesis?.destroy())

  it('creates a stream, waits for it, and describes it', async () => {
    await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2, Tags: { team: 'checkout' } }))
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, { StreamName })
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamARN }))
    expect(StreamDescriptionSummary).toMatchObject({
      StreamName,
      StreamARN,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: expect.any(Date),
      OpenShardCount: 2,
    })
    const { StreamDescription } = await kinesis.send(new DescribeStreamCommand({ StreamName, Limit: 1 }))
    expect(StreamDescription).toMatchObject({ HasMoreShards: true, Shards: [{ ShardId: FIRST }] })
    const { StreamNames } = await kinesis.send(new ListStreamsCommand({}))
    expect(StreamNames).toContain(StreamName)
    const limits = await kinesis.send(new DescribeLimitsCommand({}))
    expect(limits.OpenShardCount).toBeGreaterThanOrEqual(2)
  })

  it('puts records, one after another and many at once, and reads them back', async () => {
    const put = (text: string, SequenceNumberForOrdering?: string) =>
      kinesis.send(
        new PutRecordCommand({
          StreamName,
          Data: bytesOf(text),
          PartitionKey: 'a',
          ExplicitHashKey: '0',
          SequenceNumberForOrdering,
        }),
      )
    const one = await put('one')
    expect(one.ShardId).toBe(FIRST)
    const two = await put('two €', one.SequenceNumber)
    expect(BigInt(two.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(one.SequenceNumber ?? 0))

    const Records = ['0', HALF].map((ExplicitHashKey, index) => ({
      Data: new Uint8Array([index, 255, 0]),
      PartitionKey: 'b',
      ExplicitHashKey,
    }))
    const many = await kinesis.send(new PutRecordsCommand({ StreamARN, Records }))
    expect(many).toMatchObject({ FailedRecordCount: 0, Records: [{ ShardId: FIRST }, { ShardId: SECOND }] })

    const read = await readFrom(FIRST)
    expect(read.Records?.slice(0, 2).map(({ Data }) => textOf(Data))).toEqual(['one', 'two €'])
    expect(read.Records?.[2]).toMatchObject({
      Data: new Uint8Array([0, 255, 0]),
      PartitionKey: 'b',
      SequenceNumber: many.Records?.[0]?.SequenceNumber,
      ApproximateArrivalTimestamp: expect.any(Date),
    })
    expect(read.MillisBehindLatest).toBe(0)
    expect(read.$metadata.httpStatusCode).toBe(200)
    expect(read.$metadata.requestId).toMatch(/^[\da-f-]{36}$/)
  })

  it('takes a request of 10 MiB in twelve records, once the stream takes large ones', async () => {
    await kinesis.send(new UpdateMaxRecordSizeCommand({ StreamARN, MaxRecordSizeInKiB: 10_240 }))
    const large = new Uint8Array(9 * 1024 * 1024).fill(7)
    const Records = [large, ...Array.from({ length: 11 }, () => new Uint8Array(80_000))].map((Data) => ({
      Data,
      PartitionKey: 'large',
      ExplicitHashKey: HALF,
    }))
    const answer = await kinesis.send(new PutRecordsCommand({ StreamName, Records }))
    expect(answer.Records).toHaveLength(12)
    // A shard takes one large record in a burst; what follows it is throttled, one by one.
    expect(answer.Records?.[0]).toMatchObject({ ShardId: SECOND, SequenceNumber: expect.any(String) })
    const { Records: read = [] } = await readFrom(SECOND)
    const found = read.find(({ Data }) => Data?.length === large.length)
    expect(Buffer.compare(found?.Data ?? new Uint8Array(), large)).toBe(0)
  })

  it('splits, merges and lists shards', async () => {
    const of = { StreamName }
    await kinesis.send(new SplitShardCommand({ ...of, ShardToSplit: FIRST, NewStartingHashKey: QUARTER }))
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, of)
    const { Shards = [] } = await kinesis.send(new ListShardsCommand(of))
    const [left, right] = Shards.filter(({ ParentShardId }) => ParentShardId === FIRST)
    expect(right?.HashKeyRange?.StartingHashKey).toBe(QUARTER)
    const merge = { ShardToMerge: left?.ShardId, AdjacentShardToMerge: right?.ShardId }
    await kinesis.send(new MergeShardsCommand({ ...of, ...merge }))
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, of)
    const page = await kinesis.send(new ListShardsCommand({ ...of, MaxResults: 3 }))
    const rest = await kinesis.send(new ListShardsCommand({ NextToken: page.NextToken }))
    expect([...(page.Shards ?? []), ...(rest.Shards ?? [])]).toHaveLength(5)
    const open = await kinesis.send(new ListShardsCommand({ ...of, ShardFilter: { Type: 'AT_LATEST' } }))
    expect(open.Shards).toHaveLength(2)
  })

  it('changes the number of shards, the retention, the mode, and how records are spread', async () => {
    const uniform = { TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' } as const
    expect(await kinesis.send(new UpdateShardCountCommand({ StreamName, ...uniform }))).toMatchObject({
      CurrentShardCount: 2,
      TargetShardCount: 4,
    })
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, { StreamName })
    const hours = (RetentionPeriodHours: number) => ({ StreamName, RetentionPeriodHours })
    await kinesis.send(new IncreaseStreamRetentionPeriodCommand(hours(72)))
    await kinesis.send(new DecreaseStreamRetentionPeriodCommand(hours(48)))
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const
    await kinesis.send(new UpdateStreamModeCommand({ StreamARN, StreamModeDetails }))
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, { StreamName })
    const RecordDistributionStrategy = 'AUTO'
    await kinesis.send(
      new UpdateStreamRecordDistributionStrategyCommand({ StreamARN, RecordDistributionStrategy }),
    )
    await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, { StreamName })
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }))
    expect(StreamDescriptionSummary).toMatchObject({
      OpenShardCount: 4,
      RetentionPeriodHours: 48,
      StreamModeDetails,
      RecordDistributionStrategy,
    })
    const put = await kinesis.send(new PutRecordCommand({ StreamName, Data: bytesOf('without a key') }))
    expect(put.SequenceNumber).toEqual(expect.any(String))
  })

  it('tags a stream by name and by ARN', async () => {
    await kinesis.send(new AddTagsToStreamCommand({ StreamName, Tags: { stage: 'test' } }))
    await kinesis.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['team'] }))
    const tagged = await kinesis.send(new ListTagsForStreamCommand({ StreamName }))
    expect(tagged).toMatchObject({ Tags: [{ Key: 'stage', Value: 'test' }], HasMoreTags: false })
    await kinesis.send(new TagResourceCommand({ ResourceARN: StreamARN, Tags: { owner: 'ana' } }))
    await kinesis.send(new UntagResourceCommand({ ResourceARN: StreamARN, TagKeys: ['stage'] }))
    const { Tags } = await kinesis.send(new ListTagsForResourceCommand({ ResourceARN: StreamARN }))
    expect(Tags).toEqual([{ Key: 'owner', Value: 'ana' }])
  })

  it('gets errors as classes of its own', async () => {
    const nowhere = kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'nowhere' }))
    await expect(nowhere).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Stream nowhere under account 000000000000 not found.',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    })
    const again = kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
    await expect(again).rejects.toMatchObject({ name: 'ResourceInUseException' })
    const none = kinesis.send(new PutRecordsCommand({ StreamName, Records: [] }))
    await expect(none).rejects.toMatchObject({ name: 'ValidationException' })
    const consumer = { StreamARN, ConsumerName: 'fast' }
    const unknown = kinesis.send(new RegisterStreamConsumerCommand(consumer))
    await expect(unknown).rejects.toMatchObject({ name: 'UnknownOperationException' })
  })

  it('deletes a stream', async () => {
    await kinesis.send(new DeleteStreamCommand({ StreamName }))
    await waitUntilStreamNotExists({ client: kinesis, maxWaitTime: 30, minDelay: 1 }, { StreamName })
  })

  it('has called every operation that is served, over the protocol that was meant', async () => {
    const meant = [...called].filter((name) => name !== 'RegisterStreamConsumer').sort()
    expect(meant).toEqual(await servedOperations('Kinesis'))
    expect(kinesis.config.requestHandler.metadata?.handlerProtocol).toBe(protocol)
  })

  async function readFrom(ShardId: string) {
    const place = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const
    const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(place))
    return await kinesis.send(new GetRecordsCommand({ ShardIterator }))
  }
})
