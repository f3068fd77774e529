import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Notice } from '@eddy/core'
import { expect, it } from 'vitest'
import { snsClient, snsSink } from '../../src/sns/index.ts'
import { startFauxqs } from '../support/emulators.ts'

it('a notice arrives in a queue that subscribes to its kind, and no other does (fauxqs)', async () => {
  const emulator = await startFauxqs()
  const options = {
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
  const client = snsClient(options)
  const sqs = new SQSClient({ ...options, maxAttempts: 1 })
  try {
    const { TopicArn: topicArn = '' } = await client.send(new CreateTopicCommand({ Name: 'failures' }))
    const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'told' }))
    await client.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: 'sqs',
        Endpoint: 'arn:aws:sqs:us-east-1:000000000000:told',
        Attributes: { FilterPolicy: '{"kind":["dead-letter"]}', RawMessageDelivery: 'true' },
      }),
    )
    const sink = snsSink({ topicArn, client })
    const dead: Notice = {
      kind: 'dead-letter',
      subscription: 'charge',
      id: 'charge:0:1',
      key: 'ann',
      reason: 'no such card',
      atMs: 1,
    }
    await sink.notify({ ...dead, kind: 'dropped' })
    await sink.notify(dead)
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }),
    )
    expect(messages.map(({ Body: body }) => JSON.parse(body ?? ''))).toEqual([dead])
  } finally {
    client.destroy()
    sqs.destroy()
    await emulator.stop()
  }
})
