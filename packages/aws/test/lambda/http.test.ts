import { type Handlers, handlers } from '@eddy/aws/lambda'
import { defineApp, type Engine, fixed, silentLogger, stream, subscribe } from '@eddy/core'
import { createApp } from '@eddy/server'
import { describe, expect, it } from 'vitest'
import type { LambdaWorld } from './support/lambda-world.ts'
import { openWorld } from './support/open-world.ts'

const TOKEN = 'a-token-for-tests'
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 20_000 }

const makeApp = () =>
  defineApp({
    subscriptions: [
      subscribe('work', stream('events', { shards: 1 }), {
        failure: { blocks: 'nothing', immediate: 0, retry: fixed({ delayMs: 1_000, maxAttempts: 1 }) },
        handle: (event) => {
          if (event.id === 'bad') throw new Error('always')
        },
      }),
    ],
  })

function httpOf(engine: Engine, more: Parameters<typeof handlers>[1] = {}): Handlers['http'] {
  const options = { engine: () => engine, logger: silentLogger, metrics: () => {}, traces: false, env: {} }
  return handlers(makeApp(), { ...options, http: createApp, token: TOKEN, ...more }).http
}

const open = (): Promise<LambdaWorld> => openWorld(makeApp)

/** Payload format 2.0: API Gateway's HTTP APIs, and function URLs. */
const v2 = (method: string, rawPath: string, body?: unknown, query = '') => ({
  version: '2.0',
  rawPath,
  rawQueryString: query,
  headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', host: 'api.example' },
  requestContext: { stage: '$default', domainName: 'api.example', http: { method } },
  ...(body !== undefined && {
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
    isBase64Encoded: true,
  }),
})

describe('HTTP handler', () => {
  it('takes events, and shows and changes what became of them, behind a function URL', async () => {
    const world = await open()
    const http = httpOf(world.engine)
    const put = await world.settle(
      http(v2('POST', '/v1/streams/events/records', [{ key: 'k', id: 'bad', data: { n: 1 } }]), context),
    )
    expect(put.statusCode).toBe(200)
    expect(JSON.parse(put.body)).toMatchObject({ failedCount: 0 })
    world.mapStream('work')
    await world.clock.advance(10_000)
    const listed = await world.settle(http(v2('GET', '/v1/failures', undefined, 'status=dead'), context))
    expect(listed.headers['content-type']).toContain('application/json')
    const { items } = JSON.parse(listed.body) as { items: { id: string; eventId: string }[] }
    expect(items.map(({ eventId }) => eventId)).toEqual(['bad'])
    const id = encodeURIComponent(items[0]?.id as string)
    const shown = await world.settle(http(v2('GET', `/v1/failures/${id}`), context))
    expect(JSON.parse(shown.body)).toMatchObject({ item: { attempts: 1 } })
  })

  it('reads requests of payload format 1.0, and of a stage', async () => {
    const world = await open()
    const http = httpOf(world.engine)
    const v1 = {
      version: '1.0',
      httpMethod: 'GET',
      path: '/v1/subscriptions',
      headers: { Authorization: `Bearer ${TOKEN}` },
      multiValueHeaders: { Authorization: [`Bearer ${TOKEN}`] },
      multiValueQueryStringParameters: null,
      body: null,
      isBase64Encoded: false,
      requestContext: { stage: 'prod' },
    }
    const listed = await world.settle(http(v1, context))
    expect(listed.statusCode).toBe(200)
    expect(listed.body).toContain('"work"')
    const staged = {
      ...v2('GET', '/prod/v1/subscriptions'),
      requestContext: { stage: 'prod', http: { method: 'GET' } },
    }
    expect((await world.settle(http(staged, context))).body).toBe(listed.body)
  })

  it('refuses who has no token, and is not made without one', async () => {
    const world = await open()
    const anonymous = { ...v2('GET', '/v1/subscriptions'), headers: { host: 'api.example' } }
    expect((await world.settle(httpOf(world.engine)(anonymous, context))).statusCode).toBe(401)
    const without = httpOf(world.engine, { token: '' })
    await expect(world.settle(without(anonymous, context))).rejects.toThrow(/^EDDY_TOKEN: expected the token/)
    const nothing = handlers(makeApp(), {
      engine: () => world.engine,
      metrics: () => {},
      traces: false,
      env: {},
    })
    await expect(world.settle(nothing.http(anonymous, context))).rejects.toThrow(/^http: expected createApp/)
  })

  it('streams no events: it says so instead of waiting for their end', async () => {
    const world = await open()
    const answer = await world.settle(httpOf(world.engine)(v2('GET', '/v1/events'), context))
    expect(answer.statusCode).toBe(501)
  })

  it('answers with no more than a function can, and reads no more: it says what to ask for instead (I6)', async () => {
    const world = await open()
    let pulled = 0
    let isCanceled = false
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => {
          pulled += 1
          controller.enqueue(new Uint8Array(1_000_000))
        },
        cancel: () => {
          isCanceled = true
        },
      })
    const answerTo = (body: ConstructorParameters<typeof Response>[0], type: string) =>
      world.settle(
        httpOf(world.engine, {
          http: () => ({ fetch: () => new Response(body, { headers: { 'content-type': type } }) }),
        })(v2('GET', '/v1/failures/export'), context),
      )
    const whole = await answerTo(endless(), 'application/x-ndjson')
    expect(whole.statusCode).toBe(501)
    expect(JSON.parse(whole.body)).toMatchObject({
      detail: expect.stringContaining('ask for less at a time'),
    })
    expect(isCanceled).toBe(true)
    expect(pulled).toBeLessThan(12)
    // What fits as text may not fit in the JSON around it, and what fits as bytes not in base64.
    for (const [body, type] of [
      ['"'.repeat(4_000_000), 'application/json'],
      [new Uint8Array(5_000_000), 'application/octet-stream'],
    ] as const)
      expect((await answerTo(body, type)).statusCode).toBe(501)
    expect((await answerTo('x'.repeat(6_000_000), 'text/plain')).body.length).toBe(6_000_000)
  })
})
