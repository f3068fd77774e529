import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { s3Client } from '../../src/s3/index.ts'
import { startFauxqs } from '../support/emulators.ts'
import { clientOf, startKinesalite } from '../support/kinesalite.ts'
import { caller, recordInto } from '../support/record-calls.mjs'
import { neededRights, readCalls, violationsOf } from '../support/recorded-calls.ts'

const OPTIONS = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
let folder = ''
let file = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-calls-'))
  file = join(folder, 'calls.ndjson')
  recordInto(file)
})

afterEach(async () => {
  recordInto(undefined)
  await rm(folder, { recursive: true, force: true })
})

it('reads of a shard are calls on its stream, though they name an iterator alone', async () => {
  const service = await startKinesalite()
  const client = clientOf(service.endpoint)
  try {
    await service.createStream('shop-orders', 1)
    const shard = { StreamName: 'shop-orders', ShardId: 'shardId-000000000000' }
    await caller.run('charge', async () => {
      const records = [{ PartitionKey: 'k', Data: new Uint8Array(3) }]
      await client.send(new PutRecordsCommand({ StreamName: 'shop-orders', Records: records }))
      const first = await client.send(
        new GetShardIteratorCommand({ ...shard, ShardIteratorType: 'TRIM_HORIZON' }),
      )
      let iterator = first.ShardIterator
      for (let reads = 0; reads < 2; reads += 1) {
        const read: GetRecordsCommandOutput = await client.send(
          new GetRecordsCommand({ ShardIterator: iterator }),
        )
        iterator = read.NextShardIterator
      }
    })
    const calls = readCalls(file).filter(({ by }) => by === 'charge')
    expect(calls.map(({ operation, stream }) => [operation, stream])).toEqual([
      ['PutRecords', 'shop-orders'],
      ['GetShardIterator', 'shop-orders'],
      ['GetRecords', 'shop-orders'],
      ['GetRecords', 'shop-orders'],
    ])
    expect(calls[0]?.input).toMatchObject({ Records: [{ PartitionKey: 'k', Data: { bytes: 3 } }] })
    expect(neededRights(calls).map(({ action, resource }) => `${action} on ${resource}`)).toEqual([
      'kinesis:GetRecords on kinesis:stream/shop-orders',
      'kinesis:GetShardIterator on kinesis:stream/shop-orders',
      'kinesis:PutRecords on kinesis:stream/shop-orders',
    ])
    expect(violationsOf(calls)).toEqual([])
  } finally {
    client.destroy()
    await service.close()
  }
})

it('batches and parts need the rights of single calls; what a model forbids is found', async () => {
  const emulator = await startFauxqs()
  const options = { ...OPTIONS, endpoint: emulator.endpoint }
  const sqs = new SQSClient({ ...options, maxAttempts: 1 })
  const s3 = s3Client(options)
  try {
    const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: 'q' }))
    const entry = { Id: 'a', MessageBody: undefined as never }
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [entry] })).catch(() => {})
    await s3.send(new PutObjectCommand({ Bucket: 'none', Key: 'payload/a/b' })).catch(() => {})
    const calls = readCalls(file)
    expect(neededRights(calls)).toEqual([
      { by: 'worker', action: 's3:PutObject', resource: 's3:none/payload/*' },
      { by: 'worker', action: 'sqs:CreateQueue', resource: 'sqs:q' },
      { by: 'worker', action: 'sqs:SendMessage', resource: 'sqs:q' },
    ])
    expect(violationsOf(calls)).toEqual([
      'SQS SendMessageBatch: Entries.1.member.MessageBody: Member must not be null',
    ])
  } finally {
    sqs.destroy()
    s3.destroy()
    await emulator.stop()
  }
})
