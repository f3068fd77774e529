import { ListStreamsCommand } from '@aws-sdk/client-kinesis'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { expect, it } from 'vitest'
import { startFauxqs, startKinesisLocal } from '../support/emulators.ts'
import { clientOf } from '../support/kinesalite.ts'

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

it('fauxqs serves SQS, SNS and S3 on loopback, and is gone after stop', async () => {
  const emulator = await startFauxqs()
  const { endpoint } = emulator
  const options = { endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 }
  const sqs = new SQSClient(options)
  const sns = new SNSClient(options)
  const s3 = new S3Client({ ...options, forcePathStyle: true })
  try {
    const { QueueUrl: url } = await sqs.send(new CreateQueueCommand({ QueueName: 'q' }))
    expect(url).toMatch(/\/q$/)
    const { TopicArn: topic } = await sns.send(new CreateTopicCommand({ Name: 't' }))
    expect(topic).toBe(`arn:aws:sns:${REGION}:000000000000:t`)
    await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }))
    const { Buckets: buckets } = await s3.send(new ListBucketsCommand({}))
    expect(buckets?.map(({ Name: name }) => name)).toEqual(['bucket'])
  } finally {
    for (const client of [sqs, sns, s3]) client.destroy()
    await emulator.stop()
  }
  await expect(fetch(`${endpoint}/health`)).rejects.toThrow()
})

it('kinesis-local serves Kinesis on loopback, and is gone after stop', async () => {
  const emulator = await startKinesisLocal()
  const client = clientOf(emulator.endpoint)
  try {
    const { StreamNames: names } = await client.send(new ListStreamsCommand({}))
    expect(names).toEqual([])
  } finally {
    client.destroy()
    await emulator.stop()
  }
  await expect(fetch(emulator.endpoint)).rejects.toThrow()
})
