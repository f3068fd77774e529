import { describe, expect, test } from 'vitest'
import { pinoLogger } from '../src/index.ts'
import { client } from './support/client.ts'
import { memoryLogger } from './support/memory-logger.ts'

describe('access log', () => {
  test('method, route pattern, status, duration, bytes; no ids, queries, bodies or headers', async () => {
    const { logger, lines } = memoryLogger()
    const { ask } = client({ logger, token: 'sesame' })
    const headers = { authorization: 'Bearer sesame' }
    await ask('POST', '/v1/streams/orders/records?key=data.card', { data: { card: '4111' } }, headers)
    await ask('GET', '/v1/failures?key=4111', undefined, headers)
    await ask('GET', '/v1/streams/secret-name', undefined, headers)
    expect(lines.map((line) => [line.fields.method, line.fields.route, line.fields.status])).toEqual([
      ['POST', '/v1/streams/{name}/records', 200],
      ['GET', '/v1/failures', 200],
      ['GET', '/v1/streams/{name}', 404],
    ])
    expect(lines[0]?.fields).toMatchObject({ bytes: expect.any(Number), durationMs: expect.any(Number) })
    expect(JSON.stringify(lines)).not.toMatch(/4111|sesame|secret-name/)
  })

  test('a streamed answer is logged when it ended, with its bytes', async () => {
    const { logger, lines } = memoryLogger()
    const response = await client({ logger }).send('GET', '/v1/failures/export')
    const text = await response.text()
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields).toMatchObject({ status: 200, bytes: Buffer.byteLength(text) })
  })

  test('health checks are quiet', async () => {
    const { logger, lines } = memoryLogger()
    await client({ logger }).ask('GET', '/healthz')
    expect(lines.map((line) => line.level)).toEqual(['debug'])
  })
})

describe('pino', () => {
  function logged(fields: Record<string, unknown>, includePayloads = false) {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    pinoLogger({ destination, includePayloads }).info(fields, 'hello')
    return JSON.parse(lines[0] as string)
  }

  test('one JSON object a line', () => {
    expect(logged({ stream: 'orders', count: 2 })).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      stream: 'orders',
      count: 2,
      msg: 'hello',
    })
  })

  test('payloads and secrets never get through, at the top or below', () => {
    const line = JSON.stringify(
      logged({
        payload: '4111',
        data: { card: '4111' },
        item: { payload: '4111', id: 'x' },
        headers: { authorization: 'Bearer 4111' },
        token: '4111',
      }),
    )
    expect(line).not.toContain('4111')
    expect(line).toContain('"id":"x"')
  })

  test('payloads only when asked, secrets never', () => {
    const line = logged({ payload: 'shown', token: 'hidden' }, true)
    expect([line.payload, line.token]).toEqual(['shown', '[not logged]'])
  })

  test('errors keep their type, message and stack', () => {
    expect(logged({ error: new RangeError('far') }).error).toMatchObject({
      type: 'RangeError',
      message: 'far',
    })
  })

  test('levels', () => {
    const lines: string[] = []
    const logger = pinoLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } })
    logger.debug({}, 'no')
    logger.info({}, 'no')
    logger.warn({}, 'yes')
    logger.error({}, 'yes')
    expect(lines).toHaveLength(2)
  })
})
