import { createHash } from 'node:crypto'
import { VirtualClock } from '@eddy/testing'
import { LambdaFunction, type LambdaHandler, type SqsEvent, startSqsMapping } from '@eddy/testing/lambda'
import { describe, expect, it } from 'vitest'
import { MemoryQueue } from './support/memory-queue.ts'

const QUEUE_ARN = 'arn:aws:sqs:eu-west-1:000000000000:retries'
const VISIBILITY_MS = 30_000

function mapped(handler: LambdaHandler, options: Partial<Parameters<typeof startSqsMapping>[0]> = {}) {
  const clock = new VirtualClock({ seed: 1 })
  const queue = new MemoryQueue(clock, VISIBILITY_MS)
  const fn = new LambdaFunction({ clock, handler, timeoutMs: 900_000 })
  const start = () =>
    startSqsMapping({ clock, source: queue, queueArn: QUEUE_ARN, invoke: fn.invoke, ...options })
  return { clock, queue, fn, start }
}

const bodiesOf = (event: SqsEvent): string[] => event.Records.map((record) => record.body)

describe('Event source mapping of an SQS queue', () => {
  it('gives messages in the documented shape and deletes a batch that succeeds', async () => {
    const events: SqsEvent[] = []
    const { clock, queue, start } = mapped(async (event: SqsEvent) => void events.push(event))
    for (let index = 0; index < 12; index += 1) queue.send(`body ${index}`)
    const mapping = start()
    await clock.advance(5_000)
    expect(events.map((event) => event.Records.length)).toEqual([10, 2])
    expect(events[0]?.Records[0]).toEqual({
      messageId: 'm-1',
      receiptHandle: 'm-1',
      body: 'body 0',
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: '0' },
      messageAttributes: {},
      md5OfBody: createHash('md5').update('body 0').digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: QUEUE_ARN,
      awsRegion: 'eu-west-1',
    })
    expect(queue.size).toBe(0)
    await clock.settle(mapping.stop())
  })

  it('leaves a failed batch to the visibility timeout of its queue', async () => {
    const calls: number[] = []
    const { clock, queue, start } = mapped(async () => {
      calls.push(clock.monotonicMs())
      if (calls.length === 1) throw new Error('down')
    })
    queue.send('a')
    const mapping = start()
    await clock.advance(60_000)
    expect(calls.length).toBe(2)
    expect((calls[1] as number) - (calls[0] as number)).toBeGreaterThanOrEqual(VISIBILITY_MS)
    expect(queue.size).toBe(0)
    await clock.settle(mapping.stop())
  })

  it('deletes what a partial response did not name, and nothing when it names what is not there', async () => {
    const { clock, queue, start } = mapped(
      async (event: SqsEvent) => ({
        batchItemFailures: event.Records.filter(({ body }) => body !== 'good').map(({ messageId, body }) => ({
          itemIdentifier: body === 'wrong id' ? 'nobody' : messageId,
        })),
      }),
      { reportBatchItemFailures: true },
    )
    for (const body of ['good', 'bad', 'good']) queue.send(body)
    const mapping = start()
    await clock.advance(5_000)
    expect(queue.size).toBe(1)
    for (const body of ['good', 'wrong id']) queue.send(body)
    await clock.advance(5_000)
    expect(queue.size).toBe(3)
    await clock.settle(mapping.stop())
  })

  it('gathers a batch over its window', async () => {
    const sizes: number[] = []
    const { clock, queue, start } = mapped(async (event: SqsEvent) => void sizes.push(event.Records.length), {
      batchSize: 100,
      maximumBatchingWindowMs: 10_000,
    })
    const mapping = start()
    for (let index = 0; index < 30; index += 1) {
      queue.send('x')
      await clock.advance(250)
    }
    await clock.advance(10_000)
    expect(sizes).toEqual([30])
    await clock.settle(mapping.stop())
  })

  it('runs five batches at a time at first, and no more than maximumConcurrency', async () => {
    for (const [maximumConcurrency, most] of [
      [undefined, 5],
      [2, 2],
    ] as const) {
      let running = 0
      let peak = 0
      const { clock, queue, start } = mapped(
        async () => {
          running += 1
          peak = Math.max(peak, running)
          await clock.sleep(5_000)
          running -= 1
        },
        { batchSize: 1, ...(maximumConcurrency !== undefined && { maximumConcurrency }) },
      )
      for (let index = 0; index < 20; index += 1) queue.send('x')
      const mapping = start()
      await clock.advance(10_000)
      expect(peak).toBe(most)
      await clock.settle(mapping.stop())
    }
  })

  it('deletes what the filter drops', async () => {
    const bodies: string[] = []
    const { clock, queue, start } = mapped(async (event: SqsEvent) => void bodies.push(...bodiesOf(event)), {
      filterCriteria: { filters: [{ pattern: '{"body":{"kind":["order"]}}' }] },
    })
    for (const body of ['{"kind":"order"}', '{"kind":"other"}', 'text']) queue.send(body)
    const mapping = start()
    await clock.advance(5_000)
    expect(bodies).toEqual(['{"kind":"order"}'])
    expect(queue.size).toBe(0)
    expect(mapping.filtered).toBe(2)
    await clock.settle(mapping.stop())
  })

  it('refuses a batch over 10 for a FIFO queue', () => {
    const { start } = mapped(async () => {}, { queueArn: `${QUEUE_ARN}.fifo`, batchSize: 11 })
    expect(start).toThrow(/batchSize: expected a whole number from 1 to 10, received 11/)
  })
})
