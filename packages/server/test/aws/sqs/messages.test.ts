import { describe, expect, it } from 'vitest'
import { SqsClient, urlOf } from './support/sqs-client.ts'

const QueueUrl = urlOf('a')

async function withQueue(attributes = {}): Promise<SqsClient> {
  const sqs = new SqsClient()
  await sqs.createQueue('a', attributes)
  return sqs
}

describe('SQS: messages', () => {
  it('have at least one character, and only those that XML has a place for', async () => {
    const sqs = await withQueue()
    expect((await sqs.refused('SendMessage', { QueueUrl, MessageBody: '' })).message).toBe(
      'The request must contain the parameter MessageBody.',
    )
    for (const body of ['\t\n\r ~', '\uD7FF\uE000\uFFFD', '\u{10000}\u{10FFFF}']) {
      await sqs.send('a', body)
      const [received] = await sqs.receive('a')
      expect(received?.Body).toBe(body)
    }
    for (const body of ['a\u0000', '\u0008', '\u001F', '\uFFFE', '\uFFFF', '\uD800', 'x\uDC00']) {
      const refused = await sqs.refused('SendMessage', { QueueUrl, MessageBody: body })
      expect(refused.code, JSON.stringify(body)).toBe('InvalidMessageContents')
    }
  })

  it('are as large as the queue allows, attributes included, in bytes', async () => {
    const sqs = await withQueue({ MaximumMessageSize: '1024' })
    const kind = { DataType: 'String', StringValue: 'v' }
    // Name 4, type 6, value 1.
    const MessageAttributes = { kind }
    await sqs.send('a', 'ä'.repeat(512))
    await sqs.send('a', 'x'.repeat(1_024 - 11), { MessageAttributes })
    const trace = { DataType: 'String', StringValue: 'Root=1' }
    await sqs.send('a', 'x'.repeat(1_024), { MessageSystemAttributes: { AWSTraceHeader: trace } })
    for (const input of [
      { MessageBody: `${'ä'.repeat(512)}x` },
      { MessageBody: 'x'.repeat(1_024 - 10), MessageAttributes },
    ]) {
      expect((await sqs.refused('SendMessage', { QueueUrl, ...input })).message).toBe(
        'One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.',
      )
    }
  })

  it('are a mebibyte large in a queue that says nothing', async () => {
    const sqs = await withQueue()
    await sqs.send('a', 'x'.repeat(1_048_576))
    const [received] = await sqs.receive('a')
    expect(received?.Body.length).toBe(1_048_576)
    const input = { QueueUrl, MessageBody: 'x'.repeat(1_048_577) }
    expect((await sqs.refused('SendMessage', input)).queryCode).toBe('InvalidParameterValue')
  })

  it('are delayed by 0 to 900 seconds', async () => {
    const sqs = await withQueue()
    await sqs.send('a', 'x', { DelaySeconds: 900 })
    for (const DelaySeconds of [-1, 901]) {
      expect((await sqs.refused('SendMessage', { QueueUrl, MessageBody: 'x', DelaySeconds })).message).toBe(
        `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.`,
      )
    }
  })
})

describe('SQS: message attributes', () => {
  it('are shown as they were asked for, with a digest of what is shown', async () => {
    const sqs = await withQueue({ VisibilityTimeout: '0' })
    const MessageAttributes = {
      city: { DataType: 'String', StringValue: 'Köln' },
      'city.code': { DataType: 'Number.int', StringValue: '-5e3' },
      raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
    }
    const trace = { DataType: 'String', StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793' }
    const sent = await sqs.send('a', 'x', {
      MessageAttributes,
      MessageSystemAttributes: { AWSTraceHeader: trace },
    })
    expect(sent.MD5OfMessageSystemAttributes).toMatch(/^[0-9a-f]{32}$/)
    const shown = async (...names: string[]) => {
      const [message] = await sqs.receive('a', { MessageAttributeNames: names })
      return message
    }
    const all = await shown('All')
    expect(all?.MessageAttributes).toEqual(MessageAttributes)
    expect(all?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes)
    expect(all?.Attributes?.AWSTraceHeader).toBe(trace.StringValue)
    const named = async (...names: string[]) => Object.keys((await shown(...names))?.MessageAttributes ?? {})
    expect(await named('.*')).toEqual(['city', 'city.code', 'raw'])
    expect(await named('city')).toEqual(['city'])
    expect(await named('city.*')).toEqual(['city', 'city.code'])
    expect(await named('ra.*', 'no')).toEqual(['raw'])
    expect(await named()).toEqual([])
    expect((await shown('city'))?.MD5OfMessageAttributes).not.toBe(sent.MD5OfMessageAttributes)
    expect(await shown()).not.toHaveProperty('MD5OfMessageAttributes')
    const plain = await sqs.call('ReceiveMessage', { QueueUrl })
    expect((plain.Messages as object[])[0]).not.toHaveProperty('Attributes')
    for (const member of ['AttributeNames', 'MessageSystemAttributeNames']) {
      const answer = await sqs.call('ReceiveMessage', { QueueUrl, [member]: ['SenderId'] })
      expect(answer.Messages).toMatchObject([{ Attributes: { SenderId: '000000000000' } }])
    }
  })

  const value = { DataType: 'String', StringValue: 'v' }
  const accepted: readonly [string, object][] = [
    ['ten of them', Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`k${n}`, value]))],
    ['a name of 256 characters', { ['k'.repeat(256)]: value }],
    ['all characters of names', { 'a-Z_0.9': value, AWSx: value, amazonia: value }],
    ['a custom type', { k: { DataType: 'String.anything goes', StringValue: 'v' } }],
    ['a number of 38 digits', { k: { DataType: 'Number', StringValue: `${'9'.repeat(38)}000` } }],
    ['the largest number', { k: { DataType: 'Number', StringValue: '1e126' } }],
  ]
  for (const [what, MessageAttributes] of accepted) {
    it(`may be ${what}`, async () => {
      const sqs = await withQueue()
      await sqs.call('SendMessage', {
        QueueUrl,
        MessageBody: 'x',
        MessageAttributes: MessageAttributes as never,
      })
      const [received] = await sqs.receive('a')
      expect(received?.MessageAttributes).toEqual(MessageAttributes)
    })
  }

  const refused: readonly [string, object, string][] = [
    [
      'eleven of them',
      Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, value])),
      'Number of message attributes [11] exceeds the allowed maximum [10].',
    ],
    ['a name of 257 characters', { ['k'.repeat(257)]: value }, '1 to 256 characters'],
    ['no name', { '': value }, '1 to 256 characters'],
    ['a space in a name', { 'a b': value }, 'Invalid message (user) attribute name'],
    ['a period first', { '.a': value }, 'Invalid message (user) attribute name'],
    ['a period last', { 'a.': value }, 'Invalid message (user) attribute name'],
    ['two periods', { 'a..b': value }, 'Invalid message (user) attribute name'],
    ['a reserved prefix', { 'AWS.x': value }, 'reserved prefix'],
    ['the other reserved prefix', { 'amazon.x': value }, 'reserved prefix'],
    ['no type', { k: { DataType: '', StringValue: 'v' } }, 'non-empty message attribute type'],
    ['another type', { k: { DataType: 'Text', StringValue: 'v' } }, 'invalid message attribute type'],
    ['an empty text', { k: { DataType: 'String', StringValue: '' } }, 'non-empty message attribute value'],
    [
      'no text',
      { k: { DataType: 'String', BinaryValue: Uint8Array.of(1) } },
      'non-empty message attribute value',
    ],
    [
      'no bytes',
      { k: { DataType: 'Binary', BinaryValue: new Uint8Array() } },
      'non-empty message attribute value',
    ],
    [
      'a forbidden character',
      { k: { DataType: 'String', StringValue: '\u0001' } },
      'Invalid binary character',
    ],
    ['no number', { k: { DataType: 'Number', StringValue: '1,5' } }, 'to a number'],
    ['a number of 39 digits', { k: { DataType: 'Number', StringValue: '9'.repeat(39) } }, 'to a number'],
    ['a number too large', { k: { DataType: 'Number', StringValue: '1e127' } }, 'to a number'],
    ['a list', { k: { DataType: 'String', StringListValues: ['v'] } }, 'list values'],
  ]
  for (const [what, MessageAttributes, text] of refused) {
    it(`may not be ${what}`, async () => {
      const sqs = await withQueue()
      const input = { QueueUrl, MessageBody: 'x', MessageAttributes: MessageAttributes as never }
      expect((await sqs.refused('SendMessage', input)).message).toContain(text)
      expect(await sqs.counts('a')).toEqual([0, 0, 0])
    })
  }
})

describe('SQS: batches', () => {
  it('give each entry its own result, in order', async () => {
    const sqs = await withQueue()
    const sent = await sqs.call('SendMessageBatch', {
      QueueUrl,
      Entries: [
        { Id: 'one', MessageBody: 'x' },
        { Id: 'two', MessageBody: '\u0000' },
        { Id: 'three', MessageBody: 'y', DelaySeconds: 901 },
        { Id: 'four', MessageBody: 'z' },
      ],
    })
    expect(sent.Successful).toMatchObject([
      { Id: 'one', MD5OfMessageBody: '9dd4e461268c8034f5c8564e155c67a6' },
      { Id: 'four' },
    ])
    expect(sent.Failed).toMatchObject([
      { Id: 'two', SenderFault: true, Code: 'InvalidMessageContents' },
      { Id: 'three', SenderFault: true, Code: 'InvalidParameterValue' },
    ])
    const received = await sqs.receive('a')
    expect(received.map(({ Body }) => Body)).toEqual(['x', 'z'])
    const handles = received.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }))
    const changed = await sqs.call('ChangeMessageVisibilityBatch', {
      QueueUrl,
      Entries: [
        ...handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
        { Id: 'bad', ReceiptHandle: 'x', VisibilityTimeout: 60 },
      ],
    })
    expect(changed).toMatchObject({
      Successful: [{ Id: '0' }, { Id: '1' }],
      Failed: [{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }],
    })
    await sqs.seconds(59)
    expect(await sqs.counts('a')).toEqual([0, 2, 0])
    const deleted = await sqs.call('DeleteMessageBatch', {
      QueueUrl,
      Entries: [...handles, { Id: 'bad', ReceiptHandle: 'x' }],
    })
    expect(deleted).toMatchObject({
      Successful: [{ Id: '0' }, { Id: '1' }],
      Failed: [
        { Id: 'bad', Code: 'ReceiptHandleIsInvalid', Message: 'The input receipt handle is invalid.' },
      ],
    })
    expect(await sqs.counts('a')).toEqual([0, 0, 0])
  })

  for (const [operation, entry] of [
    ['SendMessageBatch', { MessageBody: 'x' }],
    ['DeleteMessageBatch', { ReceiptHandle: 'x' }],
    ['ChangeMessageVisibilityBatch', { ReceiptHandle: 'x', VisibilityTimeout: 1 }],
  ] as const) {
    it(`of ${operation} are refused as a whole when they are none`, async () => {
      const sqs = await withQueue()
      const refused = async (ids: readonly string[]) =>
        await sqs.refused(operation, { QueueUrl, Entries: ids.map((Id) => ({ Id, ...entry })) })
      const query = 'AWS.SimpleQueueService.'
      expect(await refused([])).toMatchObject({
        queryCode: `${query}EmptyBatchRequest`,
        message: `There should be at least one ${operation}RequestEntry in the request.`,
      })
      expect(await refused(Array.from({ length: 11 }, (_, n) => `${n}`))).toMatchObject({
        queryCode: `${query}TooManyEntriesInBatchRequest`,
        message: 'Maximum number of entries per request are 10. You have sent 11.',
      })
      expect(await refused(['a', 'b', 'a'])).toMatchObject({
        queryCode: `${query}BatchEntryIdsNotDistinct`,
        message: 'Id a repeated.',
      })
      for (const id of ['a b', '', 'x'.repeat(81)]) {
        expect((await refused([id])).queryCode).toBe(`${query}InvalidBatchEntryId`)
      }
      expect(await sqs.counts('a')).toEqual([0, 0, 0])
    })
  }

  it('are a mebibyte together', async () => {
    const sqs = await withQueue()
    const entries = (bytes: number) => [
      { Id: 'a', MessageBody: 'x'.repeat(524_288) },
      { Id: 'b', MessageBody: 'x'.repeat(bytes) },
    ]
    expect(await sqs.refused('SendMessageBatch', { QueueUrl, Entries: entries(524_289) })).toMatchObject({
      queryCode: 'AWS.SimpleQueueService.BatchRequestTooLong',
      message: 'Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.',
    })
    const sent = await sqs.call('SendMessageBatch', { QueueUrl, Entries: entries(524_288) })
    expect((sent.Successful as object[]).length).toBe(2)
    expect(sent).not.toHaveProperty('Failed')
  })
})

describe('SQS: receiving', () => {
  it('takes its parameters within their bounds', async () => {
    const sqs = await withQueue()
    const cases: readonly [string, readonly number[], string][] = [
      ['MaxNumberOfMessages', [0, 11], 'Must be between 1 and 10, if provided.'],
      ['WaitTimeSeconds', [-1, 21], 'Must be >= 0 and <= 20, if provided.'],
      ['VisibilityTimeout', [-1, 43_201], 'Must be between 0 and 43200, if provided.'],
    ]
    for (const [name, values, reason] of cases) {
      for (const value of values) {
        expect((await sqs.refused('ReceiveMessage', { QueueUrl, [name]: value })).message).toBe(
          `Value ${value} for parameter ${name} is invalid. Reason: ${reason}`,
        )
      }
    }
    for (const input of [
      { MaxNumberOfMessages: 1 },
      { MaxNumberOfMessages: 10, VisibilityTimeout: 43_200 },
    ]) {
      expect(await sqs.call('ReceiveMessage', { QueueUrl, ...input })).toEqual({})
    }
    const attempt = { QueueUrl, ReceiveRequestAttemptId: 'x' }
    expect((await sqs.refused('ReceiveMessage', attempt)).message).toContain('queue type')
  })

  it('takes receipts of its own only', async () => {
    const sqs = await withQueue()
    await sqs.createQueue('b')
    await sqs.send('a', 'x')
    const [received] = await sqs.receive('a')
    const ReceiptHandle = received?.ReceiptHandle ?? ''
    const forged = Buffer.from(ReceiptHandle, 'base64').toString().replace(/\d+$/, '2')
    for (const input of [
      { QueueUrl: urlOf('b'), ReceiptHandle },
      { QueueUrl, ReceiptHandle: 'x' },
      { QueueUrl, ReceiptHandle: 'x'.repeat(2_000) },
      { QueueUrl, ReceiptHandle: Buffer.from(forged).toString('base64') },
    ]) {
      expect(await sqs.refused('DeleteMessage', input)).toMatchObject({
        code: 'ReceiptHandleIsInvalid',
        status: 404,
      })
    }
    expect(await sqs.counts('a')).toEqual([0, 1, 0])
  })
})
