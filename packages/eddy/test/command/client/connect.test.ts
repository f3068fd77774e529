import { afterEach, describe, expect, it } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import { fakeLog, streamServer } from '../support/fake-log.ts'
import { type FakeHandler, type FakeServer, fakeServer, problem } from '../support/fake-server.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const BACKOFF = { initialMs: 1, maxMs: 2 }

async function connected(handler: FakeHandler, token?: string) {
  server = await streamServer(handler)
  return await connect(server.url, { backoff: BACKOFF, ...(token === undefined ? {} : { token }) })
}

const appends = () => (server as FakeServer).requests

describe('connect', () => {
  it('appends events with their outcomes in order, ids and times set, token sent', async () => {
    const log = fakeLog()
    const eddy = await connected((request) => log.append(request), 'secret')
    const outcomes = await eddy.append('orders', [
      { key: 'a', data: 1 },
      { key: 'b', data: 2 },
    ])
    expect(outcomes).toMatchObject([{ ok: true }, { ok: true }])
    expect(log.events).toMatchObject([
      { partitionkey: 'a', data: 1, id: expect.any(String), time: expect.any(String) },
      { partitionkey: 'b', data: 2 },
    ])
    expect(appends()[0]?.headers.authorization).toBe('Bearer secret')
    await eddy.close()
  })

  it('stores an append once when its answer was lost (I2), under the same event id', async () => {
    const log = fakeLog()
    let lost = 2
    const eddy = await connected((request) => {
      const answer = log.append(request)
      lost -= 1
      return lost >= 0 ? 'reset' : answer
    })
    const [outcome] = await eddy.append('orders', { key: 'a', data: 1 })
    expect(outcome).toMatchObject({ ok: true, duplicate: true })
    expect(log.stored).toHaveLength(1)
    expect(new Set(appends().map(({ body }) => body)).size).toBe(1)
  })

  it('joins appends that wait, one request in flight, order kept', async () => {
    const log = fakeLog()
    let inFlight = 0
    let most = 0
    const eddy = await connected(async (request) => {
      inFlight += 1
      most = Math.max(most, inFlight)
      await new Promise((resolve) => setTimeout(resolve, 2))
      inFlight -= 1
      return log.append(request)
    })
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => eddy.append('orders', { key: 'k', data: n })))
    expect(most).toBe(1)
    expect(appends()).toHaveLength(3)
    expect(log.stored).toEqual(Array.from({ length: 1_200 }, (_, n) => n))
  })

  it('keeps streams apart', async () => {
    const log = fakeLog()
    const eddy = await connected((request) => log.append(request))
    await Promise.all([
      eddy.append('a', { key: 'k', data: 1 }),
      eddy.append('b', { key: 'k', data: 2 }),
      eddy.append('a', { key: 'k', data: 3 }),
    ])
    const sent = appends().map(({ path, body }) => [path, body.match(/"data":\d/g)])
    expect(sent).toEqual([
      ['/v1/streams/a/records', ['"data":1', '"data":3']],
      ['/v1/streams/b/records', ['"data":2']],
    ])
  })

  it('reports a record that is refused for good as an outcome, and an error of the request as an error', async () => {
    const log = fakeLog((value) => (value === 'bad' ? 'it is bad' : undefined))
    const eddy = await connected((request) =>
      request.path.includes('none')
        ? problem(404, 'EDDY_STREAM_NOT_FOUND', 'stream "none" does not exist', { retryable: false })
        : log.append(request),
    )
    expect(await eddy.append('orders', { key: 'k', data: 'bad' })).toMatchObject([
      { ok: false, retryable: false, message: 'it is bad' },
    ])
    await expect(eddy.append('none', { key: 'k', data: 1 })).rejects.toMatchObject({
      code: 'EDDY_STREAM_NOT_FOUND',
      retryable: false,
      status: 404,
    })
  })

  it('gives up on records that are throttled again and again, as an outcome', async () => {
    const log = fakeLog(() => 'throttled')
    const eddy = await connected((request) => log.append(request))
    expect(await eddy.append('orders', { key: 'k', data: 1 })).toMatchObject([
      { ok: false, code: 'throttled' },
    ])
    expect(appends().length).toBeGreaterThan(8)
  })

  it('refuses data that is no JSON before anything is sent, an event that is too large, and a closed producer', async () => {
    const eddy = await connected(() => undefined)
    expect(await eddy.append('orders', { key: 'k', data: 1n })).toMatchObject([
      { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false },
    ])
    expect(await eddy.append('orders', { key: 'k', data: 'x'.repeat(11 * 1024 * 1024) })).toMatchObject([
      { ok: false, code: 'EDDY_RECORD_TOO_LARGE', retryable: false },
    ])
    await eddy.close()
    await expect(eddy.append('orders', { key: 'k', data: 1 })).rejects.toMatchObject({
      code: 'EDDY_ENGINE_CLOSED',
    })
    expect(appends()).toHaveLength(0)
  })

  it('produces a source of any length, stored once and in order though every third answer is lost (I2, I3)', async () => {
    const log = fakeLog()
    let calls = 0
    const eddy = await connected((request) => {
      const answer = log.append(request)
      calls += 1
      return calls % 3 === 0 ? 'reset' : answer
    })
    function* events() {
      for (let n = 0; n < 3_000; n += 1) yield { key: `k${n % 40}`, data: n }
    }
    const told: number[] = []
    const report = await eddy.produce('orders', events(), {
      onOutcome: (outcome, index) => void (outcome.ok && told.push(index)),
    })
    expect(report).toMatchObject({ end: 'done', read: 3_000, accepted: 3_000, failed: 0 })
    expect(report.resent).toBeGreaterThan(0)
    expect(told.sort((a, b) => a - b)).toEqual(Array.from({ length: 3_000 }, (_, n) => n))
    for (let key = 0; key < 40; key += 1) {
      const ofKey = (log.stored as number[]).filter((n) => n % 40 === key)
      expect(ofKey).toEqual(Array.from({ length: 75 }, (_, n) => n * 40 + key))
    }
    await eddy.close()
  })

  it('says of an event that found no answer that it may be stored', async () => {
    server = await streamServer(() => 'reset')
    const eddy = await connect(server.url, { giveUpAfterMs: 1_000, backoff: { initialMs: 300, maxMs: 600 } })
    expect(await eddy.append('orders', { key: 'k', data: 1 })).toMatchObject([
      { ok: false, code: 'EDDY_CONNECTION', retryable: true, mayBeStored: true },
    ])
    await eddy.close()
  })

  it('close waits for what was appended before', async () => {
    const log = fakeLog()
    const eddy = await connected((request) => log.append(request))
    const appended = eddy.append('orders', { key: 'k', data: 1 })
    await eddy.close()
    expect(log.stored).toHaveLength(1)
    await appended
  })

  it('says that nothing answers, and what an address looks like', async () => {
    const gone = await fakeServer(() => undefined)
    await gone.close()
    await expect(connect(gone.url)).rejects.toMatchObject({ code: 'EDDY_CONNECTION' })
    await expect(connect('localhost:4010')).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  })
})
