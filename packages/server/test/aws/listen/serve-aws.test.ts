import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  GetRecordsCommand,
  KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import {
  DeleteQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { InvalidOptionError, PortInUseError } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type ServeAwsOptions, serveAws } from '../../../src/aws/listen/serve-aws.ts'
import type { RunningServer } from '../../../src/serve.ts'
import { memoryLogger } from '../../support/memory-logger.ts'
import { ARRIVED_AT, plainServices } from '../support/plain-services.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const running: RunningServer[] = []
const clients: { destroy(): void }[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await Promise.all(running.splice(0).map((server) => server.close()))
})

async function start(options: Partial<ServeAwsOptions> = {}) {
  const plain = plainServices()
  const server = await serveAws({
    services: plain.services,
    host: '127.0.0.1',
    port: 0,
    region: 'us-east-1',
    accountId: '000000000000',
    closeTimeoutMs: 1_000,
    ...options,
  })
  running.push(server)
  return { ...plain, server }
}

function kinesis(server: RunningServer, version: 1 | 2, credentials = KEYS): KinesisClient {
  const client = new KinesisClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
    // That of SQS speaks HTTP/1.1; Kinesis' own speaks HTTP/2.
    ...(version === 1 && { requestHandler: new SQSClient({ region: 'us-east-1' }).config.requestHandler }),
  })
  clients.push(client)
  return client
}

function sqs(server: RunningServer): SQSClient {
  const client = new SQSClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: KEYS,
    maxAttempts: 1,
    md5: false,
  })
  clients.push(client)
  return client
}

describe('The endpoint, with the JavaScript SDK', () => {
  for (const version of [1, 2] as const) {
    it(`answers Kinesis over HTTP/${version}: bytes and times come back as they were`, async () => {
      const { server } = await start()
      const client = kinesis(server, version)
      const Data = new Uint8Array([0, 1, 254, 255])
      await client.send(new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data }))
      const { Records } = await client.send(new GetRecordsCommand({ ShardIterator: 'it' }))
      expect(Records?.[0]).toMatchObject({ PartitionKey: 'k', ApproximateArrivalTimestamp: ARRIVED_AT })
      expect([...(Records?.[0]?.Data ?? [])]).toEqual([...Data])
    })

    it(`takes the largest PutRecords over HTTP/${version}`, async () => {
      const { server, inputs } = await start()
      const client = kinesis(server, version)
      const Data = new Uint8Array(20_950)
      const Records = Array.from({ length: 500 }, (_, index) => ({ PartitionKey: `key-${index}`, Data }))
      const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: 's', Records }))
      expect(FailedRecordCount).toBe(0)
      expect(inputs[0]?.Records).toHaveLength(500)
    })
  }

  it('says over either version that a request is too large', async () => {
    const { server } = await start()
    const Records = Array.from({ length: 13 }, () => ({
      Data: new Uint8Array(1024 * 1024),
      PartitionKey: 'k',
    }))
    for (const version of [1, 2] as const)
      await expect(
        kinesis(server, version).send(new PutRecordsCommand({ StreamName: 's', Records })),
      ).rejects.toMatchObject({
        $metadata: { httpStatusCode: 413 },
        name: 'RequestEntityTooLargeException',
        message: expect.stringContaining('over 16 MiB'),
      })
  })

  it('answers SQS in JSON, with the codes that older clients know', async () => {
    const { server } = await start()
    const client = sqs(server)
    const QueueUrl = `${server.url}/000000000000/q`
    expect((await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'b' }))).MessageId).toBe('id-1')
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'q' }))).QueueUrl).toBe(QueueUrl)
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }))
    expect(Messages?.[0]?.MessageAttributes?.blob?.BinaryValue).toEqual(new Uint8Array([1, 2, 3]))
    await expect(client.send(new DeleteQueueCommand({ QueueUrl }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      $metadata: { httpStatusCode: 400 },
    })
  })

  it('takes signatures of the credentials it knows, over both versions, and no others', async () => {
    const { server } = await start({ credentials: [KEYS] })
    const put = new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data: new Uint8Array([1]) })
    for (const version of [1, 2] as const) {
      expect((await kinesis(server, version).send(put)).SequenceNumber).toBe('1')
      const wrong = kinesis(server, version, { ...KEYS, secretAccessKey: 'another' })
      await expect(wrong.send(put)).rejects.toMatchObject({ name: 'InvalidSignatureException' })
    }
    expect((await sqs(server).send(new GetQueueUrlCommand({ QueueName: 'a b' }))).QueueUrl).toContain('/a b')
  })
})

describe('Connections', () => {
  it('of a client that sends nothing are closed', async () => {
    const { server } = await start({ timeouts: { headersMs: 50 } })
    const socket = connect(server.port, '127.0.0.1')
    await closed(socket)
  })

  it('of a client that stops in the middle of the first bytes are closed', async () => {
    const { server } = await start({ timeouts: { headersMs: 50 } })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('PRI * HT')
    await closed(socket)
  })

  it('of HTTP/2 without a stream are closed', async () => {
    const { server } = await start({ timeouts: { keepAliveMs: 50 } })
    const session = connectHttp2(server.url)
    await new Promise((resolve) => session.once('close', resolve))
  })

  it('bytes that come one by one are served all the same', async () => {
    const { server } = await start()
    const socket = connect(server.port, '127.0.0.1')
    socket.setNoDelay(true)
    const answer = received(socket)
    for (const byte of 'POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n') {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*Unable to determine service\/operation name/)
  })

  it('close: what is at work is finished, what waits is told, idle connections end', async () => {
    const { server, untilWaiting } = await start({ closeTimeoutMs: 60_000 })
    const idle = connect(server.port, '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    const idleClosed = closed(idle)
    const session = connectHttp2(server.url)
    const answers = [waitOverHttp1(server), waitOverHttp2(session)]
    await untilWaiting(2)
    await server.close()
    await idleClosed
    const texts = await Promise.all(answers)
    for (const text of texts) expect(text).toContain('"ShardLimit":0')
    await closedSession(session)
  })

  it('a client that goes takes what waits for it along', async () => {
    const { server, untilWaiting } = await start()
    const socket = connect(server.port, '127.0.0.1')
    const session = connectHttp2(server.url, { createConnection: () => socket })
    session.on('error', () => {})
    const stream = session.request({ ':method': 'POST', ':path': '/', ...WAIT_HEADERS })
    stream.on('error', () => {})
    stream.end(WAIT)
    await untilWaiting(1)
    socket.destroy()
    await untilWaiting(0)
  })

  it('close: a client that does not end is cut off at the limit', async () => {
    const { server } = await start({ closeTimeoutMs: 50 })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n1')
    const cut = closed(socket)
    await new Promise((resolve) => socket.once('connect', resolve))
    await server.close()
    await cut
  })
})

describe('Options', () => {
  const options = { services: [], host: '127.0.0.1', port: 0, region: 'us-east-1', accountId: '000000000000' }

  it('an address beyond this machine needs credentials', async () => {
    await expect(serveAws({ ...options, host: '0.0.0.0' })).rejects.toThrow(InvalidOptionError)
    await expect(serveAws({ ...options, host: '0.0.0.0' })).rejects.toThrow(/EDDY_AWS_ACCESS_KEY_ID/)
    running.push(await serveAws({ ...options, host: '0.0.0.0', credentials: [KEYS] }))
  })

  it('a port that is none or taken is named', async () => {
    await expect(serveAws({ ...options, port: 70_000 })).rejects.toThrow(/--aws-port/)
    const { server } = await start()
    await expect(serveAws({ ...options, port: server.port })).rejects.toThrow(PortInUseError)
    await expect(serveAws({ ...options, port: server.port })).rejects.toThrow(/another port with --aws-port/)
  })

  it('requests are logged without what was sent', async () => {
    const { logger, lines } = memoryLogger()
    const { server } = await start({ logger })
    await kinesis(server, 1).send(
      new PutRecordCommand({ StreamName: 's', PartitionKey: 'k', Data: new Uint8Array(1) }),
    )
    expect(lines.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ operation: 'kinesis.PutRecord', status: 200 }),
    )
  })
})

const WAIT = '{}'
const WAIT_HEADERS = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'Kinesis_20131202.DescribeLimits',
}

function waitOverHttp1({ port }: RunningServer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const head = Object.entries({ ...WAIT_HEADERS, host: 'localhost', 'content-length': 2 }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.write(`POST / HTTP/1.1\r\n${head.join('')}\r\n${WAIT}`)
  return received(socket)
}

function waitOverHttp2(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': '/', ...WAIT_HEADERS })
  stream.end(WAIT)
  return received(stream)
}

function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  socket.resume()
  return socket.destroyed
    ? Promise.resolve()
    : new Promise((resolve) => socket.once('close', () => resolve()))
}

function closedSession(session: ClientHttp2Session): Promise<void> {
  return session.closed ? Promise.resolve() : new Promise((resolve) => session.once('close', () => resolve()))
}

function received(socket: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}
