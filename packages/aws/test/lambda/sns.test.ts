import { defineApp, fixed, type HandlerContext, type LedgerItem, queue, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { openWorld, sqsRecord } from './support/open-world.ts'

const MINUTE_MS = 60_000

describe('SNS handler', () => {
  const topicApp = (handle: (data: unknown, ctx: HandlerContext) => unknown) =>
    defineApp({
      subscriptions: [
        subscribe('alarms', queue('alarms', {}), {
          failure: { blocks: 'nothing', retry: fixed({ delayMs: 1_000, maxAttempts: 2 }), immediate: 0 },
          handle: async (event, ctx) => void (await handle(event.data, ctx)),
        }),
      ],
    })
  const notification = (id: string, text: string) => ({
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: 'arn:aws:sns:eu-west-1:000000000000:alarms:1',
    Sns: {
      Type: 'Notification',
      MessageId: id,
      TopicArn: 'arn:aws:sns:eu-west-1:000000000000:alarms',
      Subject: null,
      Message: text,
      Timestamp: '2026-01-01T00:00:00.000Z',
    },
  })

  it('a message of any form is an event; one that is delivered twice is handled once after it failed', async () => {
    const seen: unknown[] = []
    const world = await openWorld(() =>
      topicApp((data) => {
        seen.push(data)
        if (data === 'bad') throw new Error('bad')
      }),
    )
    const fn = world.fn('sns', { subscription: 'alarms' })
    world.mapRetries('alarms')
    const first = await world.settle(fn.invoke({ Records: [notification('n1', '{"level":1}')] }))
    expect(first).toMatchObject({ ok: true })
    await world.settle(fn.invoke({ Records: [notification('n2', 'bad')] }))
    // The service delivers at least once: the ledger has it.
    await world.settle(fn.invoke({ Records: [notification('n2', 'bad')] }))
    await world.clock.advance(MINUTE_MS)
    expect(seen).toEqual([{ level: 1 }, 'bad', 'bad'])
    const [failure] = (await world.failures()) as readonly LedgerItem[]
    expect(failure).toMatchObject({
      eventId: 'n2',
      eventType: 'aws.sns.notification',
      status: 'dead',
      attempts: 2,
    })
  })

  it('one that ends its process comes from the dead-letter document into the ledger', async () => {
    let isDeadly = true
    const seen: unknown[] = []
    const world = await openWorld(({ exit }) =>
      topicApp(async (data) => {
        if (isDeadly) return await exit()
        seen.push(data)
      }),
    )
    const fn = world.fn('sns', { subscription: 'alarms' })
    const event = { Records: [notification('n1', '"deadly"')] }
    expect(await world.settle(fn.invoke(event))).toMatchObject({ ok: false, kind: 'exit' })
    isDeadly = false
    const document = {
      requestContext: { functionArn: fn.arn, condition: 'RetriesExhausted' },
      requestPayload: event,
    }
    const rescue = world.fn('rescue')
    const rescued = await world.settle(
      rescue.invoke({ Records: [sqsRecord('r1', JSON.stringify(document))] }),
    )
    expect(rescued).toMatchObject({ ok: true, payload: { batchItemFailures: [] } })
    world.mapRetries('alarms')
    await world.clock.advance(MINUTE_MS)
    expect(seen).toEqual(['deadly'])
  })
})
