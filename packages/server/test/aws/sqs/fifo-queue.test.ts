import { describe, expect, it } from 'vitest'
import { SqsClient, urlOf } from './support/sqs-client.ts'

const QUEUE = 'orders.fifo'

async function fifoQueue(attributes: Readonly<Record<string, string>> = {}): Promise<SqsClient> {
  const sqs = new SqsClient()
  await sqs.createQueue(QUEUE, { ContentBasedDeduplication: 'true', ...attributes })
  return sqs
}

async function sendAll(sqs: SqsClient, ...messages: readonly string[]): Promise<void> {
  for (const body of messages) await sqs.send(QUEUE, body, { MessageGroupId: body.slice(0, 1) })
}

describe('SQS: a FIFO queue', () => {
  it('hands out a group in order, and blocks it while some of it is in flight', async () => {
    const sqs = await fifoQueue()
    await sendAll(sqs, 'a1', 'b1', 'a2', 'a3', 'b2')
    const first = await sqs.receive(QUEUE, { MaxNumberOfMessages: 2 })
    expect(first.map(({ Body }) => Body)).toEqual(['a1', 'a2'])
    expect(await sqs.receiveBodies(QUEUE, { MaxNumberOfMessages: 1 })).toEqual(['b1'])
    expect(await sqs.receiveBodies(QUEUE)).toEqual([])
    await sqs.delete(QUEUE, first[0])
    expect(await sqs.receiveBodies(QUEUE)).toEqual([])
    await sqs.delete(QUEUE, first[1])
    expect(await sqs.receiveBodies(QUEUE)).toEqual(['a3'])
  })

  it('keeps the order when messages come back, one after the other', async () => {
    const sqs = await fifoQueue({ VisibilityTimeout: '10' })
    await sendAll(sqs, 'a1', 'a2', 'a3')
    const [a1, a2, a3] = await sqs.receive(QUEUE)
    await sqs.hide(QUEUE, a3, 0)
    await sqs.hide(QUEUE, a2, 0)
    // a1 is still in flight.
    expect(await sqs.receiveBodies(QUEUE)).toEqual([])
    await sqs.hide(QUEUE, a1, 0)
    expect(await sqs.receiveBodies(QUEUE, { MaxNumberOfMessages: 2 })).toEqual(['a1', 'a2'])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies(QUEUE)).toEqual(['a1', 'a2', 'a3'])
  })

  it('gives sequence numbers of 20 digits that rise, and shows group and deduplication id', async () => {
    const sqs = await fifoQueue()
    const sent = await sqs.send(QUEUE, 'x', { MessageGroupId: 'g' })
    const later = await sqs.send(QUEUE, 'y', { MessageGroupId: 'g', MessageDeduplicationId: 'own' })
    expect(sent.SequenceNumber).toMatch(/^\d{20}$/)
    expect(BigInt(later.SequenceNumber as string)).toBeGreaterThan(BigInt(sent.SequenceNumber as string))
    const [x, y] = await sqs.receive(QUEUE)
    expect(x?.Attributes).toMatchObject({
      SequenceNumber: sent.SequenceNumber,
      MessageGroupId: 'g',
      // SHA-256 of the body.
      MessageDeduplicationId: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
    })
    expect(y?.Attributes?.MessageDeduplicationId).toBe('own')
  })

  it('takes a deduplication id once in five minutes, also after the message was deleted', async () => {
    const sqs = await fifoQueue()
    const more = { MessageGroupId: 'g', MessageDeduplicationId: '1' }
    const sent = await sqs.send(QUEUE, 'x', more)
    const [x] = await sqs.receive(QUEUE)
    await sqs.delete(QUEUE, x)
    await sqs.seconds(299)
    const again = await sqs.send(QUEUE, 'other', { ...more, MessageGroupId: 'h' })
    expect(again).toMatchObject({ MessageId: sent.MessageId, SequenceNumber: sent.SequenceNumber })
    expect(await sqs.receive(QUEUE)).toEqual([])
    await sqs.seconds(1)
    const fresh = await sqs.send(QUEUE, 'x', more)
    expect(fresh.MessageId).not.toBe(sent.MessageId)
    expect(await sqs.receiveBodies(QUEUE)).toEqual(['x'])
  })

  it('answers a repeated send only once the first one is durable', async () => {
    const sqs = await fifoQueue()
    sqs.world.faults = { ...sqs.world.faults, callMs: { minMs: 5, maxMs: 5 } }
    const input = { QueueUrl: urlOf(QUEUE), MessageBody: 'x', MessageGroupId: 'g' }
    const first = sqs.request('SendMessage', input)
    const again = sqs.request('SendMessage', input).then((answer) => {
      expect(sqs.stored('deduplication').length).toBe(1)
      return answer
    })
    expect(await sqs.clock.settle(again)).toEqual(await sqs.clock.settle(first))
  })

  it('deduplicates within a group where the queue says so', async () => {
    const sqs = await fifoQueue({
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    })
    for (const group of ['g', 'h', 'g']) {
      await sqs.send(QUEUE, 'x', { MessageGroupId: group, MessageDeduplicationId: '1' })
    }
    expect(await sqs.counts(QUEUE)).toEqual([2, 0, 0])
  })

  it('repeats a receive whose answer was lost, by its attempt id, until something was done with it', async () => {
    const sqs = await fifoQueue()
    await sendAll(sqs, 'a1', 'a2')
    const more = { ReceiveRequestAttemptId: 'try', VisibilityTimeout: 30 }
    const first = await sqs.receive(QUEUE, more)
    await sqs.seconds(20)
    const again = await sqs.receive(QUEUE, more)
    expect(again).toEqual(first)
    await sqs.seconds(20)
    // The second one began the visibility timeout anew.
    expect(await sqs.receive(QUEUE)).toEqual([])
    await sqs.delete(QUEUE, first[0])
    expect(await sqs.receive(QUEUE, more)).toEqual([])
    await sqs.seconds(10)
    expect(await sqs.receiveBodies(QUEUE, more)).toEqual(['a2'])
  })

  it('delays as a whole, what is in it already too', async () => {
    const sqs = await fifoQueue({ DelaySeconds: '10' })
    await sendAll(sqs, 'a1')
    await sqs.seconds(5)
    await sendAll(sqs, 'a2')
    expect(await sqs.counts(QUEUE)).toEqual([0, 0, 2])
    await sqs.call('SetQueueAttributes', { QueueUrl: urlOf(QUEUE), Attributes: { DelaySeconds: '20' } })
    await sqs.seconds(14)
    expect(await sqs.receive(QUEUE)).toEqual([])
    await sqs.seconds(1)
    expect(await sqs.counts(QUEUE)).toEqual([1, 0, 1])
    await sqs.call('SetQueueAttributes', { QueueUrl: urlOf(QUEUE), Attributes: { DelaySeconds: '0' } })
    expect(await sqs.receiveBodies(QUEUE)).toEqual(['a1', 'a2'])
    const input = { QueueUrl: urlOf(QUEUE), MessageBody: 'x', MessageGroupId: 'a', DelaySeconds: 1 }
    expect((await sqs.refused('SendMessage', input)).message).toBe(
      'Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.',
    )
  })

  it('refuses a receipt whose time is over, and says nothing of one whose message is deleted', async () => {
    const sqs = await fifoQueue({ VisibilityTimeout: '10' })
    await sendAll(sqs, 'a1')
    const [a1] = await sqs.receive(QUEUE)
    await sqs.seconds(10)
    const input = { QueueUrl: urlOf(QUEUE), ReceiptHandle: a1?.ReceiptHandle }
    expect((await sqs.refused('DeleteMessage', input)).message).toContain('The receipt handle has expired.')
    const [again] = await sqs.receive(QUEUE)
    expect((await sqs.refused('DeleteMessage', input)).message).toContain('The receipt handle has expired.')
    await sqs.delete(QUEUE, again)
    await sqs.delete(QUEUE, again)
  })

  it('asks for a group and for something to deduplicate by', async () => {
    const sqs = new SqsClient()
    await sqs.createQueue(QUEUE)
    const input = { QueueUrl: urlOf(QUEUE), MessageBody: 'x' }
    expect(await sqs.refused('SendMessage', input)).toMatchObject({
      queryCode: 'MissingParameter',
      message: 'The request must contain the parameter MessageGroupId.',
    })
    expect((await sqs.refused('SendMessage', { ...input, MessageGroupId: 'g' })).message).toBe(
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    )
    for (const MessageGroupId of ['', 'a b', 'ä', 'x'.repeat(129)]) {
      const refused = await sqs.refused('SendMessage', { ...input, MessageGroupId })
      expect(refused.queryCode).toBe('InvalidParameterValue')
    }
  })

  it('remembers so many deduplication ids at most, over all queues', async () => {
    const sqs = new SqsClient({ limits: { messages: 2 } })
    for (const name of ['a.fifo', 'b.fifo'])
      await sqs.createQueue(name, { ContentBasedDeduplication: 'true' })
    const sendOne = async (queue: string, body: string): Promise<void> => {
      await sqs.send(queue, body, { MessageGroupId: 'g' })
      await sqs.delete(queue, (await sqs.receive(queue))[0])
    }
    await sendOne('a.fifo', '1')
    await sendOne('b.fifo', '2')
    const more = { QueueUrl: urlOf('a.fifo'), MessageBody: '3', MessageGroupId: 'g' }
    expect((await sqs.refused('SendMessage', more)).code).toBe('OverLimit')
    await sqs.seconds(300)
    await sendOne('a.fifo', '3')
    await sqs.call('DeleteQueue', { QueueUrl: urlOf('a.fifo') })
    await sendOne('b.fifo', '4')
    await sendOne('b.fifo', '5')
  })
})
