import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KinesisProducerLog } from '../../src/kinesis/index.ts'
import { KEPT_CONNECTIONS } from '../../src/kinesis/kinesis-client.ts'

let server: Http2Server
let client: KinesisClient
let connections: number
/** Of the latest connection. */
let closed: Promise<unknown>
/** What becomes of a request on the nth connection. */
let onStream: (stream: ServerHttp2Stream, connection: number) => void

beforeEach(async () => {
  connections = 0
  server = createServer()
  server.on('session', (session) => {
    connections += 1
    const connection = connections
    session.on('error', () => {})
    closed = once(session, 'close')
    session.on('stream', (stream) => {
      stream.on('error', () => {})
      onStream(stream, connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = clientWith(KEPT_CONNECTIONS)
})
afterEach(() => {
  client.destroy()
  server.close()
})

/** The handler that `kinesisClient` has over https, without TLS. */
function clientWith(requestHandler: object): KinesisClient {
  return new KinesisClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 1,
    requestHandler,
  })
}

const append = (log: KinesisProducerLog) =>
  log.append('s', [{ partitionKey: 'k', data: new TextEncoder().encode('x') }])

/** DescribeStreamSummary and PutRecords in one. */
function answer(stream: ServerHttp2Stream): void {
  stream.resume()
  stream.respond({ ':status': 200, 'content-type': 'application/x-amz-json-1.1' })
  stream.end(
    JSON.stringify({
      StreamDescriptionSummary: { StreamStatus: 'ACTIVE' },
      Records: [{ ShardId: 'shardId-000000000000', SequenceNumber: '1' }],
    }),
  )
}

describe('Kinesis over HTTP/2', () => {
  it('takes request after request on one connection', async () => {
    onStream = answer
    const log = new KinesisProducerLog({ client, requestTimeoutMs: 5_000 })

    await append(log)
    await Promise.all([append(log), append(log), append(log)])

    expect(connections).toBe(1)
  })

  it('leaves a connection on which nothing happens', async () => {
    onStream = answer
    client = clientWith({ ...KEPT_CONNECTIONS, sessionTimeout: 50 })
    const log = new KinesisProducerLog({ client, requestTimeoutMs: 5_000 })
    await append(log)
    const before = connections

    await closed
    await append(log)

    expect(connections).toBeGreaterThan(before)
  })

  it('is asked on a new connection once nothing answers on the one there was', async () => {
    let isDead = false
    onStream = (stream, connection) => {
      if (!isDead || connection > 1) answer(stream)
    }
    const log = new KinesisProducerLog({ client, requestTimeoutMs: 300 })
    await append(log)
    isDead = true

    await expect(append(log)).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE', retryable: true })

    await expect(append(log)).resolves.toMatchObject([{ ok: true, sequenceNumber: '1' }])
    expect(connections).toBe(2)
  })

  it('keeps its connection for others when one of its requests alone stays without an answer', async () => {
    let requests = 0
    onStream = (stream) => {
      requests += 1
      if (requests !== 3) answer(stream)
    }
    const log = new KinesisProducerLog({ client, requestTimeoutMs: 1_000 })
    await append(log)

    const silent = append(log)
    await append(log)
    await expect(silent).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE' })
    await append(log)

    expect(connections).toBe(1)
  })

  it.each(['reset', 'cut'] as const)('has an unknown outcome where a request is %s', async (how) => {
    onStream = (stream) => {
      if (how === 'reset') stream.close(8)
      else stream.session?.destroy()
    }
    const log = new KinesisProducerLog({ client, requestTimeoutMs: 5_000 })

    await expect(append(log)).rejects.toMatchObject({ code: 'EDDY_KINESIS_UNAVAILABLE', retryable: true })
  })
})
