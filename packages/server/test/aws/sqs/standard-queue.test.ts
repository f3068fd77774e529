import { describe, expect, it } from 'vitest'
import { messagesIn, SqsClient, urlOf } from './support/sqs-client.ts'

describe('SQS: a standard queue', () => {
  it('hands a message out with what was sent, hides it, and hands it out again after the visibility timeout', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    const sent = await sqs.send('orders', 'hello')
    const [first] = await sqs.receive('orders')
    expect(first).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'hello',
      MD5OfBody: '5d41402abc4b2a76b9719d911017c592',
      Attributes: {
        ApproximateReceiveCount: '1',
        SenderId: '000000000000',
        SentTimestamp: String(sqs.clock.now()),
        ApproximateFirstReceiveTimestamp: String(sqs.clock.now()),
      },
    })
    const firstReceiveMs = sqs.clock.now()
    expect(await sqs.receive('orders')).toEqual([])
    await sqs.seconds(29.999)
    expect(await sqs.receive('orders')).toEqual([])
    await sqs.clock.advance(1)
    const [second] = await sqs.receive('orders')
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle)
    expect(second?.Attributes).toMatchObject({
      ApproximateReceiveCount: '2',
      ApproximateFirstReceiveTimestamp: String(firstReceiveMs),
    })
    // An older receipt deletes it too.
    await sqs.delete('orders', first)
    await sqs.seconds(31)
    expect(await sqs.receive('orders')).toEqual([])
    expect(await sqs.counts('orders')).toEqual([0, 0, 0])
    await sqs.delete('orders', second)
  })

  it('delays as the message says, else as the queue does', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders', { DelaySeconds: '10' })
    await sqs.send('orders', 'queue')
    await sqs.send('orders', 'now', { DelaySeconds: 0 })
    await sqs.send('orders', 'later', { DelaySeconds: 900 })
    expect(await sqs.counts('orders')).toEqual([1, 0, 2])
    expect(await sqs.receiveBodies('orders', { VisibilityTimeout: 3_600 })).toEqual(['now'])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies('orders', { VisibilityTimeout: 3_600 })).toEqual(['queue'])
    await sqs.seconds(889)
    expect(await sqs.receiveBodies('orders')).toEqual([])
    await sqs.seconds(1)
    expect(await sqs.receiveBodies('orders')).toEqual(['later'])
  })

  it('changes the visibility of what is in flight, twelve hours in all at most', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    await sqs.send('orders', 'a')
    const [message] = await sqs.receive('orders')
    await sqs.hide('orders', message, 0)
    const [again] = await sqs.receive('orders')
    expect(again?.Body).toBe('a')
    await sqs.seconds(20)
    await sqs.hide('orders', again, 40)
    await sqs.seconds(39)
    expect(await sqs.receive('orders')).toEqual([])
    const input = {
      QueueUrl: urlOf('orders'),
      ReceiptHandle: again?.ReceiptHandle,
      VisibilityTimeout: 43_200,
    }
    const tooLong = await sqs.refused('ChangeMessageVisibility', input)
    expect(tooLong).toMatchObject({
      code: 'InvalidParameterValueException',
      message:
        'Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].',
    })
    await sqs.call('ChangeMessageVisibility', { ...input, VisibilityTimeout: 43_200 - 59 })
    await sqs.seconds(43_200 - 59)
    expect(await sqs.refused('ChangeMessageVisibility', { ...input, VisibilityTimeout: 1 })).toMatchObject({
      code: 'MessageNotInflight',
      queryCode: 'AWS.SimpleQueueService.MessageNotInflight',
    })
    const [last] = await sqs.receive('orders')
    await sqs.delete('orders', last)
    expect(await sqs.refused('ChangeMessageVisibility', { ...input, VisibilityTimeout: 1 })).toMatchObject({
      queryCode: 'InvalidParameterValue',
    })
  })

  it('lets messages go after the retention period, in flight or not, also when it is shortened', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders', { MessageRetentionPeriod: '120' })
    await sqs.send('orders', 'old')
    await sqs.seconds(60)
    await sqs.send('orders', 'young')
    expect((await sqs.receive('orders', { MaxNumberOfMessages: 1, VisibilityTimeout: 600 })).length).toBe(1)
    await sqs.seconds(59)
    expect(await sqs.counts('orders')).toEqual([1, 1, 0])
    await sqs.seconds(1)
    expect(await sqs.counts('orders')).toEqual([1, 0, 0])
    await sqs.call('SetQueueAttributes', {
      QueueUrl: urlOf('orders'),
      Attributes: { MessageRetentionPeriod: '60' },
    })
    expect(await sqs.counts('orders')).toEqual([0, 0, 0])
    await sqs.seconds(0)
    expect(sqs.stored('messages')).toEqual([])
    expect(sqs.stored('contents')).toEqual([])
  })

  it('removes from the table what expired, also when it is much at once', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders', { MessageRetentionPeriod: '60' })
    for (let batch = 0; batch < 25; batch++) {
      const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `${index}`, MessageBody: 'x' }))
      await sqs.call('SendMessageBatch', { QueueUrl: urlOf('orders'), Entries })
    }
    expect(sqs.stored('messages').length).toBe(250)
    await sqs.seconds(60)
    expect(await sqs.receive('orders')).toEqual([])
    await sqs.seconds(1)
    expect(sqs.stored('messages')).toEqual([])
    expect(sqs.stored('contents')).toEqual([])
  })

  it('keeps no order of its message groups and has no use for deduplication ids', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    await sqs.send('orders', 'a', { MessageGroupId: 'tenant' })
    await sqs.send('orders', 'b', { MessageGroupId: 'tenant' })
    const [a] = await sqs.receive('orders', { MaxNumberOfMessages: 1 })
    const [b] = await sqs.receive('orders', { MaxNumberOfMessages: 1 })
    expect([a?.Body, b?.Body]).toEqual(['a', 'b'])
    expect(a?.Attributes?.MessageGroupId).toBe('tenant')
    expect(a?.Attributes?.SequenceNumber).toBeUndefined()
    const input = { QueueUrl: urlOf('orders'), MessageBody: 'c', MessageDeduplicationId: '1' }
    expect((await sqs.refused('SendMessage', input)).queryCode).toBe('InvalidParameterValue')
  })

  it('has at most so many messages in flight: a short poll is refused, a long one gets none', async () => {
    const sqs = new SqsClient({ limits: { inFlight: 3 } })
    await sqs.createQueue('orders')
    for (const body of ['a', 'b', 'c', 'd']) await sqs.send('orders', body)
    expect((await sqs.receive('orders')).length).toBe(3)
    const input = { QueueUrl: urlOf('orders') }
    expect(await sqs.refused('ReceiveMessage', input)).toMatchObject({ code: 'OverLimit', status: 403 })
    expect(await sqs.receive('orders', { WaitTimeSeconds: 5 })).toEqual([])
  })

  it('refuses more messages than memory is meant for', async () => {
    const sqs = new SqsClient({ limits: { messages: 2 } })
    await sqs.createQueue('a')
    await sqs.createQueue('b')
    await sqs.send('a', '1')
    await sqs.send('b', '2')
    const more = { QueueUrl: urlOf('a'), MessageBody: '3' }
    expect((await sqs.refused('SendMessage', more)).code).toBe('OverLimit')
    await sqs.call('PurgeQueue', { QueueUrl: urlOf('b') })
    await sqs.send('a', '3')
    const [first] = await sqs.receive('a')
    await sqs.delete('a', first)
    await sqs.send('a', '4')
    expect((await sqs.refused('SendMessage', more)).code).toBe('OverLimit')
  })

  it('purges what is there, once a minute', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    await sqs.send('orders', 'a')
    await sqs.send('orders', 'b')
    const [first] = await sqs.receive('orders', { MaxNumberOfMessages: 1 })
    await sqs.call('PurgeQueue', { QueueUrl: urlOf('orders') })
    await sqs.send('orders', 'c')
    expect(await sqs.counts('orders')).toEqual([1, 0, 0])
    await sqs.delete('orders', first)
    expect(await sqs.refused('PurgeQueue', { QueueUrl: urlOf('orders') })).toMatchObject({
      queryCode: 'AWS.SimpleQueueService.PurgeQueueInProgress',
      message: 'Only one PurgeQueue operation on orders is allowed every 60 seconds.',
    })
    await sqs.seconds(60)
    await sqs.call('PurgeQueue', { QueueUrl: urlOf('orders') })
    expect(await sqs.receive('orders')).toEqual([])
    await sqs.seconds(0)
    expect(sqs.stored('messages')).toEqual([])
    expect(sqs.stored('contents')).toEqual([])
  })
})

describe('SQS: long polling', () => {
  it("answers empty after the time, the request's or the queue's", async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders', { ReceiveMessageWaitTimeSeconds: '7' })
    const fromMs = sqs.clock.now()
    expect(await sqs.receive('orders')).toEqual([])
    expect(sqs.clock.now() - fromMs).toBe(7_000)
    expect(await sqs.receive('orders', { WaitTimeSeconds: 2 })).toEqual([])
    expect(sqs.clock.now() - fromMs).toBe(9_000)
    expect(await sqs.receive('orders', { WaitTimeSeconds: 0 })).toEqual([])
    expect(sqs.clock.now() - fromMs).toBe(9_000)
  })

  it('is answered at once by a send, a delay that is over and a message that comes back', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders', { VisibilityTimeout: '5' })
    const bodies = async (more = {}): Promise<unknown> => {
      const fromMs = sqs.clock.now()
      const messages = await sqs.receive('orders', { WaitTimeSeconds: 20, ...more })
      return [messages.map(({ Body }) => Body), sqs.clock.now() - fromMs]
    }
    sqs.clock.setTimer(1_500, () => {
      void sqs.request('SendMessage', { QueueUrl: urlOf('orders'), MessageBody: 'sent' })
    })
    expect(await bodies()).toEqual([['sent'], 1_500])
    expect(await bodies()).toEqual([['sent'], 5_000])
    await sqs.send('orders', 'delayed', { DelaySeconds: 3 })
    expect(await bodies({ VisibilityTimeout: 100 })).toEqual([['delayed'], 3_000])
    const [returned] = await sqs.receive('orders', { WaitTimeSeconds: 20, VisibilityTimeout: 100 })
    expect(returned?.Body).toBe('sent')
    sqs.clock.setTimer(700, () => {
      void sqs.request('ChangeMessageVisibility', {
        QueueUrl: urlOf('orders'),
        ReceiptHandle: returned?.ReceiptHandle,
        VisibilityTimeout: 0,
      })
    })
    expect(await bodies()).toEqual([['sent'], 700])
  })

  it('serves those who wait in their order, each as soon as there is something for it', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    const answered: string[] = []
    const polls = ['first', 'second', 'third'].map(async (name) => {
      const answer = await sqs.request('ReceiveMessage', { QueueUrl: urlOf('orders'), WaitTimeSeconds: 20 })
      answered.push(`${name}: ${messagesIn(answer).map(({ Body }) => Body)} at ${sqs.clock.monotonicMs()}`)
    })
    await sqs.clock.advance(1_000)
    await sqs.send('orders', 'a')
    await sqs.send('orders', 'b', { DelaySeconds: 2 })
    await sqs.clock.settle(Promise.all(polls))
    expect(answered).toEqual(['first: a at 1000', 'second: b at 3000', 'third:  at 20000'])
  })

  it('takes nothing for a client that has gone, and lets the next one have it', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    const gone = new AbortController()
    const input = { QueueUrl: urlOf('orders'), WaitTimeSeconds: 20 }
    const first = sqs.request('ReceiveMessage', input, gone.signal)
    const second = sqs.request('ReceiveMessage', input)
    await sqs.clock.advance(1_000)
    gone.abort()
    await sqs.send('orders', 'a')
    expect(await sqs.clock.settle(first)).toEqual({})
    expect(messagesIn(await sqs.clock.settle(second))).toMatchObject([{ Body: 'a' }])
    expect(sqs.clock.pendingTimers).toBe(0)
  })

  it('ends when the queue is deleted, and when the server stops', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue('orders')
    await sqs.createQueue('other')
    const input = { QueueUrl: urlOf('orders'), WaitTimeSeconds: 20 }
    const first = sqs.request('ReceiveMessage', input).catch((error: unknown) => error)
    const second = sqs.request('ReceiveMessage', { ...input, QueueUrl: urlOf('other') })
    await sqs.clock.advance(1_000)
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('orders') })
    expect(await sqs.clock.settle(first)).toMatchObject({ code: 'QueueDoesNotExist' })
    sqs.stop()
    expect(await sqs.clock.settle(second)).toEqual({})
  })
})
