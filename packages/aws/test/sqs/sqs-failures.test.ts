import { createHash } from 'node:crypto'
import type { QueueMessage } from '@eddy/core'
import { SimWorld } from '@eddy/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { SqsQueue, type SqsQueueOptions, sqsClient } from '../../src/sqs/index.ts'
import { type ServiceAnswer, type ServiceRequest, startService } from '../support/kinesalite.ts'

const QUEUE = 'queue/mails'
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answer = (request: ServiceRequest, call: number) => ServiceAnswer | undefined

/** A queue whose service answers as the test says; undefined: as if all went well. */
async function answered(answer: Answer, more: Partial<SqsQueueOptions> = {}) {
  const calls = new Map<string, number>()
  const service = await startService((request) => {
    const call = (calls.get(request.operation) ?? 0) + 1
    calls.set(request.operation, call)
    return answer(request, call) ?? wellAnswered(request)
  })
  const client = sqsClient({
    endpoint: service.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  closing.push(async () => {
    client.destroy()
    await service.close()
  })
  const { table, blobs, clock } = new SimWorld({ seed: 1 }).boot()
  // Nothing here waits for longer than some tries do.
  const quick = { ...clock, now: Date.now, monotonicMs: () => performance.now(), sleep: async () => {} }
  const queue = new SqsQueue({ client, clock: quick, resources: { name: 'app' }, blobs, table, ...more })
  const sent = (): string[][] =>
    service.requests
      .filter(({ operation }) => operation === 'SendMessageBatch')
      .map(({ input }) => entriesOf(input).map(({ MessageBody: body = '' }) => body.split('\n')[1] as string))
  return { queue, blobs, sent, requests: service.requests }
}

interface Entry {
  readonly Id: string
  readonly MessageBody?: string
  readonly MessageGroupId?: string
  readonly MessageDeduplicationId?: string
  readonly ReceiptHandle?: string
}

function entriesOf(input: ServiceRequest['input']): readonly Entry[] {
  return (input.Entries ?? []) as readonly Entry[]
}

const ok = (body: object): ServiceAnswer => ({ status: 200, body })
const refusal = (status: number, name: string): ServiceAnswer => ({
  status,
  body: { __type: `com.amazonaws.sqs#${name}`, message: 'no more' },
})

function wellAnswered({ operation, input }: ServiceRequest): ServiceAnswer {
  const entries = entriesOf(input)
  switch (operation) {
    case 'GetQueueUrl':
      return ok({ QueueUrl: `http://queue/${String(input.QueueName)}` })
    case 'SendMessageBatch':
      return ok({ Successful: entries.map(accepted), Failed: [] })
    case 'ReceiveMessage':
      return ok({ Messages: [received('a')] })
    default:
      return ok({ Successful: entries.map(({ Id }) => ({ Id })), Failed: [] })
  }
}

function accepted({ Id, MessageBody = '' }: Entry): object {
  const md5 = createHash('md5').update(MessageBody).digest('hex')
  return { Id, MessageId: `m-${Id}`, MD5OfMessageBody: md5 }
}

function received(body: string): object {
  const md5 = createHash('md5').update(body).digest('hex')
  return { MessageId: 'm', ReceiptHandle: `r-${body}`, Body: body, MD5OfBody: md5, Attributes: {} }
}

const message = (body: string, group?: string): QueueMessage => ({
  ...{ body, delayMs: 0 },
  ...(group !== undefined && { group }),
})

describe('SQS that fails', () => {
  it('entries fail one by one: throttled ones may be sent again, others not, and nobody is left without an answer', async () => {
    const { queue, sent } = await answered(({ operation, input }) => {
      if (operation !== 'SendMessageBatch') return undefined
      const [first, second, third] = entriesOf(input)
      return ok({
        Successful: [accepted(first as Entry)],
        Failed: [
          { Id: second?.Id, SenderFault: true, Code: 'InvalidMessageContents', Message: 'bad' },
          { Id: third?.Id, SenderFault: true, Code: 'RequestThrottled', Message: 'slow down' },
        ],
      })
    })
    const results = await queue.send(
      QUEUE,
      ['a', 'b', 'c', 'd'].map((body) => message(body)),
    )
    expect(results).toMatchObject([
      { ok: true },
      { ok: false, retryable: false, message: 'queue "app-queue-mails": InvalidMessageContents: bad' },
      { ok: false, retryable: true },
      { ok: false, retryable: true, message: expect.stringContaining('does not name the message') },
    ])
    // Once: whoever asked tries again.
    expect(sent().length).toBe(1)
  })

  it('a batch has at most ten messages and a mebibyte', async () => {
    const { queue, requests } = await answered(() => undefined)
    const large = 'x'.repeat(400_000)
    await queue.send(
      QUEUE,
      [...Array.from({ length: 11 }, () => 'small'), large, large, large].map((body) => message(body)),
    )
    const batches = requests.filter(({ operation }) => operation === 'SendMessageBatch')
    for (const { input } of batches) {
      const bytes = entriesOf(input).reduce(
        (sum, { MessageBody: body = '' }) => sum + Buffer.byteLength(body),
        0,
      )
      expect(entriesOf(input).length).toBeLessThanOrEqual(10)
      expect(bytes).toBeLessThanOrEqual(1_048_576)
    }
    expect(batches.map(({ input }) => entriesOf(input).length).sort()).toEqual([1, 10, 3])
  })

  it('what is sent again after a lost answer is the same message, and SQS takes it once in a FIFO queue', async () => {
    const answer: Answer = ({ operation }, call) =>
      operation === 'SendMessageBatch' && call === 1 ? 'reset' : undefined
    const { queue, requests } = await answered(answer, { isFifo: () => true })
    const one = message('a', 'g')
    expect(await queue.send(QUEUE, [one])).toMatchObject([{ ok: false, retryable: true }])
    const [again] = await queue.send(QUEUE, [one])
    const [another] = await queue.send(QUEUE, [one])
    const ids = requests
      .filter(({ operation }) => operation === 'SendMessageBatch')
      .map(({ input }) => entriesOf(input)[0]?.MessageDeduplicationId)
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[1])
    expect(again).toEqual({ ok: true, messageId: ids[0] })
    expect(another).toEqual({ ok: true, messageId: ids[2] })
  })

  it('I3: after a message that was not accepted no later one of its group is sent; other groups go on', async () => {
    const { queue, sent } = await answered(
      ({ operation, input }) => {
        if (operation !== 'SendMessageBatch') return undefined
        const entries = entriesOf(input)
        const isFailing = ({ MessageBody: body = '' }: Entry): boolean => body.endsWith('\na1')
        return ok({
          Successful: entries.filter((entry) => !isFailing(entry)).map(accepted),
          Failed: entries
            .filter(isFailing)
            .map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' })),
        })
      },
      { isFifo: () => true },
    )
    const messages = ['a1', 'a2', 'b1', 'a3', 'b2'].map((body) => message(body, body[0]))
    const results = await queue.send(QUEUE, messages)
    expect(results.map(({ ok: isOk }) => isOk)).toEqual([false, false, true, false, true])
    expect(results[1]).toMatchObject({ retryable: true, message: expect.stringContaining('earlier message') })
    expect(sent()).toEqual([['a1', 'b1'], ['b2']])
  })

  it('a queue that is not there is refused for good, by its name, with the next step; and looked for again', async () => {
    const { queue, requests } = await answered(({ operation }) =>
      operation === 'GetQueueUrl' ? refusal(400, 'QueueDoesNotExist') : undefined,
    )
    await expect(
      queue.receive({ queue: QUEUE, maxMessages: 1, visibilityMs: 1_000, waitMs: 0 }),
    ).rejects.toMatchObject({
      code: 'EDDY_SQS_REFUSED',
      retryable: false,
      message: expect.stringMatching(
        /GetQueueUrl of queue "app-queue-mails".*Deploy the application's queues/,
      ),
    })
    expect(await queue.send(QUEUE, [message('a')])).toMatchObject([{ ok: false, retryable: false }])
    expect(requests.length).toBe(2)
  })

  it('what was not deleted is deleted again, and only that', async () => {
    const { queue, requests } = await answered(({ operation, input }, call) => {
      if (operation === 'ReceiveMessage')
        return ok({ Messages: call === 1 ? [received('a'), received('b')] : [] })
      if (operation !== 'DeleteMessageBatch' || call > 2) return undefined
      if (call === 1) return refusal(503, 'ServiceUnavailable')
      const [first, second] = entriesOf(input)
      return ok({
        Successful: [{ Id: first?.Id }],
        Failed: [{ Id: second?.Id, SenderFault: false, Code: 'InternalError' }],
      })
    })
    const deliveries = await queue.receive({ queue: QUEUE, maxMessages: 10, visibilityMs: 60_000, waitMs: 0 })
    await queue.ack(
      QUEUE,
      deliveries.map(({ receipt }) => receipt),
    )
    const deleted = requests
      .filter(({ operation }) => operation === 'DeleteMessageBatch')
      .map(({ input }) => entriesOf(input).map(({ ReceiptHandle: handle }) => handle))
    expect(deleted).toEqual([['r-a', 'r-b'], ['r-a', 'r-b'], ['r-b']])
  })

  it('an acknowledgement that fails in the end may be made again with the same receipt', async () => {
    let isDown = true
    const { queue, requests } = await answered(({ operation }) =>
      operation === 'DeleteMessageBatch' && isDown ? refusal(503, 'ServiceUnavailable') : undefined,
    )
    const [delivery] = await queue.receive({ queue: QUEUE, maxMessages: 1, visibilityMs: 60_000, waitMs: 0 })
    const receipts = [delivery?.receipt ?? '']
    await expect(queue.ack(QUEUE, receipts)).rejects.toMatchObject({ code: 'EDDY_STORAGE', retryable: true })
    expect(requests.filter(({ operation }) => operation === 'DeleteMessageBatch').length).toBe(5)
    isDown = false
    await queue.ack(QUEUE, receipts)
    await queue.ack(QUEUE, receipts)
    expect(requests.filter(({ operation }) => operation === 'DeleteMessageBatch').length).toBe(6)
  })

  it('a large body goes when its message is refused, and stays when nobody knows', async () => {
    for (const [answer, blobsLeft] of [
      [refusal(400, 'InvalidMessageContents'), 0],
      ['reset', 1],
    ] as const) {
      const { queue, blobs } = await answered(({ operation }) =>
        operation === 'SendMessageBatch' ? answer : undefined,
      )
      expect(await queue.send(QUEUE, [message('x'.repeat(1_048_576))])).toMatchObject([{ ok: false }])
      const left: string[] = []
      for await (const { key } of blobs.list('queue-payloads/')) left.push(key)
      expect(left.length).toBe(blobsLeft)
    }
  })

  it('a message whose body is gone is told and stays in its queue, for its dead-letter queue to take', async () => {
    const told: string[] = []
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: object, text: string) => void told.push(text),
    }
    const body = 'eddy/1 {"id":"m-1","seq":"1","at":1,"as":"blob"}\nqueue-payloads/weeks/none'
    const { queue, requests } = await answered(
      ({ operation }) => (operation === 'ReceiveMessage' ? ok({ Messages: [received(body)] }) : undefined),
      { logger },
    )
    expect(await queue.receive({ queue: QUEUE, maxMessages: 1, visibilityMs: 1_000, waitMs: 0 })).toEqual([])
    expect(told).toEqual([expect.stringContaining('the body of a message is missing')])
    expect(requests.map(({ operation }) => operation)).toEqual(['GetQueueUrl', 'ReceiveMessage'])
  })

  it('what a poll brings after its receive was aborted is given back', async () => {
    const abort = new AbortController()
    const { queue, requests } = await answered(({ operation }) => {
      if (operation === 'ReceiveMessage') abort.abort()
      return undefined
    })
    const waiting = {
      queue: QUEUE,
      maxMessages: 1,
      visibilityMs: 60_000,
      waitMs: 20_000,
      signal: abort.signal,
    }
    expect(await queue.receive(waiting)).toEqual([])
    const hidden = (): unknown[] =>
      requests
        .filter(({ operation }) => operation === 'ChangeMessageVisibility')
        .map(({ input }) => input.VisibilityTimeout)
    while (hidden().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(hidden()).toEqual([0])
  })
})
