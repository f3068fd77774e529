import * as core from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { errorStatus } from '../src/http/error-status.ts'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'
import { memoryLogger } from './support/memory-logger.ts'

describe('addresses', () => {
  test('nothing there: 404', async () => {
    for (const path of ['/v2', '/v1/streams/', '/v1/failures/a/b/c', '/v1/streams/orders/shards']) {
      const { status, body } = await client().ask('GET', path)
      expect([status, body.code], path).toEqual([404, 'EDDY_ROUTE_NOT_FOUND'])
    }
  })

  test('another method: 405 with the ones there are', async () => {
    const { status, headers, body } = await client().ask('PUT', '/v1/streams/orders', {})
    expect([status, body.code]).toEqual([405, 'EDDY_METHOD_NOT_ALLOWED'])
    expect(headers.get('allow')).toBe('GET, PATCH, DELETE')
    expect((await client().ask('GET', '/v1/streams/orders/records')).headers.get('allow')).toBe('POST')
    expect((await client().ask('OPTIONS', '/v1/streams')).status).toBe(405)
  })

  test('a path that is not percent-encoded well names nothing', async () => {
    expect((await client().ask('GET', '/v1/streams/%E0%A4%A')).status).toBe(404)
  })
})

test('an EddyError becomes its problem document', async () => {
  const { body, headers } = await client().ask('GET', '/v1/streams/none')
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(body).toEqual({
    type: 'urn:eddy:error:EDDY_STREAM_NOT_FOUND',
    title: 'Stream not found',
    status: 404,
    detail: expect.stringContaining('eddy streams create none'),
    code: 'EDDY_STREAM_NOT_FOUND',
    retryable: false,
    details: { stream: 'none' },
  })
})

test('an unexpected error tells nothing of the inside; the log has it under the id, without what it quotes', async () => {
  const { logger, lines } = memoryLogger()
  const operations = fakeOperations({
    listStreams: async () => {
      throw new TypeError('cannot read "card 4111-1111"')
    },
  })
  const { status, body } = await client({ operations, logger }).ask('GET', '/v1/streams')
  expect([status, body.code]).toEqual([500, 'EDDY_INTERNAL'])
  expect(body.instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/)
  expect(JSON.stringify(body)).not.toContain('4111')
  const line = lines.find((each) => each.level === 'error')
  expect(line?.fields).toMatchObject({ instance: body.instance, errorType: 'TypeError' })
  expect(JSON.stringify(lines)).not.toContain('4111')
})

describe('statuses', () => {
  const statuses: [RegExp, number][] = [
    [/_NOT_FOUND$/, 404],
    [/_(EXISTS|CONFLICT|STATE)$|OUT_OF_ORDER/, 409],
    [/TOO_LARGE$/, 413],
    [/^EDDY_INVALID_/, 400],
    [/READ_ONLY|FORBIDDEN/, 403],
    [/UNAUTHORIZED/, 401],
    [/THROTTLED/, 429],
    [/EDDY_STORAGE$|SERVER_BUSY/, 503],
    [/CORRUPT/, 500],
  ]

  test('every error of core has a status that fits its code and whether it can be retried', () => {
    const errors = Object.values(core).flatMap((each) => {
      if (typeof each !== 'function' || !(each.prototype instanceof core.EddyError)) return []
      // Arrays pass for the texts and the lists that constructors take.
      return [new (each as unknown as new (...args: string[][]) => core.EddyError)(['a'], ['b'], ['c'])]
    })
    expect(errors.length).toBeGreaterThan(20)
    for (const error of errors) {
      const status = errorStatus(error.code, error.retryable)
      const expected = statuses.find(([pattern]) => pattern.test(error.code))?.[1]
      if (expected !== undefined) expect(status, error.code).toBe(expected)
      expect(status, error.code).toBeGreaterThanOrEqual(400)
      if (status < 500 && status !== 429) expect(error.retryable, error.code).toBe(false)
    }
  })
})

test('a throttled read says in whole seconds and in milliseconds when to come again', async () => {
  const throttled = new core.ThrottledError('reading shardId-000000000000 of stream "orders"', 1_200)
  const operations = fakeOperations({ read: () => Promise.reject(throttled) })
  const path = '/v1/streams/orders/shards/shardId-000000000000/records'
  const { status, headers, body } = await client({ operations }).ask('GET', path)
  expect([status, headers.get('retry-after')]).toEqual([429, '2'])
  expect(body).toMatchObject({ code: 'EDDY_THROTTLED', retryable: true, details: { retryAfterMs: 1_200 } })
})
