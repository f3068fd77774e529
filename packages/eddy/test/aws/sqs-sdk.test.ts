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
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  RemovePermissionCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACCESS, type Endpoint, servedOperations, startEndpoint } from './support/endpoint.ts'
import { operationsCalled } from './support/operations-called.ts'

const arnOf = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`
const bodiesOf = (messages: readonly Message[]) => messages.map(({ Body }) => Body)

/** The client itself compares the MD5 of every body with its own. One story: each test goes on from the one before. */
describe('The SQS client of the JavaScript SDK', () => {
  let endpoint: Endpoint
  let sqs: SQSClient
  let called: ReadonlySet<string>

  beforeAll(async () => {
    endpoint = await startEndpoint()
    sqs = new SQSClient({ endpoint: endpoint.url, ...ACCESS })
    called = operationsCalled(sqs)
  })
  afterAll(async () => {
    sqs?.destroy()
    await endpoint?.close()
  })

  it('creates queues, finds them, and sets their attributes', async () => {
    const QueueUrl = await create('jobs', { VisibilityTimeout: '45' })
    expect(QueueUrl).toBe(`${endpoint.url}/000000000000/jobs`)
    await create('mail')
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ MaxResults: 1 }))
    expect(QueueUrls).toHaveLength(1)
    expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'jo' }))).QueueUrls).toEqual([QueueUrl])
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '30' } }))
    expect(await attributesOf(QueueUrl)).toMatchObject({
      QueueArn: arnOf('jobs'),
      VisibilityTimeout: '30',
      MessageRetentionPeriod: '345600',
    })
  })

  it('sends, receives and deletes a message with attributes', async () => {
    const QueueUrl = await urlOf('jobs')
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'ä' },
      bytes: { DataType: 'Binary.raw', BinaryValue: new Uint8Array([0, 255]) },
    }
    const trace = { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' } as const
    const sent = await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'a "body" €',
        MessageAttributes,
        MessageSystemAttributes: { AWSTraceHeader: trace },
      }),
    )
    expect(sent).toMatchObject({ MD5OfMessageSystemAttributes: expect.stringMatching(/^[\da-f]{32}$/) })
    const [message] = await receive(QueueUrl, { MessageAttributeNames: ['All'] })
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'a "body" €',
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      MessageAttributes,
      Attributes: { AWSTraceHeader: trace.StringValue, ApproximateReceiveCount: '1' },
    })
    const { ReceiptHandle } = message as Message
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 60 }))
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    expect(await receive(QueueUrl)).toEqual([])
  })

  it('does so in batches, of which single entries fail', async () => {
    const QueueUrl = await urlOf('jobs')
    const sent = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'a', MessageBody: 'one' },
          { Id: 'b', MessageBody: 'never', DelaySeconds: 901 },
          { Id: 'c', MessageBody: 'two' },
        ],
      }),
    )
    expect(sent).toMatchObject({
      Successful: [{ Id: 'a' }, { Id: 'c' }],
      Failed: [{ Id: 'b', Code: 'InvalidParameterValue', SenderFault: true }],
    })
    const messages = await receive(QueueUrl)
    expect(bodiesOf(messages).sort()).toEqual(['one', 'two'])
    const entries = messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }))
    const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 90 }))
    const changed = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
    expect(changed.Successful).toHaveLength(2)
    const removed = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: entries }))
    expect(removed).toMatchObject({ Successful: [{ Id: '0' }, { Id: '1' }] })
  })

  it('waits for a message that another client sends, and stops waiting when it is told to', async () => {
    const QueueUrl = await urlOf('mail')
    const waiting = receive(QueueUrl, { WaitTimeSeconds: 20 })
    const other = new SQSClient({ endpoint: endpoint.url, ...ACCESS })
    await other.send(new SendMessageCommand({ QueueUrl, MessageBody: 'late' }))
    other.destroy()
    expect(bodiesOf(await waiting)).toEqual(['late'])

    const abort = new AbortController()
    const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })
    const given = sqs.send(command, { abortSignal: abort.signal })
    abort.abort()
    await expect(given).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('keeps order within a group, and takes a message once, in a FIFO queue', async () => {
    const QueueUrl = await create('steps.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' })
    const send = async (MessageBody: string) =>
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'g' }))
    const first = await send('1')
    expect(await send('1')).toMatchObject({
      MessageId: first.MessageId,
      SequenceNumber: first.SequenceNumber,
    })
    await send('2')
    const [head] = await receive(QueueUrl, { MaxNumberOfMessages: 1 })
    expect(head).toMatchObject({ Body: '1', Attributes: { MessageGroupId: 'g' } })
    expect(await receive(QueueUrl)).toEqual([])
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: head?.ReceiptHandle }))
    expect(bodiesOf(await receive(QueueUrl))).toEqual(['2'])
  })

  it('moves messages to a dead-letter queue, and a task moves them back', async () => {
    const dead = await create('dead')
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf('dead'), maxReceiveCount: 1 })
    const source = await create('fragile', { VisibilityTimeout: '0', RedrivePolicy })
    const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))
    expect(sources.queueUrls).toEqual([source])
    await sqs.send(new SendMessageCommand({ QueueUrl: source, MessageBody: 'poison' }))
    expect(bodiesOf(await receive(source))).toEqual(['poison'])
    expect(await receive(source)).toEqual([])
    expect(await attributesOf(dead)).toMatchObject({ ApproximateNumberOfMessages: '1' })

    const SourceArn = arnOf('dead')
    const { TaskHandle } = await sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))
    expect(TaskHandle).toEqual(expect.any(String))
    expect(bodiesOf(await receive(source, { WaitTimeSeconds: 20 }))).toEqual(['poison'])
    const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn }))
    expect(Results).toMatchObject([{ SourceArn, ApproximateNumberOfMessagesMoved: 1 }])
    const cancel = sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: 'none' }))
    await expect(cancel).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    })
  })

  it('tags and purges a queue', async () => {
    const QueueUrl = await urlOf('jobs')
    await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { team: 'checkout', stage: 'test' } }))
    await sqs.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['stage'] }))
    expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ team: 'checkout' })
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds: 900 }))
    expect(await attributesOf(QueueUrl)).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1' })
    await sqs.send(new PurgeQueueCommand({ QueueUrl }))
    expect(await attributesOf(QueueUrl)).toMatchObject({ ApproximateNumberOfMessagesDelayed: '0' })
  })

  it('gets errors as classes of its own', async () => {
    const nowhere = sqs.send(new GetQueueUrlCommand({ QueueName: 'nowhere' }))
    await expect(nowhere).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      $metadata: { httpStatusCode: 400 },
    })
    const unknown = sqs.send(new RemovePermissionCommand({ QueueUrl: await urlOf('jobs'), Label: 'x' }))
    await expect(unknown).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
  })

  it('deletes a queue', async () => {
    const QueueUrl = await urlOf('jobs')
    await sqs.send(new DeleteQueueCommand({ QueueUrl }))
    const sent = sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))
    await expect(sent).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
  })

  it('has called every operation that is served', async () => {
    const meant = [...called].filter((name) => name !== 'RemovePermission').sort()
    expect(meant).toEqual(await servedOperations('SQS'))
  })

  async function create(QueueName: string, Attributes: Record<string, string> = {}): Promise<string> {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
    return QueueUrl
  }

  async function urlOf(QueueName: string): Promise<string> {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? ''
  }

  async function attributesOf(QueueUrl: string): Promise<Readonly<Record<string, string>>> {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })
    return (await sqs.send(command)).Attributes ?? {}
  }

  async function receive(
    QueueUrl: string,
    more: Partial<ReceiveMessageCommandInput> = {},
  ): Promise<readonly Message[]> {
    const asked = {
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All' as const],
      ...more,
    }
    return (await sqs.send(new ReceiveMessageCommand(asked))).Messages ?? []
  }
})
