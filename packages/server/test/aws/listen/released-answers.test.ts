import { EventEmitter, once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { serveAws } from '../../../src/aws/listen/serve-aws.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import type { RunningServer } from '../../../src/serve.ts'
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

/** More than the system takes of a connection that nobody reads. */
const ANSWER_BYTES = 16 * 1024 * 1024
const PING = 'pingping'
/** Random ids in headers have no such run. */
const OVERWRITTEN = 'b'.repeat(64)
const MAX_WINDOW = 2 ** 31 - 1
const HEADERS = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'Kinesis_20131202.GetRecords',
}
const REQUEST = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n${Object.entries(HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')}\r\n{}`

let server: RunningServer | undefined

afterEach(async () => server?.close())

/** An endpoint whose GetRecords answers with many "a"; as soon as one is released, what is left of it is "b". */
async function start() {
  const events = new EventEmitter()
  let released = 0
  const raw = async () => {
    events.emit('asked')
    const body = Buffer.alloc(ANSWER_BYTES, 'a')
    const release = (): void => {
      body.fill('b')
      released += 1
      events.emit('released')
    }
    return { body, release }
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

/** Asks as this version does, and reads nothing after the first bytes. The whole answer is let onto the connection. */
function askAndPause(port: number, version: 1 | 2) {
  const connection = rawConnection(port)
  const { socket } = connection
  const window = Buffer.alloc(4)
  window.writeUInt32BE(MAX_WINDOW - 65_535)
  const frames = [
    Buffer.from(PREFACE),
    initialWindow(MAX_WINDOW),
    frame(FRAME.window, 0, 0, window),
    frame(FRAME.headers, END_HEADERS, 1, headerBlock(HEADERS)),
    frame(FRAME.data, END_STREAM, 1, Buffer.from('{}')),
  ]
  socket.write(version === 1 ? REQUEST : Buffer.concat(frames))
  socket.once('data', () => socket.pause())
  return connection
}

for (const version of [1, 2] as const)
  it(`HTTP/${version}: an answer is released when all of it has gone, not while its client is slow`, async () => {
    const { port, events, released } = await start()
    const asked = once(events, 'asked')
    const { socket, received } = askAndPause(port, version)
    await asked
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const other = connect(port, '127.0.0.1').resume()
    // Answers of other connections come and go meanwhile.
    for (let i = 1; i <= 4; i++) {
      const done = once(events, 'released')
      if (i % 2 === 0) other.write(REQUEST)
      else
        session
          .request({ ':method': 'POST', ':path': '/', ...HEADERS })
          .resume()
          .end('{}')
      await done
      expect(released()).toBe(i)
    }
    other.destroy()
    session.destroy()
    const done = once(events, 'released')
    socket.resume()
    await done
    expect(released()).toBe(5)
    while (socket.bytesRead < ANSWER_BYTES) await once(socket, 'data')
    socket.destroy()
    expect(received().includes(OVERWRITTEN)).toBe(false)
  })

it('HTTP/2: frames of a stream that was reset are not written again while they wait in the session', async () => {
  const { port, events } = await start()
  const asked = once(events, 'asked')
  const { socket, received } = askAndPause(port, 2)
  await asked
  socket.write(frame(FRAME.reset, 0, 1, Buffer.from([0, 0, 0, 8])))
  // This is answered when the server has read the reset.
  socket.write(frame(FRAME.ping, 0, 0, Buffer.from(PING)))
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  await once(session, 'remoteSettings')
  session.destroy()
  socket.resume()
  await until(socket, PING)
  socket.destroy()
  expect(received().includes('aaaa')).toBe(true)
  expect(received().includes(OVERWRITTEN)).toBe(false)
})

/** Waits until the socket has brought these bytes. */
async function until(socket: Socket, bytes: string): Promise<void> {
  for (let seen = Buffer.alloc(0); !seen.includes(bytes); ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    seen = Buffer.concat([seen.subarray(-bytes.length), chunk])
  }
}
