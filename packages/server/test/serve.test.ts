import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { StorageError } from '@eddy/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type RunningServer, type ServeOptions, serve } from '../src/index.ts'
import { fakeOperations } from './support/fake-operations.ts'
import { failureDetail, ledgerItem } from './support/fixtures.ts'
import { sseReader } from './support/sse-reader.ts'

const running: RunningServer[] = []

async function start(options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  const server = await serve({
    operations: fakeOperations(),
    version: 't',
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 5_000,
    ...options,
  })
  running.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

describe('listening', () => {
  test('on a free port', async () => {
    const { url, port } = await start()
    expect(url).toBe(`http://127.0.0.1:${port}`)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('a port in use', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toMatchObject({
      code: 'EDDY_PORT_IN_USE',
      details: { host: '127.0.0.1', port },
    })
  })

  test.each([-1, 65_536, 1.5, Number.NaN])('port %s is refused', async (port) => {
    await expect(start({ port })).rejects.toMatchObject({ code: 'EDDY_INVALID_OPTION' })
  })

  test('an address that is not of this machine', async () => {
    await expect(start({ host: '192.0.2.1', token: 't' })).rejects.toThrowError(/--host/)
  })

  test.each(['0.0.0.0', '::', '', '192.168.0.1', 'eddy.example'])('host %j needs a token', async (host) => {
    await expect(start({ host })).rejects.toThrowError(/--token/)
  })

  test.each(['', 'two words', 'ü'])('token %j is refused and not shown', async (token) => {
    await expect(start({ token })).rejects.toThrowError(/--token.*not shown/)
  })

  test('any address with a token', async () => {
    const { port } = await start({ host: '0.0.0.0', token: 'sesame' })
    const url = `http://127.0.0.1:${port}/v1/streams`
    expect((await fetch(url)).status).toBe(401)
    expect((await fetch(url, { headers: { authorization: 'Bearer sesame' } })).status).toBe(200)
  })

  test('the globals of the process stay as they are', async () => {
    const before = [globalThis.Request, globalThis.Response]
    await start()
    expect([globalThis.Request, globalThis.Response]).toEqual(before)
  })
})

describe('requests over a socket', () => {
  test('a DNS-rebound name is refused', async () => {
    const { port } = await start()
    const answer = await raw(
      port,
      'GET /v1/streams HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
  })

  test('streamed newline-delimited JSON without a declared length', async () => {
    const { url } = await start()
    const lines = ['{"k":"a"}\n{"k"', ':"b"}\n', 'bad\n'].map((text) => new TextEncoder().encode(text))
    const response = await fetch(`${url}/v1/streams/orders/records?raw=true&key=k`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: new ReadableStream({
        pull(controller) {
          const line = lines.shift()
          if (line === undefined) controller.close()
          else controller.enqueue(line)
        },
      }),
      duplex: 'half',
    } as RequestInit)
    expect(await response.json()).toMatchObject({ failedCount: 1 })
  })

  test('a declared body over the limit is refused without reading it', async () => {
    const { port } = await start({ limits: { maxBodyBytes: 1_000 } })
    const answer = await raw(
      port,
      'POST /v1/streams/orders/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n{',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('EDDY_REQUEST_TOO_LARGE')
  })

  test('headers over the limit are refused by the parser', async () => {
    const { port } = await start()
    const answer = await raw(
      port,
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })

  test('a client that never ends its headers or its body is cut off', async () => {
    const { port } = await start({ timeouts: { headersMs: 40, requestMs: 40, checkMs: 10 } })
    expect(await raw(port, 'GET /healthz HTTP/1.1\r\nHost: loc')).toMatch(/^HTTP\/1\.1 408 /)
    const head = 'POST /v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'
    expect(await raw(port, head)).not.toMatch(/^HTTP\/1\.1 2/)
  })

  test('a client that leaves in the middle of its body stores nothing', async () => {
    const operations = fakeOperations()
    const { port, url } = await start({ operations })
    const socket = connect(port, '127.0.0.1')
    socket.write(
      'POST /v1/streams/orders/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n{"key":"a","data":1}',
      () => socket.destroy(),
    )
    await ended(socket)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(operations.log.appends).toEqual([])
  })

  test('an export that fails on the way breaks the connection (I9)', async () => {
    const operations = fakeOperations({
      exportFailures: async function* () {
        for (let index = 0; index < 50; index += 1) yield failureDetail(ledgerItem())
        throw new StorageError('disk')
      },
    })
    const { url } = await start({ operations })
    // It may break before the client saw the head of the answer, or in the middle of its body.
    const whole = fetch(`${url}/v1/failures/export`).then((response) => response.text())
    await expect(whole).rejects.toThrowError()
  })

  test('a client that leaves its event stream ends the watch', async () => {
    const base = fakeOperations()
    let end: () => void = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const { url } = await start({
      operations: fakeOperations({
        watch: (signal) => {
          signal.addEventListener('abort', () => end(), { once: true })
          return base.watch(signal)
        },
      }),
    })
    const leaving = new AbortController()
    const response = await fetch(`${url}/v1/events`, { signal: leaving.signal })
    const reader = sseReader(response.body as ReadableStream<Uint8Array>)
    await reader.next()
    expect(await reader.next()).toContain('event: subscriptions')
    leaving.abort()
    await ended
  })
})

describe('closing', () => {
  test('ends event streams and idle connections, and answers nobody after it', async () => {
    const server = await start()
    const response = await fetch(`${server.url}/v1/events`)
    const reader = sseReader(response.body as ReadableStream<Uint8Array>)
    await reader.next()
    await reader.next()
    const closed = server.close()
    expect(await reader.next()).toBeUndefined()
    await closed
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrowError()
    await server.close()
  })

  test('does not wait for a connection that never sent a request', async () => {
    const server = await start({ closeTimeoutMs: 60_000 })
    const socket = connect(server.port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    await fetch(`${server.url}/healthz`)
    const gone = ended(socket)
    socket.resume()
    await server.close()
    await gone
  })

  test('waits for requests in flight', async () => {
    let release: () => void = () => {}
    let began: () => void = () => {}
    const begun = new Promise<void>((resolve) => {
      began = resolve
    })
    const operations = fakeOperations({
      listStreams: async () => {
        began()
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return []
      },
    })
    const server = await start({ operations })
    const answer = fetch(`${server.url}/v1/streams`)
    await begun
    let isClosed = false
    const closed = server.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    release()
    const response = await answer
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close'])
    await closed
  })

  test('does not wait for ever', async () => {
    let began: () => void = () => {}
    const begun = new Promise<void>((resolve) => {
      began = resolve
    })
    const operations = fakeOperations({
      listStreams: () => {
        began()
        return new Promise(() => {})
      },
    })
    const server = await start({ operations, closeTimeoutMs: 10 })
    const broken = expect(get(`${server.url}/v1/streams`)).rejects.toThrowError()
    await begun
    await server.close()
    await broken
  })
})

function get(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, (response) => resolve(response.statusCode))
      .on('error', reject)
      .end()
  })
}

/** What the server answers to these bytes, until it closes the connection. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk
  })
  socket.write(text)
  await ended(socket)
  return answer
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => resolve()).on('close', () => resolve())
  })
}
