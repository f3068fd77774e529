import { describe, expect, test } from 'vitest'
import { createApp } from '../src/index.ts'
import { routes } from '../src/routes/routes.ts'
import { client } from './support/client.ts'
import { fakeOperations } from './support/fake-operations.ts'

const EVENT = { key: 'a', data: 1 }
const RECORDS = '/v1/streams/orders/records'

describe('token', () => {
  const { ask } = client({ token: 'sesame' })

  test('every route but the health checks needs it', async () => {
    for (const route of routes) {
      const path = route.path.replace(/\{\w+\}/g, 'x')
      const { status } = await ask(route.method.toUpperCase(), path)
      expect(status === 401, `${route.method} ${route.path}`).toBe(!['/healthz', '/readyz'].includes(path))
    }
    expect((await ask('GET', '/nowhere')).status).toBe(401)
  })

  test.each(['Bearer wrong', 'Bearer sesame2', 'Bearer', 'Basic sesame', 'sesame', 'Bearer a b'])(
    '%j is refused',
    async (authorization) => {
      const { status, headers, body } = await ask('GET', '/v1/streams', undefined, { authorization })
      expect([status, body.code]).toEqual([401, 'EDDY_UNAUTHORIZED'])
      expect(headers.get('www-authenticate')).toContain('Bearer')
      expect(JSON.stringify(body)).not.toContain('sesame')
    },
  )

  test.each(['Bearer sesame', 'bearer sesame'])('%j is right, under any host name', async (authorization) => {
    const headers = { authorization, host: 'eddy.example:4010' }
    expect((await ask('GET', '/v1/streams', undefined, headers)).status).toBe(200)
  })
})

describe('without a token, only programs of this machine', () => {
  const { ask } = client()

  test.each(['localhost:4010', 'LOCALHOST', '127.0.0.1:4010', '127.9.9.9', '[::1]:4010'])(
    'host %s is this machine',
    async (host) => {
      expect((await ask('GET', '/v1/streams', undefined, { host })).status).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'evil.example:4010',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.0.9',
    '',
  ])('host %j is refused (DNS rebinding), for reads and health checks too', async (host) => {
    for (const path of ['/v1/streams', '/healthz', '/nowhere']) {
      const { status, body } = await ask('GET', path, undefined, { host })
      expect([status, body.code]).toEqual([403, 'EDDY_FORBIDDEN'])
    }
  })

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:3000' },
    { origin: 'null' },
  ])('a page of another origin changes nothing: %j', async (headers) => {
    const { operations, ask: fresh } = client()
    const { status, body } = await fresh('POST', RECORDS, EVENT, { host: 'localhost:4010', ...headers })
    expect([status, body.code]).toEqual([403, 'EDDY_FORBIDDEN'])
    expect(operations.log.appends).toEqual([])
  })

  test.each([
    { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:4010' },
    { 'sec-fetch-site': 'none' },
    {},
  ])('its own pages and programs do: %j', async (headers) => {
    const answer = await ask('POST', RECORDS, EVENT, { host: 'localhost:4010', ...headers })
    expect(answer.status).toBe(200)
  })
})

describe('read-only', () => {
  test('every route that changes something is refused before its body is read', async () => {
    const operations = fakeOperations({ readOnly: true })
    const { ask } = client({ operations })
    const changing = routes.filter((route) => route.method !== 'get')
    expect(changing.every((route) => route.effect === 'changes')).toBe(true)
    for (const route of changing.filter((one) => one.hasDryRun !== true)) {
      const path = route.path.replace(/\{\w+\}/g, 'x')
      const { status, body } = await ask(
        route.method.toUpperCase(),
        path,
        route.method === 'delete' ? undefined : 'x',
      )
      expect([status, body.code], path).toEqual([403, 'EDDY_READ_ONLY'])
    }
    expect(operations.asked).toEqual([])
    expect((await ask('GET', '/v1/streams')).status).toBe(200)
  })

  test.each(['/v1/failures/drop', '/v1/failures/archive', '/v1/redrives'])(
    'a dry run of %s is answered, anything else refused',
    async (path) => {
      const operations = fakeOperations({ readOnly: true })
      const { ask } = client({ operations })
      for (const dryRun of [undefined, false]) {
        const { status, body } = await ask('POST', path, { filter: {}, dryRun })
        expect([status, body.code]).toEqual([403, 'EDDY_READ_ONLY'])
      }
      expect(operations.asked).toEqual([])
      expect((await ask('POST', path, { filter: {}, dryRun: true })).status).toBe(200)
    },
  )

  test('the body is left alone', async () => {
    let pulled = false
    const body = new ReadableStream(
      {
        pull() {
          pulled = true
        },
      },
      { highWaterMark: 0 },
    )
    const app = createApp({ operations: fakeOperations({ readOnly: true }), version: 't' })
    const response = await app.request(RECORDS, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect([response.status, pulled]).toEqual([403, false])
  })
})
