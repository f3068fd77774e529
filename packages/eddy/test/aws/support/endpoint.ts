import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAwsEndpoint } from '@eddy/server/aws'
import { type AppDefinition, type Operations, open } from 'eddy'

/** What a client has to know besides the URL; any credentials do on a loopback address. */
export const ACCESS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
}

export interface Endpoint {
  readonly url: string
  /** Of the application behind it. */
  readonly operations: Operations
  close(): Promise<void>
}

/** Kinesis and SQS on a free port of this process, over the embedded engine in a temporary folder. */
export async function startEndpoint(app?: AppDefinition): Promise<Endpoint> {
  const dataDir = await mkdtemp(join(tmpdir(), 'eddy-sdk-'))
  const eddy = await open(app, { dataDir })
  const server = await openAwsEndpoint({
    engine: eddy.engine,
    streamsChanged: () => eddy.streamsChanged(),
    readersOf: async (name) =>
      (app?.subscriptions ?? []).filter(({ stream }) => stream === name).map((one) => one.name),
    host: '127.0.0.1',
    port: 0,
    region: ACCESS.region,
    limits: 'kinesis',
    instant: true,
  })
  return {
    url: server.url,
    operations: eddy.operations,
    async close() {
      await server.close()
      await eddy.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** The operations that are served, sorted: the table of the reference page, which a test holds to the code. */
export async function servedOperations(service: 'Kinesis' | 'SQS'): Promise<string[]> {
  const page = await readFile(
    new URL('../../../../../docs/reference/aws-endpoint.md', import.meta.url),
    'utf8',
  )
  const [, table = ''] = new RegExp(`^### ${service}\n([\\s\\S]*?)^##`, 'm').exec(page) ?? []
  return [...table.matchAll(/^\| (\w+) \| yes \|$/gm)].map(([, name = '']) => name).sort()
}
