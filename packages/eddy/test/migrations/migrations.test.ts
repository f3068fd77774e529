import { readFileSync } from 'node:fs'
import { decodeEvent, encodeEvent } from '@eddy/core'
import { type Harness, harness } from '@eddy/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataOf, recordOf } from './envelope.ts'
import mapping from './mapping.ts'
import { handler } from './mapping-before.ts'
import scheduler from './scheduler.ts'
import { handler as scheduled } from './scheduler-before.ts'
import snsRetry from './sns-retry.ts'
import { live, retry } from './sns-retry-before.ts'
import { mailServer } from './welcome.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const base64 = (data: object): string => Buffer.from(JSON.stringify(data)).toString('base64')
const ann = { visitor: 'ann' }
const bob = { visitor: 'bob' }
/** After `from` of the applications. */
const startMs = Date.parse('2026-02-01T00:00:00Z')

let h: Harness | undefined
beforeEach(() => {
  mailServer.isDown = false
  mailServer.sent = []
})
afterEach(async () => {
  await h?.close()
  h = undefined
})

describe('Guides to migrations', () => {
  it.each([
    ['migrate-event-source-mapping', ['mapping-before', 'envelope', 'mapping']],
    ['migrate-sns-retry', ['sns-retry-before', 'sns-retry']],
    ['migrate-scheduler-retries', ['scheduler-before', 'scheduler']],
  ])('%s shows the files that are run here', (guide, files) => {
    const document = read(`../../../../docs/guides/${guide}.md`)
    const shown = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1])
    expect(shown).toEqual(files.map((file) => read(`./${file}.ts`)))
  })

  it('the envelope is an event to Eddy, and the old function reads either form', () => {
    const { data, type } = decodeEvent(new TextEncoder().encode(recordOf(ann)))
    expect({ data, type }).toEqual({ data: ann, type: 'visit' })
    expect(dataOf(recordOf(ann))).toEqual(ann)
    expect(dataOf(JSON.stringify(ann))).toEqual(ann)
    const ours = encodeEvent({ key: 'ann', data: ann }, { stream: 'visits', id: '1', nowMs: startMs })
    expect(dataOf(new TextDecoder().decode(ours))).toEqual(ann)
  })
})

describe('From a bare event source mapping', () => {
  const records = [ann, bob].map((data, index) => ({
    kinesis: { sequenceNumber: String(index), data: base64(data) },
  }))

  it('before: the first that fails holds everybody up', async () => {
    mailServer.isDown = true
    expect(await handler({ Records: records })).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] })
    mailServer.isDown = false
    expect(await handler({ Records: records })).toEqual({ batchItemFailures: [] })
    expect(mailServer.sent).toEqual(['ann', 'bob'])
  })

  it('after: its key waits, others flow on, and what is hopeless waits for a person', async () => {
    h = await harness(mapping, { startMs })
    h.fail('welcome', { key: 'ann' })
    await h.append('visits', [
      { key: 'ann', id: 'a1', data: ann },
      { key: 'ann', id: 'a2', data: ann },
      { key: 'bob', id: 'b1', data: bob },
    ])
    await h.settle('3h')
    expect(mailServer.sent).toEqual(['bob'])
    expect(await h.held('welcome')).toHaveLength(2)
    h.heal('welcome')
    await h.operations.startRedrive({ subscription: 'welcome', status: 'held' }, { by: 'carol' })
    await h.settle()
    expect(h.order('welcome', 'ann')).toEqual(['a1', 'a2'])
  })
})

describe('From SNS to retry', () => {
  it('before: what fails is tried from a topic', async () => {
    mailServer.isDown = true
    const topic: string[] = []
    await live({ Records: [{ kinesis: { data: base64(ann) } }] }, async (text) => void topic.push(text))
    await expect(retry({ Records: [{ Sns: { Message: topic[0] as string } }] })).rejects.toThrow('ann')
    mailServer.isDown = false
    await retry({ Records: [{ Sns: { Message: topic[0] as string } }] })
    expect(mailServer.sent).toEqual(['ann'])
  })

  it('after: the stream flows on, and the same two retries come after one minute and two more', async () => {
    h = await harness(snsRetry, { startMs })
    mailServer.isDown = true
    await h.append('visits', { key: 'ann', id: 'a1', data: ann })
    await h.advance('59s')
    expect(h.attempts('welcome', 'a1')).toBe(1)
    await h.advance('2s')
    expect(h.attempts('welcome', 'a1')).toBe(2)
    await h.advance('118s')
    expect(h.attempts('welcome', 'a1')).toBe(2)
    await h.advance('4s')
    expect(await h.deadLetters('welcome')).toMatchObject([{ eventId: 'a1', attempts: 3 }])
  })
})

describe("From EventBridge Scheduler's retries", () => {
  it('before: a schedule for each retry, until there are no more', async () => {
    mailServer.isDown = true
    const made: string[] = []
    const create = async (_atMs: number, input: string): Promise<void> => void made.push(input)
    await scheduled({ visit: ann, attempt: 1 }, create)
    expect(made.map((input) => JSON.parse(input))).toEqual([{ visit: ann, attempt: 2 }])
    await expect(scheduled({ visit: ann, attempt: 4 }, create)).rejects.toThrow('ann')
  })

  it('after: the same delays, never early, then a dead letter', async () => {
    h = await harness(scheduler)
    mailServer.isDown = true
    await h.send('welcomes', { data: ann })
    const attempts = () => h?.calls('welcome').length
    for (const [minutes, expected] of [
      [9, 1],
      [2, 2],
      [58, 2],
      [3, 3],
      [24 * 60 - 5, 3],
      [10, 4],
    ] as const) {
      await h.advance(`${minutes}m`)
      expect(attempts()).toBe(expected)
    }
    expect(await h.deadLetters('welcome')).toHaveLength(1)
  })
})
