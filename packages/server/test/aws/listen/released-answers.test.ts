import { EventEmitter, once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { serveAws } from '../../../src/aws/listen/serve-aws.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import type { RunningServer } from '../../../src/serve.ts'

/** More than the system takes of a connection that nobody reads. */
const ANSWER_BYTES = 16 * 1024 * 1024
const HEADERS = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'Kinesis_20131202.GetRecords',
}

let server: RunningServer | undefined

afterEach(async () => server?.close())

/** An endpoint whose GetRecords answers from one buffer, and tells when it may be written again. */
async function start() {
  const buffer = Buffer.alloc(ANSWER_BYTES, 'a')
  const events = new EventEmitter()
  let released = 0
  const release = (): void => {
    released += 1
    events.emit('released')
  }
  const raw = async () => {
    events.emit('asked')
    return { body: buffer, release }
  }
  server = await serveAws({
    services: [
      {
        model: kinesisModel,
        operations: new Map([['GetRecords', async () => ({})]]),
        rawOperations: new Map([['GetRecords', raw]]),
      },
    ],
    ...{ host: '127.0.0.1', port: 0, region: 'us-east-1', accountId: '000000000000', closeTimeoutMs: 1_000 },
  })
  return { port: server.port, events, released: () => released }
}

function request(): string {
  const lines = Object.entries({ host: 'localhost', ...HEADERS, 'content-length': '2' })
  return `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n{}`
}

it('over HTTP/1.1 a buffer is released when all of it has gone, not while a client is slow', async () => {
  const { port, events, released } = await start()
  const socket = connect(port, '127.0.0.1')
  socket.pause()
  const asked = once(events, 'asked')
  socket.write(request())
  await asked
  // Two more requests come and are answered, while the first answer cannot have gone.
  const other = connect(port, '127.0.0.1')
  for (let i = 1; i <= 2; i++) {
    const done = once(events, 'released')
    other.write(request())
    other.resume()
    await done
    expect(released()).toBe(i)
  }
  other.destroy()
  const done = once(events, 'released')
  socket.resume()
  await done
  expect(released()).toBe(3)
  socket.destroy()
})

it('over HTTP/2 it is not: a stream ends before its last frames have gone', async () => {
  const { port, released } = await start()
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/', ...HEADERS })
  stream.end('{}')
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  await once(stream, 'close')
  session.close()
  await once(session, 'close')
  expect(bytes).toBe(ANSWER_BYTES)
  expect(released()).toBe(0)
})
