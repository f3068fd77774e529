import { connect as connectHttp2 } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { serveAws } from '../../../src/aws/listen/serve-aws.ts'
import type { RunningServer } from '../../../src/serve.ts'
import { jsonRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'
import { exchange } from '../support/raw-http.ts'

const KEYS = { accessKeyId: 'A', secretAccessKey: 'a' }
const running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

async function start(credentials: (typeof KEYS)[] = []) {
  const { services, inputs } = plainServices()
  const options = { services, host: '127.0.0.1', port: 0, region: 'us-east-1', accountId: '000000000000' }
  const server = await serveAws({ ...options, credentials })
  running.push(server)
  return { server, inputs }
}

const CREATE = jsonRequest('Kinesis_20131202.CreateStream', { StreamName: 's' })

async function statusOf(server: RunningServer, headers: Record<string, string>): Promise<string> {
  const text = new TextDecoder().decode(CREATE.body)
  const answer = await exchange(
    server.port,
    { ...(CREATE.headers as Record<string, string>), ...headers },
    text,
  )
  return answer.split(' ')[1] ?? ''
}

describe('Without credentials', () => {
  it('only the names of this machine are answered: a page may have pointed its own name here', async () => {
    const { server, inputs } = await start()
    for (const host of ['localhost', 'localhost:4566', '127.0.0.1', '[::1]:4566'])
      expect([host, await statusOf(server, { host })]).toEqual([host, '200'])
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '', '10.0.0.1'])
      expect([host, await statusOf(server, { host })]).toEqual([host, '403'])
    expect(inputs).toHaveLength(4)
  })

  it('who is refused is told what to do', async () => {
    const { server } = await start()
    const answer = await exchange(server.port, { host: 'host.docker.internal:4566' }, '{}')
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toEqual({
      __type: 'AccessDeniedException',
      message: expect.stringContaining('start the endpoint with --aws-credentials'),
    })
  })

  it('pages of other origins are refused, whatever they may send without being asked first', async () => {
    const { server, inputs } = await start()
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect([headers, await statusOf(server, { host: 'localhost', ...headers })]).toEqual([headers, '403'])
    expect(inputs).toEqual([])
  })

  it('the same holds over HTTP/2', async () => {
    const { server, inputs } = await start()
    const session = connectHttp2(server.url)
    const stream = session.request({ ':method': 'POST', ':authority': 'evil.example', ...CREATE.headers })
    const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
    stream.end(CREATE.body)
    expect(await status).toBe(403)
    session.destroy()
    expect(inputs).toEqual([])
  })
})

describe('With credentials', () => {
  it('every name is answered, and a page of another origin is refused all the same', async () => {
    const { server, inputs } = await start([KEYS])
    expect(await statusOf(server, { host: 'kinesis.example' })).toBe('400')
    expect(await statusOf(server, { host: 'kinesis.example', origin: 'http://evil.example' })).toBe('403')
    expect(await statusOf(server, { host: 'a b' })).toBe('400')
    expect(inputs).toEqual([])
  })
})
