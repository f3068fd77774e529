import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'
import { findViolations, kinesisModel } from '@eddy/server/aws-models'
import { consumerModel } from './consumer-model.ts'
import type { ServiceAnswer, ServiceRequest } from './kinesalite.ts'

/** What SubscribeToShard pushes: the members of SubscribeToShardEvent as JSON has them. */
export interface Pushed {
  readonly Records: readonly object[]
  readonly ContinuationSequenceNumber: string | null
  readonly MillisBehindLatest: number
  readonly ChildShards?: readonly object[]
}

/** A subscription that a client has begun. */
export interface PushedShard {
  readonly input: ServiceRequest['input']
  /** @returns false while the client takes no more */
  push(event: Pushed): boolean
  /** An exception within the stream, which ends it. */
  fail(name: string): void
  /** As after five minutes. */
  end(): void
  /** Resolves when either side has ended it. */
  readonly closed: Promise<void>
}

export interface PushService {
  readonly endpoint: string
  readonly requests: readonly ServiceRequest[]
  /** What the models have against the requests. */
  readonly violations: readonly string[]
  /** The next subscription that is begun. */
  nextShard(): Promise<PushedShard>
  close(): Promise<void>
}

/**
 * Kinesis as its documentation has it for consumers: HTTP/2 without TLS, requests checked against the official models,
 * SubscribeToShard answered with an event stream that the test pushes into.
 * @param answer - to every other operation, and to a SubscribeToShard that is refused; undefined lets that through
 */
export async function startPushService(
  answer: (request: ServiceRequest) => ServiceAnswer | undefined,
): Promise<PushService> {
  const requests: ServiceRequest[] = []
  const violations: string[] = []
  const begun: PushedShard[] = []
  let onBegun: (() => void) | undefined
  const server = createServer()
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    void bodyOf(stream).then((input) => {
      const operation = String(headers['x-amz-target']).split('.')[1] ?? ''
      requests.push({ operation, input })
      violations.push(...violationsOf(operation, input))
      const said = answer({ operation, input })
      if (said === undefined) {
        begun.push(beginPush(stream, input))
        onBegun?.()
      } else if (said === 'reset') stream.close(2)
      else if (said !== 'silence') {
        stream.respond({ ':status': said.status, 'content-type': 'application/x-amz-json-1.1' })
        stream.end(JSON.stringify(said.body))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    violations,
    async nextShard() {
      if (begun.length === 0)
        await new Promise<void>((resolve) => {
          onBegun = resolve
        })
      return begun.shift() as PushedShard
    },
    async close() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function bodyOf(stream: ServerHttp2Stream): Promise<ServiceRequest['input']> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as ServiceRequest['input']
}

function violationsOf(operation: string, input: ServiceRequest['input']): readonly string[] {
  const model = consumerModel.operations[operation] === undefined ? kinesisModel : consumerModel
  const shape = model.operations[operation]?.input
  if (shape === undefined) return [`${operation} is no operation of the model`]
  return findViolations(model, shape, input as never).map(
    ({ path, constraint }) => `${operation}: ${path.join('.')}: ${constraint}`,
  )
}

function beginPush(stream: ServerHttp2Stream, input: ServiceRequest['input']): PushedShard {
  stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' })
  const send = (headers: Readonly<Record<string, string>>, payload: object): boolean =>
    !stream.destroyed && stream.write(message(headers, payload))
  send({ ':message-type': 'event', ':event-type': 'initial-response', ':content-type': JSON_TYPE }, {})
  return {
    input,
    push: (event) =>
      send(
        { ':message-type': 'event', ':event-type': 'SubscribeToShardEvent', ':content-type': JSON_TYPE },
        event,
      ),
    fail: (name) => {
      send(
        { ':message-type': 'exception', ':exception-type': name, ':content-type': JSON_TYPE },
        { __type: name, message: 'because' },
      )
      stream.end()
    },
    end: () => void stream.end(),
    closed: new Promise((resolve) => stream.once('close', resolve)),
  }
}

const JSON_TYPE = 'application/x-amz-json-1.1'
const STRING_HEADER = 7

/** application/vnd.amazon.eventstream: lengths, headers, payload, each part with its checksum. */
function message(headers: Readonly<Record<string, string>>, body: object): Buffer {
  const payload = Buffer.from(JSON.stringify(body))
  const encoded = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const length = Buffer.alloc(3)
      length.writeUInt8(STRING_HEADER)
      length.writeUInt16BE(Buffer.byteLength(value), 1)
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), length, Buffer.from(value)])
    }),
  )
  const prelude = Buffer.alloc(8)
  prelude.writeUInt32BE(16 + encoded.length + payload.length)
  prelude.writeUInt32BE(encoded.length, 4)
  const before = Buffer.concat([prelude, checksum(prelude), encoded, payload])
  return Buffer.concat([before, checksum(before)])
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum
}
