import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis'
import kinesalite from 'kinesalite'
import { kinesisClient } from '../../src/kinesis/index.ts'

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

export const clientOf = (endpoint: string): KinesisClient =>
  kinesisClient({ endpoint, region: REGION, credentials: CREDENTIALS })

/** An implementation of Kinesis that is not ours, in memory. */
export interface Kinesalite {
  readonly endpoint: string
  createStream(name: string, shards: number): Promise<void>
  close(): Promise<void>
}

export async function startKinesalite(): Promise<Kinesalite> {
  const server = kinesalite({ createStreamMs: 1, deleteStreamMs: 1, updateStreamMs: 1, shardLimit: 2_000 })
  const endpoint = await listen(server)
  const client = clientOf(endpoint)
  return {
    endpoint,
    async createStream(name, shards) {
      await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }))
      for (let look = 0; look < 1_000; look += 1) {
        const { StreamDescriptionSummary: summary } = await client.send(
          new DescribeStreamSummaryCommand({ StreamName: name }),
        )
        if (summary?.StreamStatus === 'ACTIVE') return
        await sleep(2)
      }
      throw new Error(`${name} does not become active`)
    },
    async close() {
      client.destroy()
      await closed(server)
    },
  }
}

export interface ServiceRequest {
  /** `PutRecords`, without the version. */
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/** What a service answers: a status with its body; `reset` cuts the connection, `silence` never answers. */
export type ServiceAnswer = { readonly status: number; readonly body: object } | 'reset' | 'silence'

/** A service that answers as a test says, over JSON 1.1. */
export async function startService(
  answer: (request: ServiceRequest) => ServiceAnswer,
): Promise<{ readonly endpoint: string; readonly requests: ServiceRequest[]; close(): Promise<void> }> {
  const requests: ServiceRequest[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
      requests.push({ operation, input })
      const said = answer({ operation, input })
      if (said === 'silence') return
      if (said === 'reset') {
        request.socket.destroy()
        return
      }
      response.writeHead(said.status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(said.body))
    })
  })
  const endpoint = await listen(server)
  return {
    endpoint,
    requests,
    async close() {
      server.closeAllConnections()
      await closed(server)
    },
  }
}

async function listen(server: Server): Promise<string> {
  // Longer than a client keeps a connection that it does not use: Node's five seconds are not the service's.
  server.keepAliveTimeout = 300_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
