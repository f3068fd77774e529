import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs'
import { type EmbeddedEngine, openEmbedded } from '@eddy/embedded'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveAws } from '../../../src/aws/listen/serve-aws.ts'
import { sqsService } from '../../../src/aws/sqs/sqs-service.ts'
import type { RunningServer } from '../../../src/serve.ts'

/** The service as it is served: over HTTP, on the embedded engine, by the SDK, which verifies our digests. */
describe('SQS over the wire', () => {
  let dir = ''
  let stop = new AbortController()
  let engine: EmbeddedEngine
  let server: RunningServer
  let client: SQSClient

  const start = async (): Promise<void> => {
    stop = new AbortController()
    engine = await openEmbedded({ dataDir: join(dir, 'data') })
    server = await serveAws({
      services: [sqsService({ table: engine.table, clock: engine.clock, signal: stop.signal })],
      host: '127.0.0.1',
      port: 0,
      region: 'us-east-1',
      accountId: '000000000000',
      closeTimeoutMs: 1_000,
    })
    client = new SQSClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
    })
  }

  const end = async (): Promise<void> => {
    client.destroy()
    stop.abort()
    await server.close()
    await engine.close()
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'eddy-sqs-'))
    await start()
  })

  afterAll(async () => {
    await end()
    await rm(dir, { recursive: true })
  })

  const create = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes }))
    expect(QueueUrl).toBe(`${server.url}/000000000000/${QueueName}`)
    return QueueUrl as string
  }

  it('the SDK sends, receives, hides and deletes; its digests agree with ours', async () => {
    const QueueUrl = await create('plain')
    const MessageAttributes = {
      city: { DataType: 'String', StringValue: 'Köln' },
      raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255, 128) },
      count: { DataType: 'Number.int', StringValue: '7' },
    }
    const trace = { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' }
    // The SDK throws when a digest is not the one it computes.
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'grüße 👋 & <more>',
        MessageAttributes,
        MessageSystemAttributes: { AWSTraceHeader: trace },
      }),
    )
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
        WaitTimeSeconds: 1,
      }),
    )
    const [message] = Messages ?? []
    expect(message).toMatchObject({
      Body: 'grüße 👋 & <more>',
      MessageAttributes,
      Attributes: { ApproximateReceiveCount: '1', AWSTraceHeader: trace.StringValue },
    })
    const { ReceiptHandle } = message ?? {}
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
    const again = await client.send(new ReceiveMessageCommand({ QueueUrl, AttributeNames: ['All'] }))
    expect(again.Messages?.[0]?.Attributes?.ApproximateReceiveCount).toBe('2')
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    expect((await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined()
  })

  it('the SDK sends and deletes in batches', async () => {
    const QueueUrl = await create('batches.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' })
    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: ['a', 'b', 'a'].map((MessageBody, index) => ({
          Id: `${index}`,
          MessageBody,
          MessageGroupId: 'g',
        })),
      }),
    )
    expect(sent.Successful?.map(({ SequenceNumber }) => SequenceNumber?.length)).toEqual([20, 20, 20])
    expect(sent.Successful?.[2]?.MessageId).toBe(sent.Successful?.[0]?.MessageId)
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    expect(Messages?.map(({ Body }) => Body)).toEqual(['a', 'b'])
    const Entries = (Messages ?? []).map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }))
    const changed = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: Entries.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
      }),
    )
    expect(changed.Successful?.length).toBe(2)
    const deleted = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    expect(deleted.Successful?.length).toBe(2)
  })

  it('the SDK knows queues by attributes, tags and sources, and moves dead letters', async () => {
    const deadUrl = await create('dead')
    const arn = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`
    const QueueUrl = await create('work')
    await client.send(
      new SetQueueAttributesCommand({
        QueueUrl,
        Attributes: {
          VisibilityTimeout: '0',
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 1 }),
        },
      }),
    )
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    )
    expect(Attributes).toMatchObject({ VisibilityTimeout: '0', QueueArn: arn('work') })
    const sources = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: deadUrl }))
    expect(sources.queueUrls).toEqual([QueueUrl])
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'work' }))).QueueUrl).toBe(QueueUrl)
    const { QueueUrls } = await client.send(new ListQueuesCommand({ QueueNamePrefix: 'wo' }))
    expect(QueueUrls).toEqual([QueueUrl])
    await client.send(new TagQueueCommand({ QueueUrl, Tags: { team: 'x', stage: 'y' } }))
    await client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['stage'] }))
    expect((await client.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ team: 'x' })

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))
    for (let receives = 0; receives < 2; receives++)
      await client.send(new ReceiveMessageCommand({ QueueUrl }))
    const task = { SourceArn: arn('dead'), MaxNumberOfMessagesPerSecond: 1 }
    const { TaskHandle } = await client.send(new StartMessageMoveTaskCommand(task))
    expect(
      (await client.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).$metadata.httpStatusCode,
    ).toBe(200)
    const { Results } = await client.send(new ListMessageMoveTasksCommand({ SourceArn: arn('dead') }))
    expect(Results).toMatchObject([{ Status: 'CANCELLED', ApproximateNumberOfMessagesToMove: 1 }])
    await client.send(new PurgeQueueCommand({ QueueUrl: deadUrl }))
    await client.send(new DeleteQueueCommand({ QueueUrl: deadUrl }))
    const gone = await client
      .send(new PurgeQueueCommand({ QueueUrl: deadUrl }))
      .catch((error: unknown) => error)
    expect(gone).toBeInstanceOf(QueueDoesNotExist)
  })

  it('a long poll is answered by a send of another client, and ends with its own', async () => {
    const QueueUrl = await create('polled')
    const leaving = new AbortController()
    // Should the message come before the endpoint knows that this client has gone, it comes back soon.
    const left = client
      .send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, VisibilityTimeout: 1 }), {
        abortSignal: leaving.signal,
      })
      .catch((error: unknown) => error)
    leaving.abort()
    expect(await left).toMatchObject({ name: 'AbortError' })
    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }))
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))
    expect((await poll).Messages?.[0]?.Body).toBe('x')
  })

  it('everything is there after a restart of the engine', async () => {
    const QueueUrl = await create('lasting')
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hidden' }))
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 600 }))
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'ready' }))
    await end()
    await start()
    const url = `${server.url}/000000000000/lasting`
    const received = await client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }))
    expect(received.Messages?.map(({ Body }) => Body)).toEqual(['ready'])
    const [hidden] = Messages ?? []
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: hidden?.ReceiptHandle }))
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
      }),
    )
    expect(Attributes).toEqual({ ApproximateNumberOfMessagesNotVisible: '1' })
  })

  it('the query protocol says the same in XML', async () => {
    const query = async (parameters: Record<string, string>): Promise<readonly [number, string]> => {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ Version: '2012-11-05', ...parameters }),
      })
      return [response.status, await response.text()]
    }
    const [, created] = await query({
      Action: 'CreateQueue',
      QueueName: 'xml',
      'Attribute.1.Name': 'VisibilityTimeout',
      'Attribute.1.Value': '5',
      'Tag.1.Key': 'team',
      'Tag.1.Value': 'x',
    })
    const QueueUrl = `${server.url}/000000000000/xml`
    expect(created).toContain(`<CreateQueueResult><QueueUrl>${QueueUrl}</QueueUrl></CreateQueueResult>`)
    const [, sent] = await query({
      Action: 'SendMessage',
      QueueUrl,
      MessageBody: 'a & b',
      'MessageAttribute.1.Name': 'raw',
      'MessageAttribute.1.Value.DataType': 'Binary',
      'MessageAttribute.1.Value.BinaryValue': 'AP8=',
    })
    // As computed by hand: lengths of four bytes, a byte for the kind.
    expect(sent).toContain(
      '<MD5OfMessageAttributes>c7aa88e1eb5e510dc01322c2d19c4c10</MD5OfMessageAttributes>',
    )
    const [, received] = await query({
      Action: 'ReceiveMessage',
      QueueUrl,
      'AttributeName.1': 'All',
      'MessageAttributeName.1': 'All',
    })
    expect(received).toContain('<Body>a &amp; b</Body>')
    expect(received).toContain('<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>')
    expect(received).toContain('<BinaryValue>AP8=</BinaryValue>')
    const digest = /<MD5OfMessageAttributes>(\w+)</
    expect(digest.exec(received)?.[1]).toBe(digest.exec(sent)?.[1])
    const [status, missing] = await query({ Action: 'PurgeQueue', QueueUrl: `${QueueUrl}2` })
    expect(status).toBe(400)
    expect(missing).toContain('<Code>AWS.SimpleQueueService.NonExistentQueue</Code>')
    const [unknown, refused] = await query({ Action: 'AddPermission', QueueUrl })
    expect(unknown).toBe(400)
    expect(refused).toContain('<Code>InvalidAction</Code>')
  })
})
