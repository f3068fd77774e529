import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeEvent, type Operations } from '@eddy/core'
import { type RunningServer, serve } from '@eddy/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HttpLog } from '../../../src/client/http-log.ts'
import { HttpQueueLog } from '../../../src/client/http-queue-log.ts'
import { Transport } from '../../../src/client/transport.ts'
import type { Eddy } from '../../../src/eddy.ts'
import { open } from '../../../src/open.ts'
import { type FakeServer, fakeServer, problem } from '../support/fake-server.ts'

let folder: string
let eddy: Eddy
let operations: Operations
let server: RunningServer
let log: HttpLog
let streams = 0
let fake: FakeServer | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-http-log-'))
  eddy = await open(undefined, { dataDir: folder })
  operations = eddy.operations
  server = await serve({ operations, host: '127.0.0.1', port: 0, version: '1' })
  log = new HttpLog(new Transport({ url: server.url }))
})
afterEach(async () => {
  await fake?.close()
  fake = undefined
})
afterAll(async () => {
  await server.close()
  await eddy.close()
  await rm(folder, { recursive: true })
})

async function newStream(limits?: object): Promise<string> {
  streams += 1
  const name = `s${streams}`
  await operations.createStream({ name, shardCount: 2, ...(limits !== undefined && { limits }) } as never)
  return name
}

function entry(key: string, sequence: number, stream = 's') {
  const id = `id-${sequence}`
  const data = encodeEvent({ key, data: { sequence } }, { stream, id, nowMs: 1_700_000_000_000 })
  return { partitionKey: key, data, producerId: 'p', producerSequence: sequence }
}

async function storedBytes(stream: string): Promise<Buffer[]> {
  const { shards } = await operations.showStream(stream)
  const pages = await Promise.all(
    shards.map(({ shardId }) =>
      operations.read({
        stream,
        shardId,
        from: { at: 'trim_horizon' },
        maxRecords: 1_000,
        maxBytes: 1e7,
        waitMs: 0,
      }),
    ),
  )
  return pages.flatMap(({ records }) => records.map(({ data }) => Buffer.from(data)))
}

describe('the log of a server, over HTTP', () => {
  it('stores the bytes as they are, once, whichever entries are sent again (I1)', async () => {
    const stream = await newStream()
    const entries = [4, 7, 8, 9].map((sequence) => entry(`k${sequence}`, sequence, stream))
    const first = await log.append(stream, entries)
    expect(first).toMatchObject(entries.map(() => ({ ok: true, duplicate: false })))
    const again = await log.append(stream, [entries[3], entries[0], entry('new', 5, stream)] as never)
    expect(again.map((result) => result.ok && result.duplicate)).toEqual([true, true, false])
    expect(again[0]).toMatchObject({ ...first[3], duplicate: true })
    const stored = (await storedBytes(stream)).map(String).sort()
    expect(stored).toEqual(
      [...entries, entry('new', 5, stream)].map(({ data }) => Buffer.from(data).toString()).sort(),
    )
  })

  it('tells shards with their ranges, and the limits of the stream', async () => {
    const stream = await newStream('kinesis' as never)
    expect(await log.listShards(stream)).toMatchObject([
      { shardId: 'shardId-000000000000', startingHashKey: '0', depth: 0 },
      { shardId: 'shardId-000000000001', parentShardIds: [] },
    ])
    expect((await log.describeStream(stream)).limits).toMatchObject({ writeRecordsPerSecond: 1_000 })
    expect((await log.describeStream(await newStream())).limits).toBeUndefined()
  })

  it('places an entry where its hash key says', async () => {
    const stream = await newStream()
    const high = { ...entry('k', 1, stream), explicitHashKey: String((1n << 128n) - 1n) }
    const low = { ...entry('k', 2, stream), explicitHashKey: '0' }
    expect(await log.append(stream, [high, low])).toMatchObject([
      { ok: true, shardId: 'shardId-000000000001' },
      { ok: true, shardId: 'shardId-000000000000' },
    ])
  })

  it('answers what the limits refuse at once: the server sends nothing again', async () => {
    const stream = await newStream({ writeRecordsPerSecond: 1 })
    const entries = Array.from({ length: 20 }, (_, n) => entry('k', n, stream))
    const results = await log.append(stream, entries)
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    expect(results[1]).toMatchObject({ ok: false, code: 'throttled', retryable: true })
  })

  it('passes on why an event is none, each in its place', async () => {
    const stream = await newStream()
    const bad = { ...entry('k', 2, stream), data: new TextEncoder().encode('{"id":1}') }
    const results = await log.append(stream, [entry('k', 1, stream), bad, entry('k', 3, stream)])
    expect(results).toMatchObject([
      { ok: true },
      { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false },
      { ok: true },
    ])
    expect(await log.append(stream, [bad])).toMatchObject([{ ok: false, code: 'EDDY_INVALID_EVENT' }])
  })

  it('sends the entries of several producers apart, and answers them in order', async () => {
    const stream = await newStream()
    const entries = ['a', 'a', 'b', 'a'].map((producerId, n) => ({ ...entry('k', n, stream), producerId }))
    const results = await log.append(stream, entries)
    const numbers = results.map((result) => (result.ok ? Number(result.sequenceNumber) : 0))
    expect(numbers).toEqual([0, 1, 2, 3].map((n) => (numbers[0] as number) + n))
  })

  it('says that there is no such stream', async () => {
    await expect(log.append('none', [entry('k', 1)])).rejects.toMatchObject({
      code: 'EDDY_STREAM_NOT_FOUND',
      retryable: false,
    })
    await expect(log.listShards('none')).rejects.toMatchObject({ code: 'EDDY_STREAM_NOT_FOUND' })
  })
})

describe('when a server does not answer', () => {
  it('a connection that breaks leaves it unknown what was stored', async () => {
    fake = await fakeServer(() => 'reset')
    const broken = new HttpLog(new Transport({ url: fake.url }))
    await expect(broken.append('s', [entry('k', 1)])).rejects.toMatchObject({
      code: 'EDDY_CONNECTION',
      retryable: true,
    })
    expect(fake.requests).toHaveLength(1)
  })

  it('one that was never made, and a server that refuses at its door, stored nothing: known, and to be sent again', async () => {
    const gone = await fakeServer(() => undefined)
    await gone.close()
    const refused = await new HttpLog(new Transport({ url: gone.url })).append('s', [entry('k', 1)])
    expect(refused).toMatchObject([{ ok: false, code: 'EDDY_CONNECTION', retryable: true }])
    fake = await fakeServer(() => problem(503, 'EDDY_SERVER_BUSY', 'busy', { retryable: true }))
    const busy = await new HttpLog(new Transport({ url: fake.url })).append('s', [entry('k', 1)])
    expect(busy).toMatchObject([{ ok: false, code: 'EDDY_SERVER_BUSY', retryable: true }])
  })

  it('an answer that takes too long, or that has too few results, is an error', async () => {
    fake = await fakeServer((request) =>
      request.path.includes('slow')
        ? new Promise(() => undefined)
        : { json: { failedCount: 0, results: [] } },
    )
    const hasty = new HttpLog(new Transport({ url: fake.url }), 50)
    await expect(hasty.append('slow', [entry('k', 1)])).rejects.toMatchObject({ code: 'EDDY_CONNECTION' })
    const patient = new HttpLog(new Transport({ url: fake.url }))
    await expect(patient.append('s', [entry('k', 1)])).rejects.toMatchObject({ code: 'EDDY_REMOTE' })
  })
})

describe('the queues of a server as a log', () => {
  it('sends each message with its own sequence, and takes message ids for sequence numbers', async () => {
    const results = [
      { ok: true, id: 'a', messageId: 'm1', duplicate: false },
      { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message: 'no' },
    ]
    fake = await fakeServer(() => ({ json: { failedCount: 1, results } }))
    const queue = new HttpQueueLog(new Transport({ url: fake.url }), { raw: true })
    const line = (text: string, producerSequence: number) => ({
      partitionKey: 'lane',
      data: Buffer.from(text),
      producerId: 'p',
      producerSequence,
    })
    expect(await queue.append('mails', [line('{"a":1}', 3), line('{"b":1}', 7)])).toEqual([
      { ok: true, shardId: 'queue', sequenceNumber: 'm1', duplicate: false },
      { ok: false, code: 'EDDY_INVALID_EVENT', retryable: false, message: 'no' },
    ])
    expect(fake.requests[0]).toMatchObject({
      path: '/v1/queues/mails/messages',
      body: '{"a":1}\n{"b":1}\n',
      headers: { 'eddy-producer-id': 'p', 'eddy-sequences': '3,7' },
    })
    expect(fake.requests[0]?.query.get('raw')).toBe('true')
  })
})
