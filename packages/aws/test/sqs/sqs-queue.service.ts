import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import type { Delivery, QueueMessage, SendResult } from '@eddy/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqsQueue } from '../../src/sqs/index.ts'
import { startVirtualQueues, type VirtualQueues } from '../support/virtual-queues.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const QUEUE = 'retry/billing'
let virtual: VirtualQueues

beforeAll(async () => {
  virtual = await startVirtualQueues(Date.UTC(2026, 10, 22, 5, 6, 7, 89))
})

afterAll(async () => {
  await virtual.close()
})

const nowMs = (): number => virtual.world.clock.now()
const after = (ms: number): Promise<void> => virtual.advanceTo(nowMs() + ms)
const scheduled = (): number =>
  virtual.queues.scheduler.requests.filter(({ operation }) => operation === 'CreateSchedule').length

async function send(queue: SqsQueue, ...messages: readonly QueueMessage[]): Promise<readonly SendResult[]> {
  const results = await queue.send(QUEUE, messages)
  expect(results.filter(({ ok }) => !ok)).toEqual([])
  return results
}

function receive(queue: SqsQueue, visibilityMs = HOUR_MS): Promise<readonly Delivery[]> {
  return queue.receive({ queue: QUEUE, maxMessages: 100, visibilityMs, waitMs: 0 })
}

const bodies = (deliveries: readonly Delivery[]): readonly string[] => deliveries.map(({ body }) => body)

async function acked(queue: SqsQueue): Promise<readonly string[]> {
  const deliveries = await receive(queue)
  await queue.ack(
    QUEUE,
    deliveries.map(({ receipt }) => receipt),
  )
  return bodies(deliveries)
}

describe('Delays on SQS', () => {
  for (const [name, delayMs, schedules] of [
    ['1 s', 1_000, 0],
    ['10 min', 10 * MINUTE_MS, 0],
    ['15 min', 15 * MINUTE_MS, 0],
    ['40 min', 40 * MINUTE_MS, 1],
    ['20 h', 20 * HOUR_MS, 1],
    ['90 days', 90 * DAY_MS, 1],
  ] as const) {
    it(`I5: ${name} is ${schedules === 0 ? 'a delay of SQS' : 'a schedule'}, never early and punctual to a second`, async () => {
      const queue = (await virtual.queues.application()).open()
      const before = scheduled()
      const dueAtMs = nowMs() + delayMs
      await send(queue, { body: name, delayMs })
      expect(scheduled() - before).toBe(schedules)
      expect(await queue.stats(QUEUE)).toMatchObject({ messages: 1, inFlight: 0, delayed: 1 })
      // Looked at as a worker does, from before the schedule can have sent it.
      for (let atMs = Math.max(nowMs(), dueAtMs - 3 * MINUTE_MS); atMs < dueAtMs; atMs += 10_000) {
        await virtual.advanceTo(Math.min(atMs, dueAtMs - 1))
        expect(await receive(queue)).toEqual([])
      }
      await virtual.advanceTo(dueAtMs + 1_000)
      const [delivery] = await receive(queue)
      expect(delivery).toMatchObject({ body: name })
      await queue.ack(QUEUE, [delivery?.receipt ?? ''])
      expect(await queue.depth(QUEUE)).toBe(0)
    })
  }

  it('what is hidden for an early look is not hidden for too long', async () => {
    const queue = (await virtual.queues.application()).open()
    const dueAtMs = nowMs() + 40 * MINUTE_MS
    await send(queue, { body: 'a', delayMs: 40 * MINUTE_MS })
    await virtual.advanceTo(dueAtMs - 30_500)
    expect(await receive(queue)).toEqual([])
    await virtual.advanceTo(dueAtMs + 500)
    expect(bodies(await receive(queue))).toEqual(['a'])
  })

  it('I5: a part of a second is a whole one to SQS, when sent, hidden and put off', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, { body: 'a', delayMs: 1_200 })
    await after(1_199)
    expect(await receive(queue)).toEqual([])
    await after(801)
    const [delivery] = await receive(queue, 1_500)
    await queue.delay(QUEUE, delivery?.receipt ?? '', 1_500)
    await after(1_499)
    expect(await receive(queue)).toEqual([])
    await after(501)
    expect((await receive(queue, 1_500)).length).toBe(1)
    await after(1_499)
    expect(await receive(queue)).toEqual([])
    await after(501)
    expect((await receive(queue)).length).toBe(1)
  })

  it('a timer that is sent again for the same time is one schedule', async () => {
    const queue = (await virtual.queues.application()).open()
    const timer: QueueMessage = { body: 't', delayMs: HOUR_MS, timer: 'item 1' }
    await send(queue, timer)
    await send(queue, timer)
    expect((await queue.stats(QUEUE)).delayed).toBe(1)
    await after(HOUR_MS + 1_000)
    expect(await acked(queue)).toEqual(['t'])
  })

  it('messages without a timer are never taken for one another', async () => {
    const queue = (await virtual.queues.application()).open()
    const message = { body: 'same', delayMs: HOUR_MS }
    await send(queue, message, message)
    await after(HOUR_MS + 1_000)
    expect(bodies(await receive(queue))).toEqual(['same', 'same'])
  })

  it('a timer is cancelled, and no other', async () => {
    const queue = (await virtual.queues.application()).open()
    const at = (timer: string, delayMs: number): QueueMessage => ({ body: timer, delayMs, timer })
    await send(queue, at('item 1', HOUR_MS), at('item 1', 2 * HOUR_MS), at('item 10', HOUR_MS))
    await queue.cancel(QUEUE, 'item 1')
    expect((await queue.stats(QUEUE)).delayed).toBe(1)
    await queue.cancel(QUEUE, 'item 1')
    await queue.cancel('retry/other', 'item 10')
    await after(2 * HOUR_MS + 1_000)
    expect(bodies(await receive(queue))).toEqual(['item 10'])
  })

  it('a purge takes what is scheduled along', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, { body: 'later', delayMs: HOUR_MS }, { body: 'now', delayMs: 0 })
    await queue.purge(QUEUE)
    expect(await queue.depth(QUEUE)).toBe(0)
    await after(HOUR_MS + 1_000)
    expect(await receive(queue)).toEqual([])
  })

  it('a delivery that is delayed for long is sent anew: its id, its count and its timer stay', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, { body: 'again', delayMs: 0, timer: 'item 2' })
    const [first] = await receive(queue)
    await queue.delay(QUEUE, first?.receipt ?? '', 20 * HOUR_MS)
    expect(await queue.stats(QUEUE)).toMatchObject({ messages: 1, inFlight: 0, delayed: 1 })
    await after(20 * HOUR_MS + 1_000)
    const [second] = await receive(queue)
    expect(second).toMatchObject({
      ...{ body: 'again', messageId: first?.messageId, receiveCount: 2 },
      ...{ sequenceNumber: first?.sequenceNumber, sentAtMs: first?.sentAtMs },
    })
    await queue.delay(QUEUE, second?.receipt ?? '', 20 * HOUR_MS)
    await queue.cancel(QUEUE, 'item 2')
    expect(await queue.depth(QUEUE)).toBe(0)
  })

  it('without schedules a message waits in the queue, however long (I5)', async () => {
    const queue = (await virtual.queues.application({ longDelays: undefined as never })).open()
    const dueAtMs = nowMs() + 30 * DAY_MS
    const [sent] = await send(queue, { body: 'x'.repeat(1_048_576), delayMs: 30 * DAY_MS })
    // SQS forgets after 14 days: nobody looks for hours at a time.
    for (let atMs = nowMs(); atMs < dueAtMs; atMs += 5 * HOUR_MS) {
      await virtual.advanceTo(Math.min(atMs, dueAtMs - 1))
      expect(await receive(queue)).toEqual([])
    }
    await virtual.advanceTo(dueAtMs + 12 * HOUR_MS)
    const [delivery] = await receive(queue)
    expect(delivery?.body.length).toBe(1_048_576)
    expect(sent).toMatchObject({ messageId: delivery?.messageId })
  })

  it('a FIFO queue delays a message that is in no group, and cannot delay one of a group for long', async () => {
    const queue = (await virtual.queues.application({ isFifo: () => true })).open()
    await send(queue, { body: 'late', delayMs: 10 * MINUTE_MS }, { body: 'g', delayMs: 0, group: 'g' })
    const [grouped, ...others] = await receive(queue)
    expect([grouped?.body, others]).toEqual(['g', []])
    await expect(queue.delay(QUEUE, grouped?.receipt ?? '', 13 * HOUR_MS)).rejects.toMatchObject({
      code: 'EDDY_INVALID_OPTION',
    })
    await queue.ack(QUEUE, [grouped?.receipt ?? ''])
    await after(10 * MINUTE_MS + 1_000)
    expect(await acked(queue)).toEqual(['late'])
    expect(await queue.depth(QUEUE)).toBe(0)
  })
})

describe('Deduplication on SQS', () => {
  const once = (deduplicationId: string, more: Partial<QueueMessage> = {}): QueueMessage => ({
    ...{ body: deduplicationId, delayMs: 0, deduplicationId },
    ...more,
  })

  it('an id is remembered for its window and no longer', async () => {
    const { open, world } = await virtual.queues.application()
    const queue = open()
    await send(queue, once('usual'), once('long', { deduplicationWindowMs: 60 * MINUTE_MS }))
    await leap(world, 4 * MINUTE_MS)
    expect(await queue.send(QUEUE, [once('usual')])).toMatchObject([{ duplicate: true }])
    await leap(world, 2 * MINUTE_MS)
    const [usual, long] = await queue.send(QUEUE, [once('usual'), once('long')])
    expect(usual).not.toHaveProperty('duplicate')
    expect(long).toMatchObject({ duplicate: true })
  })

  it('what a sender that died left claimed is sent by the next one, under the same message id', async () => {
    const { open, world } = await virtual.queues.application()
    const { table } = world.boot()
    const place = { partition: `deduplication/${QUEUE}/left`, sort: 'sent' }
    const value = { messageId: 'm-1', state: 'sending', untilMs: nowMs() + 30_000 }
    await table.put({ ...place, value }, 'absent')
    const queue = open()
    expect(await queue.send(QUEUE, [once('left')])).toMatchObject([{ ok: false, retryable: true }])
    await after(30_001)
    expect(await send(queue, once('left'))).toEqual([{ ok: true, messageId: 'm-1' }])
    expect((await receive(queue))[0]?.messageId).toBe('m-1')
    expect(await send(queue, once('left'))).toMatchObject([{ messageId: 'm-1', duplicate: true }])
  })
})

describe('Bodies on SQS', () => {
  const awkward = ['<aws.scheduler.execution-id>', '\u0000\u001f\ufffe', 'eddy/1 {"id":"mine"}\nnot ours', '']

  it('what SQS or the scheduler would change arrives as it was sent, at once and later', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, ...awkward.flatMap((body) => [0, HOUR_MS].map((delayMs) => ({ body, delayMs }))))
    expect([...(await acked(queue))].sort()).toEqual([...awkward].sort())
    await after(HOUR_MS + 1_000)
    expect([...(await acked(queue))].sort()).toEqual([...awkward].sort())
  })

  it('what is too large for a message, or for a schedule, lies in a blob until it is acknowledged', async () => {
    const { open, world } = await virtual.queues.application()
    const queue = open()
    const { blobs } = world.boot()
    const kept = async (): Promise<readonly string[]> => {
      const keys: string[] = []
      for await (const { key } of blobs.list('queue-payloads/')) keys.push(key.split('/')[1] as string)
      return keys
    }
    const large = 'x'.repeat(1_048_576)
    await send(queue, { body: large, delayMs: 0 }, { body: large.slice(0, 300_000), delayMs: HOUR_MS })
    expect(await kept()).toEqual(['weeks', 'year'])
    expect(await acked(queue)).toEqual([large])
    expect(await kept()).toEqual(['year'])
    await after(HOUR_MS + 1_000)
    expect((await acked(queue))[0]?.length).toBe(300_000)
    expect(await kept()).toEqual([])
  })

  it('a queue that takes smaller messages gets references sooner', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, { body: 'first', delayMs: 0 })
    await virtual.queues.sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: (await queueUrls())[0],
        Attributes: { MaximumMessageSize: '262144' },
      }),
    )
    const bodiesSent = ['ä'.repeat(131_000), 'x'.repeat(262_144), '日'.repeat(300_000)]
    await send(queue, ...bodiesSent.map((body) => ({ body, delayMs: 0 })))
    expect([...(await acked(queue))].sort()).toEqual(['first', ...bodiesSent].sort())
  })

  it('a message of somebody else is delivered as it is', async () => {
    const queue = (await virtual.queues.application()).open()
    await send(queue, { body: 'ours', delayMs: 0 })
    expect(await acked(queue)).toEqual(['ours'])
    const [url] = await queueUrls()
    await virtual.queues.sendRaw(url as string, 'theirs')
    await virtual.queues.sendRaw(url as string, 'eddy/1 no header')
    const deliveries = await receive(queue)
    expect([...bodies(deliveries)].sort()).toEqual(['eddy/1 no header', 'theirs'])
    for (const { sequenceNumber, receiveCount } of deliveries) {
      expect(sequenceNumber).toMatch(/^\d{22}$/)
      expect(receiveCount).toBe(1)
    }
  })
})

describe('Messages that a function received', () => {
  it('one that is due is a delivery, one that is early is hidden until it is due', async () => {
    const queue = (await virtual.queues.application()).open()
    const dueAtMs = nowMs() + HOUR_MS
    await send(queue, { body: 'due', delayMs: 0 }, { body: 'early', delayMs: HOUR_MS })
    await virtual.advanceTo(dueAtMs - 30_000)
    const records = await virtual.queues.receiveRaw((await queueUrls())[0] as string)
    const adopted = await queue.adopt(QUEUE, records, 30_000)
    expect(adopted.map((delivery) => delivery?.body).sort()).toEqual(['due', undefined])
    await queue.ack(
      QUEUE,
      adopted.flatMap((delivery) => delivery?.receipt ?? []),
    )
    await virtual.advanceTo(dueAtMs - 1)
    expect(await receive(queue)).toEqual([])
    await virtual.advanceTo(dueAtMs + 1_000)
    expect(await acked(queue)).toEqual(['early'])
    expect(await queue.depth(QUEUE)).toBe(0)
  })
})

/** Of the last application, whose queues are the newest. */
async function queueUrls(): Promise<readonly string[]> {
  return await virtual.queues.urlsOfLast()
}

/** Of the table's clock, too. */
async function leap(
  world: { readonly clock: { advance(ms: number): Promise<void> } },
  ms: number,
): Promise<void> {
  await world.clock.advance(ms)
  await after(ms)
}
