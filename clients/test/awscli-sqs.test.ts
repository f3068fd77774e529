import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AwsCommand } from './support/aws-command.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

interface Message {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly Body: string
  readonly Attributes?: Readonly<Record<string, string>>
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const arnOf = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`

/** Version 2.9 speaks the form-encoded query protocol, with XML in the answers. Each test goes on from the one before. */
describe("Debian's aws sqs", () => {
  let endpoint: Endpoint
  let aws: AwsCommand
  const sqs = <T = unknown>(operation: string, ...args: readonly string[]) =>
    aws.run<T>('sqs', operation, ...args)
  const create = async (name: string, attributes: Readonly<Record<string, string>> = {}) => {
    const args = ['--queue-name', name, '--attributes', JSON.stringify(attributes)]
    return (await sqs<{ QueueUrl: string }>('create-queue', ...args)).QueueUrl
  }
  const receive = async (url: string, ...args: readonly string[]): Promise<readonly Message[]> => {
    const all = ['--queue-url', url, '--max-number-of-messages', '10', '--attribute-names', 'All', ...args]
    return (await sqs<{ Messages?: Message[] } | undefined>('receive-message', ...all))?.Messages ?? []
  }
  const remove = (url: string, { ReceiptHandle }: Message) =>
    sqs('delete-message', '--queue-url', url, '--receipt-handle', ReceiptHandle)

  beforeAll(async () => {
    endpoint = await startEndpoint()
    aws = new AwsCommand(endpoint.url)
  })
  afterAll(async () => await endpoint?.stop())

  it('creates a queue, finds it, and reads and sets its attributes', async () => {
    const url = await create('jobs', { VisibilityTimeout: '45', MaximumMessageSize: '2048' })
    expect(url).toBe(`${endpoint.url}/000000000000/jobs`)
    expect(await create('jobs', { VisibilityTimeout: '45' })).toBe(url)
    expect(await sqs('get-queue-url', '--queue-name', 'jobs')).toEqual({ QueueUrl: url })
    await create('mail', { VisibilityTimeout: '600' })
    expect(await sqs('list-queues')).toEqual({ QueueUrls: [url, `${endpoint.url}/000000000000/mail`] })
    expect(await sqs('list-queues', '--queue-name-prefix', 'ma')).toMatchObject({
      QueueUrls: [expect.stringMatching(/mail$/)],
    })

    await sqs(
      'set-queue-attributes',
      '--queue-url',
      url,
      '--attributes',
      'VisibilityTimeout=30,DelaySeconds=0',
    )
    const { Attributes } = await sqs<{ Attributes: Record<string, string> }>(
      'get-queue-attributes',
      '--queue-url',
      url,
      '--attribute-names',
      'All',
    )
    expect(Attributes).toMatchObject({
      QueueArn: arnOf('jobs'),
      VisibilityTimeout: '30',
      MaximumMessageSize: '2048',
      MessageRetentionPeriod: '345600',
      ApproximateNumberOfMessages: '0',
      ReceiveMessageWaitTimeSeconds: '0',
    })
  })

  it('sends a message with attributes, receives it, and deletes it', async () => {
    const url = await urlOf('jobs')
    const attributes = {
      shop: { DataType: 'String', StringValue: 'één & <zwei>' },
      count: { DataType: 'Number', StringValue: '42' },
      raw: { DataType: 'Binary', BinaryValue: Buffer.from([0, 1, 255]).toString('base64') },
    }
    const body = 'a "body" & <more> €'
    const sent = await sqs<{ MessageId: string; MD5OfMessageAttributes: string }>(
      'send-message',
      '--queue-url',
      url,
      '--message-body',
      body,
      '--message-attributes',
      JSON.stringify(attributes),
    )
    expect(sent).toMatchObject({ MD5OfMessageBody: md5(body) })
    const [message] = (await receive(url, '--message-attribute-names', 'All')) as [Message]
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: body,
      MD5OfBody: md5(body),
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      MessageAttributes: attributes,
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.stringMatching(/^\d{13}$/) },
    })
    await remove(url, message)
    expect(await counts(url)).toEqual({ waiting: '0', taken: '0', delayed: '0' })
  })

  it('sends a batch of which some fail, and deletes a batch', async () => {
    const url = await urlOf('jobs')
    const entries = [
      { Id: 'a', MessageBody: 'one' },
      { Id: 'b', MessageBody: 'two', DelaySeconds: 900 },
      { Id: 'c', MessageBody: 'a control character: \u0007' },
    ]
    const answer = await sqs('send-message-batch', '--queue-url', url, '--entries', JSON.stringify(entries))
    expect(answer).toMatchObject({
      Successful: [{ Id: 'a', MD5OfMessageBody: md5('one') }, { Id: 'b' }],
      Failed: [{ Id: 'c', Code: 'InvalidMessageContents', SenderFault: true }],
    })
    expect(await counts(url)).toEqual({ waiting: '1', taken: '0', delayed: '1' })
    const [message] = (await receive(url)) as [Message]
    const removed = await sqs(
      'delete-message-batch',
      '--queue-url',
      url,
      '--entries',
      JSON.stringify([{ Id: 'x', ReceiptHandle: message.ReceiptHandle }]),
    )
    expect(removed).toMatchObject({ Successful: [{ Id: 'x' }] })
    await sqs('purge-queue', '--queue-url', url)
    expect(await counts(url)).toEqual({ waiting: '0', taken: '0', delayed: '0' })
  })

  it('hands a message out again at once when its visibility is set to 0', async () => {
    const url = await urlOf('mail')
    await sqs('send-message', '--queue-url', url, '--message-body', 'again')
    const [first] = (await receive(url)) as [Message]
    expect(await receive(url)).toEqual([])
    await sqs(
      'change-message-visibility',
      '--queue-url',
      url,
      '--receipt-handle',
      first.ReceiptHandle,
      '--visibility-timeout',
      '0',
    )
    const [second] = (await receive(url, '--wait-time-seconds', '5')) as [Message]
    expect(second).toMatchObject({
      MessageId: first.MessageId,
      Attributes: { ApproximateReceiveCount: '2' },
    })
    const entry = { Id: '1', ReceiptHandle: second.ReceiptHandle, VisibilityTimeout: 0 }
    const batch = ['--queue-url', url, '--entries', JSON.stringify([entry])]
    expect(await sqs('change-message-visibility-batch', ...batch)).toMatchObject({
      Successful: [{ Id: '1' }],
    })
    const [third] = (await receive(url, '--wait-time-seconds', '5')) as [Message]
    await remove(url, third)
  })

  it('waits for a message that is sent later', async () => {
    const url = await urlOf('mail')
    const waiting = receive(url, '--wait-time-seconds', '20')
    await sqs('send-message', '--queue-url', url, '--message-body', 'late', '--delay-seconds', '1')
    const [message] = (await waiting) as [Message]
    expect(message.Body).toBe('late')
    await remove(url, message)
  })

  it('keeps the order of a group of a FIFO queue, and sends the same message once', async () => {
    const url = await create('steps.fifo', {
      FifoQueue: 'true',
      ContentBasedDeduplication: 'true',
      VisibilityTimeout: '600',
    })
    const send = (body: string, group: string) =>
      sqs<{ MessageId: string; SequenceNumber: string }>(
        'send-message',
        '--queue-url',
        url,
        '--message-body',
        body,
        '--message-group-id',
        group,
      )
    const first = await send('1', 'g')
    const copy = await send('1', 'g')
    expect(copy).toMatchObject({ MessageId: first.MessageId, SequenceNumber: first.SequenceNumber })
    expect(first.SequenceNumber).toMatch(/^\d{20}$/)
    await send('2', 'g')
    await send('3', 'h')

    const messages = await receive(url)
    expect(messages.map(({ Body }) => Body).sort()).toEqual(['1', '2', '3'])
    const ofGroup = messages.filter(({ Attributes }) => Attributes?.MessageGroupId === 'g')
    expect(ofGroup.map(({ Body }) => Body)).toEqual(['1', '2'])
    await send('4', 'g')
    expect(await receive(url)).toEqual([])
    for (const message of messages) await remove(url, message)
    const rest = await receive(url)
    expect(rest.map(({ Body }) => Body)).toEqual(['4'])
    expect(await aws.refused('sqs', 'send-message', '--queue-url', url, '--message-body', 'x')).toMatch(
      /MissingParameter.*MessageGroupId/,
    )
  })

  it('moves what was received too often to a dead-letter queue', async () => {
    const dead = await create('dead')
    const policy = { deadLetterTargetArn: arnOf('dead'), maxReceiveCount: '1' }
    const source = await create('fragile', { RedrivePolicy: JSON.stringify(policy), VisibilityTimeout: '0' })
    expect(await sqs('list-dead-letter-source-queues', '--queue-url', dead)).toEqual({ queueUrls: [source] })
    await sqs('send-message', '--queue-url', source, '--message-body', 'poison')
    expect(await receive(source)).toMatchObject([{ Body: 'poison' }])
    expect(await receive(source)).toEqual([])
    const [moved] = (await receive(dead, '--wait-time-seconds', '5', '--visibility-timeout', '0')) as [
      Message,
    ]
    expect(moved).toMatchObject({
      Body: 'poison',
      Attributes: { DeadLetterQueueSourceArn: arnOf('fragile') },
    })
  })

  it('tags a queue', async () => {
    const url = await urlOf('jobs')
    await sqs('tag-queue', '--queue-url', url, '--tags', 'team=checkout,stage=test')
    await sqs('untag-queue', '--queue-url', url, '--tag-keys', 'stage')
    expect(await sqs('list-queue-tags', '--queue-url', url)).toEqual({ Tags: { team: 'checkout' } })
  })

  it("is refused in the service's words", async () => {
    expect(await aws.refused('sqs', 'get-queue-url', '--queue-name', 'nowhere')).toMatch(
      /\(AWS\.SimpleQueueService\.NonExistentQueue\).*specified queue does not exist/,
    )
    const url = await urlOf('jobs')
    const many = ['--queue-url', url, '--max-number-of-messages', '11']
    expect(await aws.refused('sqs', 'receive-message', ...many)).toMatch(/\(InvalidParameterValue\)/)
    const twice = JSON.stringify([
      { Id: 'a', MessageBody: '1' },
      { Id: 'a', MessageBody: '2' },
    ])
    expect(await aws.refused('sqs', 'send-message-batch', '--queue-url', url, '--entries', twice)).toMatch(
      /\(AWS\.SimpleQueueService\.BatchEntryIdsNotDistinct\)/,
    )
    expect(await aws.refused('sqs', 'remove-permission', '--queue-url', url, '--label', 'x')).toMatch(
      /\(InvalidAction\)/,
    )
  })

  it('deletes a queue', async () => {
    await sqs('delete-queue', '--queue-url', await urlOf('jobs'))
    expect(await aws.refused('sqs', 'get-queue-url', '--queue-name', 'jobs')).toMatch(/NonExistentQueue/)
  })

  async function urlOf(name: string): Promise<string> {
    return (await sqs<{ QueueUrl: string }>('get-queue-url', '--queue-name', name)).QueueUrl
  }

  async function counts(url: string): Promise<{ waiting?: string; taken?: string; delayed?: string }> {
    const { Attributes: of } = await sqs<{ Attributes: Record<string, string> }>(
      'get-queue-attributes',
      '--queue-url',
      url,
      '--attribute-names',
      'All',
    )
    return {
      waiting: of.ApproximateNumberOfMessages ?? '',
      taken: of.ApproximateNumberOfMessagesNotVisible ?? '',
      delayed: of.ApproximateNumberOfMessagesDelayed ?? '',
    }
  }
})
