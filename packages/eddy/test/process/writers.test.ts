import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KinesisProducerLog, kinesisClient } from '@eddy/aws/kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpClient } from '../../src/client/http-client.ts'
import { connect, createProducer, type NewEvent } from '../../src/index.ts'
import { eddy, type StartedEddy, startEddy } from '../command/support/real-server.ts'

/** Low, so that a thousand records meet them; reads are not what this is about. */
const LIMITS = { writeRecordsPerSecond: 400, readCallsPerSecond: 1_000, readBytesPerSecond: 1e9 }
const KEYS = 60

let folder: string
let server: StartedEddy & { readonly awsUrl?: string }
let client: HttpClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-writers-'))
  server = await startEddy(['--data', join(folder, 'data'), '--port', '0', '--aws-port', '0'], folder)
  client = new HttpClient({ url: server.url })
})
afterAll(async () => {
  server.child.kill('SIGTERM')
  await server.exited
  await rm(folder, { recursive: true })
})

const awsUrl = () => (JSON.parse(server.stdout()) as { readonly awsUrl: string }).awsUrl

async function newStream(name: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, shardCount: 3, limits: LIMITS }),
  })
  expect(response.status, await response.text()).toBe(201)
}

function* eventsOf(writer: number, count: number): Generator<NewEvent> {
  for (let n = 0; n < count; n += 1) yield { key: `w${writer}-k${n % KEYS}`, data: { writer, n } }
}

/** Every record of every writer once, and those of a key in order. */
async function expectWritten(stream: string, writers: number, count: number): Promise<void> {
  const { shards } = await client.showStream(stream)
  const byKey = new Map<string, number[]>()
  let records = 0
  for (const { shardId } of shards) {
    let from: string | undefined = 'trim_horizon'
    while (from !== undefined) {
      const page = await client.read({ stream, shardId, from, limit: 1_000, waitMs: 0 })
      for (const { partitionKey, event } of page.records) {
        const { n } = (event as { readonly data: { readonly n: number } }).data
        byKey.set(partitionKey, [...(byKey.get(partitionKey) ?? []), n])
      }
      records += page.records.length
      from = page.records.length === 0 ? undefined : page.next
    }
  }
  expect(records).toBe(writers * count)
  for (let writer = 0; writer < writers; writer += 1) {
    for (let key = 0; key < KEYS; key += 1) {
      const wanted = Array.from({ length: count }, (_, n) => n).filter((n) => n % KEYS === key)
      expect(byKey.get(`w${writer}-k${key}`), `writer ${writer}, key ${key}`).toEqual(wanted)
    }
  }
}

describe('writers of a stream with limits that know nothing of each other (I2, I3)', () => {
  it('over HTTP: every record is there once, in the order of its key', async () => {
    await newStream('over-http')
    const reports = await Promise.all(
      [0, 1, 2].map(async (writer) => {
        const producer = await connect(server.url)
        const report = await producer.produce('over-http', eventsOf(writer, 1_000))
        await producer.close()
        return report
      }),
    )
    expect(reports).toMatchObject(reports.map(() => ({ end: 'done', accepted: 1_000, failed: 0 })))
    expect(reports.some(({ throttled }) => throttled > 0)).toBe(true)
    await expectWritten('over-http', 3, 1_000)
  })

  it('over the Kinesis API, in strict order, too', async () => {
    await newStream('over-aws')
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    const aws = kinesisClient({ endpoint: awsUrl(), region: 'us-east-1', credentials })
    const reports = await Promise.all(
      (['key', 'strict'] as const).map((ordering, writer) =>
        createProducer(new KinesisProducerLog({ client: aws })).produce('over-aws', eventsOf(writer, 600), {
          ordering,
        }),
      ),
    )
    aws.destroy()
    expect(reports).toMatchObject(reports.map(() => ({ end: 'done', accepted: 600, failed: 0 })))
    await expectWritten('over-aws', 2, 600)
  })

  it('as eddy put, with an AWS endpoint instead of a server', async () => {
    await newStream('put')
    const file = join(folder, 'in.ndjson')
    const lines = [...eventsOf(0, 600)].map(({ key, data }) => JSON.stringify({ key, ...(data as object) }))
    await writeFile(file, `${lines.join('\n')}\nnot json\n`)
    const argv = [
      'put',
      'put',
      file,
      '--key',
      'key',
      '--aws-endpoint',
      awsUrl(),
      '--region',
      'us-east-1',
      '--json',
    ]
    const { exitCode, stdout, stderr } = await eddy(argv, {
      cwd: folder,
      env: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    })
    expect(exitCode, stderr).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ sent: 600, failed: 1, lastLine: 601, end: 'done' })
    await expectWritten('put', 1, 600)
    const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
    const putTo = (stream: string, endpoint: string) => {
      const options = ['--key', 'key', '--aws-endpoint', endpoint, '--region', 'us-east-1']
      return eddy(['put', stream, file, ...options, '--give-up-after', '1ms'], { cwd: folder, env })
    }
    const gone = await putTo('nowhere', awsUrl())
    expect(gone.exitCode).toBe(1)
    expect(gone.stderr).toContain('stream "nowhere" does not exist')
    expect(gone.stderr).toContain('Create the stream')
    // No line is at fault when nobody answers: the failed file has only what is not JSON.
    const closed = await putTo('put', 'http://127.0.0.1:1')
    expect(closed.exitCode).toBe(4)
    expect(closed.stderr).toContain('Check the address of the endpoint')
    for (const { stdout: said } of [gone, closed]) expect(said).toMatch(/^sent 0, failed 1 /)
  })
})
