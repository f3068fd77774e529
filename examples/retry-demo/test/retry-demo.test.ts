import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@eddy/server'
import { type Blocks, type FailureDetail, open, type RedriveJob } from 'eddy'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AttemptLog, type LoggedAttempt } from '../src/attempt-log.ts'
import { createFront } from '../src/front.ts'
import { DemoMailServer } from '../src/mail-server.ts'
import { retryDemoApp, subscriptionOf } from '../src/retry-demo-app.ts'

/** Three of them pass before a failing event is dead: time for the events behind it to be put. */
const RETRY_DELAY_MS = 400

interface Demo {
  readonly url: string
  readonly eddyUrl: string
  close(): Promise<void>
}

interface Brief {
  readonly id: string
  readonly eventId: string
  readonly status: string
  readonly attempts: number
  readonly error?: string
}

let demo: Demo

beforeEach(async () => {
  demo = await startDemo()
})
afterEach(() => demo.close())

async function startDemo(): Promise<Demo> {
  const dataDir = mkdtempSync(join(tmpdir(), 'eddy-retry-demo-'))
  const [mail, log] = [new DemoMailServer(), new AttemptLog()]
  const eddy = await open(retryDemoApp({ mail, log, retryDelayMs: RETRY_DELAY_MS }), { dataDir })
  const api = await serve({ operations: eddy.operations, host: '127.0.0.1', port: 0, version: 'test' })
  const front = createFront({ eddy, log, mail, eddyUrl: api.url }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    eddyUrl: api.url,
    async close() {
      front.closeAllConnections()
      front.close()
      await api.close()
      await eddy.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${demo.url}${path}`)
  expect(answer.ok).toBe(true)
  return (await answer.json()) as T
}

const put = (query: string) =>
  get<{ readonly id: string; readonly look?: string; readonly redrive?: string }>(`/?${query}`)

/** Puts a failing visit of ann and, behind it, a good one of ann and one of bob; waits until all three are over. */
async function runVariant(blocks: Blocks) {
  const failing = await put(`fail=true&key=ann&blocks=${blocks}`)
  const behind = await put(`key=ann&blocks=${blocks}`)
  const other = await put(`key=bob&blocks=${blocks}`)
  const log = await vi.waitFor(
    async () => {
      const attempts = await get<LoggedAttempt[]>('/log')
      const failures = await get<Brief[]>('/failures')
      expect(failures.find(({ eventId }) => eventId === failing.id)?.status).toBe('dead')
      expect(attempts.filter(({ result }) => result === 'handled')).toHaveLength(2)
      return attempts
    },
    { timeout: 20_000, interval: 50 },
  )
  const tries = log.filter(({ eventId }) => eventId === failing.id)
  expect(tries.map(({ attempt, result }) => [attempt, result])).toEqual([
    [1, 'failed'],
    [2, 'failed'],
    [3, 'failed'],
    [4, 'failed'],
  ])
  expect(tries.map(({ path }) => path)).toEqual(['live', 'retry', 'retry', 'retry'])
  const at = (id: string) => log.findIndex(({ eventId, result }) => eventId === id && result === 'handled')
  const end = log.findIndex(({ eventId, attempt }) => eventId === failing.id && attempt === 4)
  return { failing, behindWaited: at(behind.id) > end, otherWaited: at(other.id) > end }
}

describe('GET /?fail=true: an event that fails is retried three times, then dead', () => {
  it('blocks nothing: the stream flows on (acceptance: real-time)', async () => {
    expect(await runVariant('nothing')).toMatchObject({ behindWaited: false, otherWaited: false })
  })

  it('blocks the key: its next event waits, another key does not (I3, I4)', async () => {
    expect(await runVariant('key')).toMatchObject({ behindWaited: true, otherWaited: false })
  })

  it('blocks the shard: everything behind it waits (I3)', async () => {
    expect(await runVariant('shard')).toMatchObject({ behindWaited: true, otherWaited: true })
  })

  it('says where to look and how to redrive, and the redrive calls the same function (I7)', async () => {
    const { failing } = await runVariant('nothing')
    expect(failing.look).toContain('npx eddy failures list --subscription welcome-nothing')
    expect(failing.redrive).toContain(`--url ${demo.eddyUrl}`)
    const [dead] = await get<Brief[]>('/failures')
    expect(dead).toMatchObject({
      status: 'dead',
      attempts: 4,
      error: 'the mail server refused the mail to ann',
    })

    await get('/repair')
    const filter = { subscription: subscriptionOf('nothing'), status: 'dead' }
    const answer = await fetch(`${demo.eddyUrl}/v1/redrives`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ filter, by: 'test' }),
    })
    expect(answer.status).toBe(202)
    expect(((await answer.json()) as RedriveJob).id).toBeTruthy()
    const detail = await vi.waitFor(
      async () => {
        const shown = await fetch(`${demo.eddyUrl}/v1/failures/${encodeURIComponent(dead?.id ?? '')}`)
        const found = (await shown.json()) as FailureDetail
        expect(found.item.status).toBe('resolved')
        return found
      },
      { timeout: 20_000, interval: 50 },
    )
    expect(detail.item.attempts).toBe(5)
    const log = await get<LoggedAttempt[]>('/log')
    expect(log.at(-1)).toMatchObject({ eventId: failing.id, attempt: 5, path: 'redrive', result: 'handled' })
  })
})
