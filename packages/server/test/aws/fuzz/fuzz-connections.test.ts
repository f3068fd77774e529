import { once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_BODY_BYTES } from '../../../src/aws/listen/read-request-body.ts'
import { type AwsServer, type ServeAwsOptions, serveAws } from '../../../src/aws/listen/serve-aws.ts'
import { memoryLogger } from '../../support/memory-logger.ts'
import { jsonRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'
import { exchange, rawExchange } from '../support/raw-http.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  initialWindow,
  PREFACE,
  rawConnection,
} from '../support/raw-http2.ts'
import { runs, SEED } from './fuzz-runs.ts'

let server: AwsServer
let lines: ReturnType<typeof memoryLogger>['lines']
const sockets: Socket[] = []

async function start(options: Partial<ServeAwsOptions> = {}): Promise<void> {
  const { logger, lines: kept } = memoryLogger()
  lines = kept
  server = await serveAws({
    services: plainServices().services,
    host: '127.0.0.1',
    port: 0,
    region: 'us-east-1',
    accountId: '000000000000',
    logger,
    closeTimeoutMs: 200,
    ...options,
  })
}

// A session that broke the protocol is closed as an idle one is, at the latest.
beforeEach(() => start({ timeouts: { keepAliveMs: 200 } }))
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

/** Whatever was done to it before: a request is answered, nothing of the attack is kept, nothing failed inside. */
async function expectServing(): Promise<void> {
  const { headers, body } = jsonRequest('Kinesis_20131202.CreateStream', { StreamName: 's' })
  const text = new TextDecoder().decode(body)
  const answer = await exchange(
    server.port,
    { host: 'localhost', ...(headers as Record<string, string>) },
    text,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  await until(() => server.load.requests === 0 && server.load.connections === 0)
  expect(server.load).toEqual({ connections: 0, requests: 0, pendingBytes: 0 })
  expect(lines.filter(({ level }) => level === 'error')).toEqual([])
}

/** Sends all of it, whether it is read or not, and hangs up. */
async function abuse(...parts: readonly (string | Uint8Array)[]): Promise<Buffer> {
  const { socket, closed, received } = rawConnection(server.port)
  sockets.push(socket)
  await once(socket, 'connect')
  socket.write(PREFACE)
  for (const part of parts) if (!socket.destroyed) socket.write(part)
  socket.end()
  await closed
  return received()
}

const open = (stream: number, flags = END_HEADERS, headers = {}) =>
  frame(FRAME.headers, flags, stream, headerBlock(headers))
const many = (count: number, make: (index: number) => Uint8Array) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)))

describe('A client of HTTP/2 that', () => {
  it.each([
    [
      'opens streams and resets them at once',
      () =>
        many(5_000, (n) =>
          Buffer.concat([open(2 * n + 1), frame(FRAME.reset, 0, 2 * n + 1, Buffer.alloc(4))]),
        ),
    ],
    [
      'never ends its headers',
      () => Buffer.concat([open(1, 0), many(5_000, () => frame(FRAME.continuation, 0, 1, headerBlock()))]),
    ],
    [
      'sends headers without end in empty frames',
      () => Buffer.concat([open(1, 0), many(50_000, () => frame(FRAME.continuation, 0, 1))]),
    ],
    ['sends settings again and again', () => many(20_000, () => initialWindow(1_000))],
    ['pings without end', () => many(20_000, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))],
    [
      'opens windows without end',
      () => many(20_000, () => frame(FRAME.window, 0, 0, Buffer.from([0, 0, 0, 1]))),
    ],
    [
      'opens a window beyond its limit',
      () => many(3, () => frame(FRAME.window, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
    ],
    ['opens thousands of streams', () => many(5_000, (n) => open(2 * n + 1))],
    [
      'sends empty data without end',
      () => Buffer.concat([open(1), many(50_000, () => frame(FRAME.data, 0, 1))]),
    ],
    [
      'sends headers of a megabyte',
      () => many(64, (n) => open(2 * n + 1, END_HEADERS | END_STREAM, { x: 'a'.repeat(16_000) })),
    ],
    ['sends frames longer than is allowed', () => frame(FRAME.data, 0, 1, Buffer.alloc(1_000_000))],
    ['sends frames of no kind', () => many(1_000, (n) => frame(200, n % 256, n, Buffer.alloc(n % 50)))],
    [
      'sends a body longer than it said',
      () =>
        Buffer.concat([
          open(1, END_HEADERS, { 'content-length': '1' }),
          frame(FRAME.data, END_STREAM, 1, Buffer.alloc(10)),
        ]),
    ],
    [
      'sends a body shorter than it said',
      () =>
        Buffer.concat([
          open(1, END_HEADERS, { 'content-length': '10' }),
          frame(FRAME.data, END_STREAM, 1, Buffer.alloc(1)),
        ]),
    ],
    [
      'names no host',
      () => frame(FRAME.headers, END_HEADERS | END_STREAM, 1, headerBlock({ ':authority': '' })),
    ],
  ])('%s, takes nothing from the others', async (_, bytes) => {
    await abuse(frame(FRAME.settings, 0, 0), bytes())
    await expectServing()
  })

  it('never lets its answer out is cut off', async () => {
    await server.close()
    await start({ timeouts: { requestMs: 100, keepAliveMs: 100 } })
    const { socket, closed } = rawConnection(server.port)
    sockets.push(socket)
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Kinesis_20131202.GetRecords',
    }
    const requests = many(50, (n) =>
      Buffer.concat([
        open(2 * n + 1, END_HEADERS, headers),
        frame(FRAME.data, END_STREAM, 2 * n + 1, Buffer.from('{"ShardIterator":"i"}')),
      ]),
    )
    socket.write(Buffer.concat([Buffer.from(PREFACE), initialWindow(0), requests]))
    await closed
    await expectServing()
  })
})

describe('A client of HTTP/1.1 that', () => {
  const HEAD = 'POST / HTTP/1.1\r\nhost: localhost\r\n'

  it('says that its body is too large is refused before it is sent', async () => {
    const answer = await rawExchange(server.port, `${HEAD}content-length: ${MAX_BODY_BYTES + 1}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    await expectServing()
  })

  it('sends too much without saying so is refused as soon as it is', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const answer = await rawExchange(
      server.port,
      `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk.repeat(18)}0\r\n\r\n`,
    )
    expect(answer).toMatch(/^(HTTP\/1\.1 413 |$)/)
    await expectServing()
  })

  it.each([
    ['headers of a megabyte', `${HEAD}x: ${'a'.repeat(1_000_000)}\r\n\r\n`, /^(HTTP\/1\.1 431 |$)/],
    ['ten thousand headers', `${HEAD}${'x: y\r\n'.repeat(10_000)}\r\n`, /^(HTTP\/1\.1 4|$)/],
    ['two lengths', `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`, /^HTTP\/1\.1 400 /],
    [
      'a length and chunks',
      `${HEAD}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a length that is none', `${HEAD}content-length: -1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a chunk that is none', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, /^(HTTP\/1\.1 400 |$)/],
    [
      'a packed body',
      `${HEAD}connection: close\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx`,
      /^HTTP\/1\.1 415 /,
    ],
    ['no host', 'POST / HTTP/1.1\r\nconnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['the older version', 'GET / HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 403 /],
    ['TLS', Uint8Array.from([0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3]), /^HTTP\/1\.1 400 /],
  ])('sends %s is refused', async (_, bytes, answer) => {
    expect(await rawExchange(server.port, bytes)).toMatch(answer)
    await expectServing()
  })

  it('sends its body a byte now and then, or reads no answer, is cut off', async () => {
    await server.close()
    await start({ timeouts: { requestMs: 100, headersMs: 100, checkMs: 20 } })
    const slow = [`${HEAD}content-length: 100\r\n\r\nx`, `${HEAD}x: `, 'PRI * HTTP/2.0\r\n']
    await Promise.all(slow.map((bytes) => rawExchange(server.port, bytes)))
    await expectServing()
  })
})

describe(`Bytes of any kind, seed ${SEED}`, () => {
  it('leave the endpoint as it was', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc
        .uint8Array({ minLength: 9, maxLength: 200 })
        .map((tail) => Buffer.concat([Buffer.from(PREFACE), tail])),
      fc
        .tuple(fc.nat(12), fc.nat(255), fc.nat(5), fc.uint8Array({ maxLength: 60 }))
        .map(([type, flags, stream, payload]) =>
          Buffer.concat([
            Buffer.from(PREFACE),
            frame(FRAME.settings, 0, 0),
            frame(type, flags, stream, payload),
          ]),
        ),
      fc
        .string({ unit: 'binary', maxLength: 100 })
        .map((text) => Buffer.from(`POST / HTTP/1.1\r\n${text}\r\n\r\n`)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (some) => {
        const { socket, closed } = rawConnection(server.port)
        socket.end(some)
        // Some kinds wait for more, as they may: the client goes.
        await Promise.race([closed, once(socket, 'end'), until(() => server.load.requests === 0)])
        socket.destroy()
      }),
      { seed: SEED, numRuns: runs(200) },
    )
    await expectServing()
  })
})

describe('A thousand connections', () => {
  it('that do nothing leave the rest served, and are closed', async () => {
    await server.close()
    await start({ timeouts: { headersMs: 1_000 } })
    const idle = Array.from({ length: 1_000 }, () => rawConnection(server.port))
    for (const { socket } of idle) sockets.push(socket)
    await Promise.all(idle.map(({ socket }) => once(socket, 'connect')))
    const answer = await exchange(server.port, { host: 'localhost' }, '')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    await Promise.all(idle.map(({ closed }) => closed))
    await expectServing()
  })
})

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 1_000 && !isSo(); looks += 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
}
