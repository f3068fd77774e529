import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { dynamoDbTableSchema } from '../../src/dynamodb/index.ts'

const SETTLE_MS = 200

/** An implementation of DynamoDB that is not ours, in memory. */
export interface Dynalite {
  readonly endpoint: string
  readonly client: DynamoDBClient
  /** A new table with the schema of the port; returns its name. */
  createTable(): Promise<string>
  close(): Promise<void>
}

export async function startDynalite(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  // Longer than a client keeps a connection that it does not use: Node's five seconds are not DynamoDB's.
  server.keepAliveTimeout = 300_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  let tables = 0
  return {
    endpoint,
    client,
    async createTable() {
      tables += 1
      const name = `eddy-${tables}`
      await client.send(new CreateTableCommand(dynamoDbTableSchema(name)))
      for (let look = 0; look < 1_000; look += 1) {
        const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }))
        if (table?.TableStatus === 'ACTIVE') return name
        await sleep(2)
      }
      throw new Error(`${name} does not become active`)
    },
    async close() {
      client.destroy()
      server.closeAllConnections()
      // What it has begun it ends, though nobody waits for the answer: without its store that would throw here.
      await sleep(SETTLE_MS)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
