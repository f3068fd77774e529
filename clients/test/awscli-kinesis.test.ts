import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AwsCommand } from './support/aws-command.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

interface Shards {
  readonly Shards: readonly {
    readonly ShardId: string
    readonly ParentShardId?: string
    readonly AdjacentParentShardId?: string
    readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string }
    readonly SequenceNumberRange: {
      readonly StartingSequenceNumber: string
      readonly EndingSequenceNumber?: string
    }
  }[]
}
interface Put {
  readonly ShardId: string
  readonly SequenceNumber: string
}
interface Records {
  readonly Records: readonly { readonly Data: string; readonly PartitionKey: string }[]
  readonly NextShardIterator?: string
}

const HALF = (1n << 127n).toString()
const base64 = (text: string) => Buffer.from(text).toString('base64')
const textOf = (data: string) => Buffer.from(data, 'base64').toString()

/** One story, told by one command after the other: each test goes on where the one before it ended. */
describe("Debian's aws kinesis", () => {
  let endpoint: Endpoint
  let aws: AwsCommand
  const kinesis = <T = unknown>(operation: string, ...args: readonly string[]) =>
    aws.run<T>('kinesis', operation, ...args)
  const orders = ['--stream-name', 'orders'] as const

  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
    aws = new AwsCommand(endpoint.url)
  })
  afterAll(async () => await endpoint?.stop())

  it('creates a stream, waits until it exists, and describes it', async () => {
    await kinesis('create-stream', ...orders, '--shard-count', '2')
    await kinesis('wait', 'stream-exists', ...orders)
    const summary = await kinesis('describe-stream-summary', ...orders)
    expect(summary).toMatchObject({
      StreamDescriptionSummary: {
        StreamName: 'orders',
        StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: 'PROVISIONED' },
        RetentionPeriodHours: 24,
        OpenShardCount: 2,
        EncryptionType: 'NONE',
      },
    })
    const whole = await kinesis<{ StreamDescription: Shards }>('describe-stream', ...orders)
    expect(whole.StreamDescription.Shards.map(({ ShardId }) => ShardId)).toEqual([
      'shardId-000000000000',
      'shardId-000000000001',
    ])
    expect(await kinesis('list-streams')).toMatchObject({ StreamNames: ['orders'] })
    expect(await kinesis('describe-limits')).toMatchObject({ OpenShardCount: 2 })
  })

  it('puts a record of base64, in order after another, and reads both back', async () => {
    const put = (text: string, ...more: readonly string[]) =>
      kinesis<Put>('put-record', ...orders, '--partition-key', 'a', '--data', base64(text), ...more)
    const first = await put('één €')
    const second = await put('two', '--sequence-number-for-ordering', first.SequenceNumber)
    expect(second.ShardId).toBe(first.ShardId)
    expect(BigInt(second.SequenceNumber)).toBeGreaterThan(BigInt(first.SequenceNumber))

    const at = ['--shard-id', first.ShardId, '--shard-iterator-type']
    const all = await read(...at, 'TRIM_HORIZON')
    expect(all.Records.map(({ Data }) => textOf(Data))).toEqual(['één €', 'two'])
    expect(all.Records.map(({ PartitionKey }) => PartitionKey)).toEqual(['a', 'a'])
    expect(all.NextShardIterator).toEqual(expect.any(String))
    const number = ['--starting-sequence-number', first.SequenceNumber]
    expect(await read(...at, 'AT_SEQUENCE_NUMBER', ...number)).toMatchObject({ Records: [{}, {}] })
    const after = await read(...at, 'AFTER_SEQUENCE_NUMBER', ...number)
    expect(after.Records.map(({ Data }) => textOf(Data))).toEqual(['two'])
    expect((await read(...at, 'AT_TIMESTAMP', '--timestamp', '2020-01-01T00:00:00Z')).Records).toHaveLength(2)
    expect((await read(...at, 'LATEST')).Records).toEqual([])
  })

  it('puts many records at once, by key and by explicit hash key', async () => {
    const records = JSON.stringify([
      { Data: base64('low'), PartitionKey: 'k', ExplicitHashKey: '0' },
      { Data: base64('high'), PartitionKey: 'k', ExplicitHashKey: HALF },
    ])
    const answer = await kinesis<{ FailedRecordCount: number; Records: Put[] }>(
      'put-records',
      ...orders,
      '--records',
      records,
    )
    expect(answer.FailedRecordCount).toBe(0)
    expect(answer.Records.map(({ ShardId }) => ShardId)).toEqual([
      'shardId-000000000000',
      'shardId-000000000001',
    ])
  })

  it('splits a shard, reads to its end, merges the children, and filters what it lists', async () => {
    const quarter = (1n << 126n).toString()
    await kinesis(
      'split-shard',
      ...orders,
      '--shard-to-split',
      'shardId-000000000000',
      '--new-starting-hash-key',
      quarter,
    )
    const { Shards: split } = await kinesis<Shards>('list-shards', ...orders)
    const children = split.filter(({ ParentShardId }) => ParentShardId === 'shardId-000000000000')
    expect(children.map(({ HashKeyRange: { StartingHashKey } }) => StartingHashKey)).toEqual(['0', quarter])
    expect(split[0]?.SequenceNumberRange.EndingSequenceNumber).toEqual(expect.any(String))

    const parent = await read('--shard-id', 'shardId-000000000000', '--shard-iterator-type', 'TRIM_HORIZON')
    expect(parent.Records.map(({ Data }) => textOf(Data))).toContain('low')
    expect(await ends(parent.NextShardIterator)).toBe(true)

    const [left, right] = children.map(({ ShardId }) => ShardId) as [string, string]
    await kinesis('merge-shards', ...orders, '--shard-to-merge', left, '--adjacent-shard-to-merge', right)
    const open = await kinesis<Shards>('list-shards', ...orders, '--shard-filter', 'Type=AT_LATEST')
    expect(open.Shards).toHaveLength(2)
    expect(open.Shards[1]).toMatchObject({ ParentShardId: left, AdjacentParentShardId: right })
    const page = await kinesis<Shards>('list-shards', ...orders, '--max-items', '2', '--page-size', '2')
    expect(page).toMatchObject({ Shards: [{}, {}], NextToken: expect.any(String) })
  })

  it('doubles the shards of a stream, and changes its retention and mode', async () => {
    const doubled = ['--target-shard-count', '4', '--scaling-type', 'UNIFORM_SCALING']
    expect(await kinesis('update-shard-count', ...orders, ...doubled)).toMatchObject({
      CurrentShardCount: 2,
      TargetShardCount: 4,
    })
    await kinesis('wait', 'stream-exists', ...orders)
    await kinesis('increase-stream-retention-period', ...orders, '--retention-period-hours', '48')
    expect(await kinesis('describe-stream-summary', ...orders)).toMatchObject({
      StreamDescriptionSummary: { OpenShardCount: 4, RetentionPeriodHours: 48 },
    })
    await kinesis('decrease-stream-retention-period', ...orders, '--retention-period-hours', '24')
    const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
    await kinesis('update-stream-mode', '--stream-arn', arn, '--stream-mode-details', 'StreamMode=ON_DEMAND')
    expect(await kinesis('describe-stream-summary', '--stream-arn', arn)).toMatchObject({
      StreamDescriptionSummary: { RetentionPeriodHours: 24, StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
    })
  })

  it('tags a stream', async () => {
    await kinesis('add-tags-to-stream', ...orders, '--tags', 'team=checkout,stage=test')
    await kinesis('remove-tags-from-stream', ...orders, '--tag-keys', 'stage')
    expect(await kinesis('list-tags-for-stream', ...orders)).toMatchObject({
      Tags: [{ Key: 'team', Value: 'checkout' }],
      HasMoreTags: false,
    })
  })

  it("is refused in the service's words", async () => {
    expect(await aws.refused('kinesis', 'describe-stream-summary', '--stream-name', 'nowhere')).toMatch(
      /\(ResourceNotFoundException\).*Stream nowhere under account 000000000000 not found/,
    )
    expect(await aws.refused('kinesis', 'create-stream', ...orders, '--shard-count', '1')).toMatch(
      /\(ResourceInUseException\)/,
    )
    expect(await aws.refused('kinesis', 'get-records', '--shard-iterator', 'AAAA')).toMatch(
      /\(InvalidArgumentException\)/,
    )
    expect(
      await aws.refused(
        'kinesis',
        'register-stream-consumer',
        '--stream-arn',
        'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        '--consumer-name',
        'fast',
      ),
    ).toMatch(/\(UnknownOperationException\)/)
  })

  it('is refused when it signs with a key that is not known', async () => {
    const stranger = new AwsCommand(endpoint.url, { AWS_ACCESS_KEY_ID: 'AKIDSTRANGER' })
    expect(await stranger.refused('kinesis', 'list-streams')).toMatch(/\(UnrecognizedClientException\)/)
    const guess = new AwsCommand(endpoint.url, { AWS_SECRET_ACCESS_KEY: 'guessed' })
    expect(await guess.refused('kinesis', 'list-streams')).toMatch(/\(InvalidSignatureException\)/)
  })

  it('deletes a stream and waits until it is gone', async () => {
    await kinesis('delete-stream', ...orders)
    await kinesis('wait', 'stream-not-exists', ...orders)
    expect(await kinesis('list-streams')).toMatchObject({ StreamNames: [] })
  })

  /** The service may say with the last records that a shard has ended, or after them. */
  async function ends(iterator: string | undefined): Promise<boolean> {
    if (iterator === undefined) return true
    return (
      (await kinesis<Records>('get-records', '--shard-iterator', iterator)).NextShardIterator === undefined
    )
  }

  async function read(...args: readonly string[]): Promise<Records> {
    const { ShardIterator } = await kinesis<{ ShardIterator: string }>(
      'get-shard-iterator',
      ...orders,
      ...args,
    )
    return await kinesis<Records>('get-records', '--shard-iterator', ShardIterator)
  }
})
