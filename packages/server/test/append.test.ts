import { StorageError } from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'

const PATH = '/v1/streams/orders/records'
const NDJSON = { 'content-type': 'application/x-ndjson' }
const event = (key: string) => ({ key, data: { n: 1 } })

describe('results', () => {
  test('one event', async () => {
    const { status, body } = await client().ask('POST', PATH, event('a'))
    expect(status).toBe(200)
    expect(body).toEqual({
      failedCount: 0,
      results: [
        {
          ok: true,
          id: 'id-0',
          shardId: 'shardId-000000000000',
          sequenceNumber: '1000000000000000',
          duplicate: false,
        },
      ],
    })
  })

  test('one result a record, in order; what the log refuses and what is no event fail in their places', async () => {
    const { status, body } = await client().ask('POST', PATH, [event('a'), 7, event('refused'), event('b')])
    expect(status).toBe(200)
    expect(body.failedCount).toBe(2)
    expect(body.results.map((each: { ok: boolean }) => each.ok)).toEqual([true, false, false, true])
    expect(body.results[1]).toMatchObject({ code: 'EDDY_INVALID_EVENT', retryable: false })
    expect(body.results[3].sequenceNumber).toBe('1000000000000001')
  })

  test('newline-delimited JSON, plain values', async () => {
    const { body, status } = await client().ask(
      'POST',
      `${PATH}?raw=true&key=path&type=file.changed`,
      '{"path":"a"}\nnot json\n{"path":"b"}\n',
      NDJSON,
    )
    expect(status).toBe(200)
    expect(body.results.map((each: { ok: boolean }) => each.ok)).toEqual([true, false, true])
  })

  test('nothing parseable: 400, with what was wrong with each record', async () => {
    const { status, body } = await client().ask('POST', PATH, 'no\nneither\n', NDJSON)
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'EDDY_INVALID_REQUEST', failedCount: 2 })
    expect(body.results).toHaveLength(2)
    expect((await client().ask('POST', PATH, '{"data":1}')).body.detail).toContain('"key" is missing')
  })
})

describe('producer sequences', () => {
  const producer = (first: string) => ({ 'eddy-producer-id': 'p', 'eddy-first-sequence': first })

  test('a repeated request stores nothing twice', async () => {
    const { ask, operations } = client()
    await ask('POST', PATH, [event('a'), event('b')], producer('5'))
    const again = await ask('POST', PATH, [event('a'), event('b')], producer('5'))
    expect(again.body.results.map((each: { duplicate: boolean }) => each.duplicate)).toEqual([true, true])
    expect(operations.log.find('orders').records).toHaveLength(2)
  })

  test('a bad record keeps its number: the ones behind it do not move up', async () => {
    const { ask, operations } = client()
    const { body } = await ask('POST', PATH, [event('a'), 7, event('b'), event('c')], producer('100'))
    expect(body.results.map((each: { ok: boolean }) => each.ok)).toEqual([true, false, true, true])
    expect(
      operations.log.appends.map(({ events, options }) => [options?.firstSequence, events.length]),
    ).toEqual([
      [100, 1],
      [102, 2],
    ])
  })

  test('sequences may have gaps: records that are sent again without those between them', async () => {
    const { ask, operations } = client()
    const marks = (sequences: string) => ({ 'eddy-producer-id': 'p', 'eddy-sequences': sequences })
    await ask('POST', PATH, ['a', 'b', 'c', 'd'].map(event), marks('4,7-8, 10'))
    const again = await ask('POST', PATH, [event('c'), event('e')], marks('8,11'))
    expect(again.body.results.map((each: { duplicate: boolean }) => each.duplicate)).toEqual([true, false])
    expect(
      operations.log.appends.map(({ events, options }) => [options?.firstSequence, events.length]),
    ).toEqual([
      [4, 1],
      [7, 2],
      [10, 1],
      [8, 1],
      [11, 1],
    ])
  })

  test.each(['', '1-', '3-1', 'x', '1,2,3', '1', '1,,2', '1-999999999999999', '-1,2'])(
    'sequences %j do not fit two records',
    async (sequences) => {
      const { ask, operations } = client()
      const headers = { 'eddy-producer-id': 'p', 'eddy-sequences': sequences }
      const { status, body } = await ask('POST', PATH, [event('a'), event('b')], headers)
      expect([status, body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
      expect(operations.log.appends).toEqual([])
    },
  )

  test.each([{ 'eddy-producer-id': 'p' }, { 'eddy-first-sequence': '1' }, producer('-1'), producer('x')])(
    '%j is refused',
    async (headers) => {
      expect((await client().ask('POST', PATH, event('a'), headers)).status).toBe(400)
    },
  )
})

describe('refusals', () => {
  test.each([
    ['not JSON', 'nope', 400, 'EDDY_INVALID_REQUEST'],
    ['no body', undefined, 400, 'EDDY_INVALID_REQUEST'],
    ['an empty array', [], 400, 'EDDY_INVALID_REQUEST'],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, 'EDDY_INVALID_REQUEST'],
    ['501 records', Array.from({ length: 501 }, () => event('a')), 413, 'EDDY_REQUEST_TOO_LARGE'],
  ])('%s', async (_, sent, status, code) => {
    const answer = await client().ask('POST', PATH, sent)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('an unknown stream', async () => {
    const { status, body } = await client().ask('POST', '/v1/streams/nowhere/records', event('a'))
    expect([status, body.code]).toEqual([404, 'EDDY_STREAM_NOT_FOUND'])
    expect(body.details).toEqual({ stream: 'nowhere' })
  })

  test.each([
    ['unknown query names', '?raw=true&keyfield=x', 'keyfield'],
    ['raw without key', '?raw=true', 'key'],
    ['type without raw', '?type=x', 'type'],
    ['a flag that is none', '?raw=yes', 'raw'],
  ])('%s', async (_, query, named) => {
    const { status, body } = await client().ask('POST', PATH + query, event('a'))
    expect([status, body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
    expect(body.detail).toContain(named)
  })

  test.each([
    ['application/x-www-form-urlencoded', {}],
    ['text/plain', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('content type %s %j: 415', async (type, more) => {
    const { status, body } = await client().ask('POST', PATH, '{}', { 'content-type': type, ...more })
    expect([status, body.code]).toEqual([415, 'EDDY_UNSUPPORTED_CONTENT_TYPE'])
  })

  test('a body over the limit, declared or streamed: 413 with how to split', async () => {
    const { ask } = client({ limits: { maxBodyBytes: 1_000 } })
    const large = JSON.stringify({ key: 'a', data: 'x'.repeat(1_000) })
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(600))),
    })
    for (const answer of [
      await ask('POST', PATH, large),
      await ask('POST', PATH, large, { 'content-length': '1042' }),
      await ask('POST', PATH, stream, NDJSON),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([413, 'EDDY_REQUEST_TOO_LARGE'])
      expect(answer.body.detail).toContain('Split it')
    }
  })

  test('bodies are bounded together, and their memory is given back (I6)', async () => {
    const { ask } = client({ limits: { maxPendingBodyBytes: 100 } })
    const large = JSON.stringify({ key: 'a', data: 'x'.repeat(100) })
    const refused = await ask('POST', PATH, large)
    expect([refused.status, refused.body.code]).toEqual([503, 'EDDY_SERVER_BUSY'])
    expect(refused.headers.get('retry-after')).toBe('1')
    for (let round = 0; round < 5; round += 1) {
      expect((await ask('POST', PATH, event('a'))).status).toBe(200)
    }
  })

  test('storage that fails: 503 with retry-after', async () => {
    const operations = fakeOperations({
      append: async () => {
        throw new StorageError('no space left on device')
      },
    })
    const { status, headers, body } = await client({ operations }).ask('POST', PATH, event('a'))
    expect([status, headers.get('retry-after'), body.retryable]).toEqual([503, '1', true])
  })
})

describe('one try', () => {
  const marks = { 'eddy-producer-id': 'p', 'eddy-sequences': '7,9,8', 'eddy-tries': '1' }

  test('asks the log once, whatever the sequences, bad records left out with theirs', async () => {
    const { ask, operations } = client()
    const { body } = await ask('POST', PATH, [event('a'), 7, event('b')], marks)
    expect(body.results.map((each: { ok: boolean }) => each.ok)).toEqual([true, false, true])
    expect(operations.log.appends).toEqual([])
    expect(operations.log.triedOnce).toMatchObject([
      { events: [{ key: 'a' }, { key: 'b' }], marks: { producerId: 'p', sequences: [7, 8] } },
    ])
  })

  test('goes without a producer, too; more than one try is the server’s to choose', async () => {
    const { ask, operations } = client()
    expect((await ask('POST', PATH, event('a'), { 'eddy-tries': '1' })).status).toBe(200)
    expect(operations.log.triedOnce).toMatchObject([{ marks: undefined }])
    for (const tries of ['0', '2', 'one']) {
      const { status, body } = await ask('POST', PATH, event('a'), { 'eddy-tries': tries })
      expect([status, body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
    }
  })
})

describe('an envelope with its place', () => {
  const envelope = { specversion: '1.0', id: 'i', source: 's', type: 't', partitionkey: 'k', data: 1 }

  test('is stored as the envelope is, where the hash key says', async () => {
    const { ask, operations } = client()
    await ask('POST', PATH, { event: envelope, explicitHashKey: '77' })
    await ask('POST', PATH, { event: envelope })
    const [placed, plain] = operations.log.find('orders').records
    expect(placed).toMatchObject({ partitionKey: 'k', explicitHashKey: '77' })
    expect(plain?.explicitHashKey).toBeUndefined()
    expect(plain?.data).toEqual(placed?.data)
  })

  test.each([
    [{ event: { data: 1 } }, '"specversion"'],
    [{ event: 3 }, '"specversion"'],
    [{ event: envelope, key: 'x' }, '"key"'],
    [{ event: envelope, explicitHashKey: 7 }, '"explicitHashKey"'],
  ])('%j is refused', async (body, named) => {
    const { body: answer, status } = await client().ask('POST', PATH, body)
    expect(status).toBe(400)
    expect(answer.detail).toContain(named)
  })
})

test('an attribute of an envelope whose name is no attribute’s is passed on, to be refused by its name', async () => {
  const { ask, operations } = client()
  const envelope =
    '{"specversion":"1.0","id":"i","source":"s","type":"t","partitionkey":"k","data":1,"__proto__":"x"}'
  await ask('POST', PATH, envelope)
  expect(Object.keys(operations.log.appends[0]?.events[0]?.extensions ?? {})).toEqual(['__proto__'])
})
