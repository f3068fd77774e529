import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Notice } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import { snsClient, snsSink } from '../../src/sns/index.ts'

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:failures'
const notice: Notice = {
  kind: 'dead-letter',
  subscription: 'charge',
  id: 'charge:0:1',
  key: 'Zoë',
  reason: 'no such card',
  atMs: 1_700_000_000_000,
}

describe('Notices to SNS', () => {
  it('are JSON, with what a subscription of the topic filters by', async () => {
    await withTopic([200], async ({ sink, published }) => {
      await sink(TOPIC).notify(notice)
      const [message] = published as [URLSearchParams]
      expect(JSON.parse(message.get('Message') ?? '')).toEqual(notice)
      expect(message.get('TopicArn')).toBe(TOPIC)
      expect(message.get('Subject')).toBe('Eddy: dead-letter, charge')
      const attributes = [1, 2].map((at) => {
        const entry = `MessageAttributes.entry.${at}`
        return [message.get(`${entry}.Name`), message.get(`${entry}.Value.StringValue`)]
      })
      expect(attributes).toEqual([
        ['kind', 'dead-letter'],
        ['subscription', 'charge'],
      ])
      expect(message.has('MessageGroupId')).toBe(false)
    })
  })

  it('in a FIFO topic are a group for each subscription; all tries of one are the same message', async () => {
    await withTopic([503, 200], async ({ sink, published }) => {
      await sink(`${TOPIC}.fifo`).notify(notice)
      expect(published.map((message) => message.get('MessageGroupId'))).toEqual(['charge', 'charge'])
      const ids = published.map((message) => message.get('MessageDeduplicationId'))
      expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/)
      expect(ids[1]).toBe(ids[0])
    })
  })

  it('are tried three times, with half a second and a second between', async () => {
    await withTopic([503, 500, 503], async ({ sink, published, waits }) => {
      const error = await rejection(sink(TOPIC).notify(notice))
      expect(error).toMatchObject({ code: 'EDDY_NOTIFY', retryable: true })
      expect(String(error)).toContain(TOPIC)
      expect(published).toHaveLength(3)
      expect(waits).toEqual([500, 1_000])
    })
  })

  it('that SNS refuses for good are not sent again', async () => {
    await withTopic([403], async ({ sink, published }) => {
      expect(await rejection(sink(TOPIC).notify(notice))).toMatchObject({ code: 'EDDY_NOTIFY' })
      expect(published).toHaveLength(1)
    })
  })

  it('with a reason that is too long for a message lose the end of it', async () => {
    await withTopic([200], async ({ sink, published }) => {
      await sink(TOPIC, 4_096).notify({ ...notice, reason: '\u0001é'.repeat(50_000) })
      const told = published[0]?.get('Message') ?? ''
      expect(Buffer.byteLength(told)).toBeLessThanOrEqual(4_096 - 1_024)
      const { reason, ...rest } = JSON.parse(told) as typeof notice
      expect(rest).toEqual({ ...notice, reason: undefined })
      expect([reason.startsWith('\u0001é'), reason.endsWith('…')]).toEqual([true, true])
    })
  })

  it.each([
    [{ topicArn: 'failures' }, 'snsSink().topicArn'],
    [{ topicArn: 'arn:aws:sqs:eu-west-1:123456789012:q' }, 'snsSink().topicArn'],
    [{ topicArn: TOPIC, maxBytes: 2_000_000 }, 'snsSink().maxBytes'],
  ])('say which option is wrong: %o', (options, named) => {
    expect(() => snsSink(options)).toThrow(named)
  })
})

interface Topic {
  readonly sink: (topicArn: string, maxBytes?: number) => { notify(notice: Notice): Promise<void> | void }
  readonly published: readonly URLSearchParams[]
  readonly waits: readonly number[]
}

/** A service that answers with these statuses, one after the other. */
async function withTopic(statuses: readonly number[], test: (topic: Topic) => Promise<void>): Promise<void> {
  const published: URLSearchParams[] = []
  const waits: number[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const status = statuses[published.push(new URLSearchParams(body)) - 1] ?? 500
      const answer =
        status === 200
          ? '<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>'
          : '<ErrorResponse><Error><Code>Said</Code><Message>by the test</Message></Error></ErrorResponse>'
      response.writeHead(status, { 'content-type': 'text/xml' }).end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = snsClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const sink: Topic['sink'] = (topicArn, maxBytes) =>
    snsSink({
      topicArn,
      client,
      wait: async (delayMs) => void waits.push(delayMs),
      ...(maxBytes !== undefined && { maxBytes }),
    })
  try {
    await test({ sink, published, waits })
  } finally {
    client.destroy()
    server.closeAllConnections()
    server.close()
  }
}

async function rejection(promise: Promise<void> | void): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}
