import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AwsCommand, debianClients } from './support/aws-command.ts'
import { clientEnv } from './support/client-env.ts'
import { type Endpoint, startEndpoint } from './support/start-endpoint.ts'

const RECIPE = fileURLToPath(new URL('../recipes/put_with_retries.py', import.meta.url))
const RECORDS = 2_000
/** Of 500 records at once 2.4 MiB come, more than two shards can take in at once, however slow the machine is. */
const RECORD_BYTES = 5_000
const SHARDS = 2
const TIMEOUT_MS = 120_000

interface Read {
  readonly Records: readonly { readonly Data: string }[]
  readonly NextShardIterator: string
  readonly MillisBehindLatest: number
}

describe('The boto3 recipe that sends again what failed', () => {
  let endpoint: Endpoint
  let aws: AwsCommand

  beforeAll(async () => {
    endpoint = await startEndpoint('--aws-instant')
    aws = new AwsCommand(endpoint.url)
    await aws.run('kinesis', 'create-stream', '--stream-name', 'busy', '--shard-count', `${SHARDS}`)
  })
  afterAll(async () => await endpoint?.stop())

  it('puts every record into a stream that throttles it', async () => {
    const lines = Array.from({ length: RECORDS }, (_, number) =>
      `key-${number % 100},${number},`.padEnd(RECORD_BYTES, 'x'),
    )
    const printed = await recipe('busy', lines)
    console.log(printed.trim())
    const counts = /^(\d+) records put, (\d+) throttled and put again in (\d+) further requests$/m.exec(
      printed,
    )
    const [put, throttled, retries] = (counts ?? []).slice(1).map(Number) as [number, number, number]
    expect(put).toBe(RECORDS)
    expect(throttled).toBeGreaterThan(0)
    expect(retries).toBeGreaterThan(0)

    const stored = (
      await Promise.all(
        ['shardId-000000000000', 'shardId-000000000001'].map((shard) => recordsOf('busy', shard)),
      )
    ).flat()
    expect(stored.sort()).toEqual(lines.sort())
  })

  async function recipe(stream: string, lines: readonly string[]): Promise<string> {
    const { python, pythonPath } = debianClients()
    const env = clientEnv({ PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' })
    const child = spawn(python, [RECIPE, stream, '--endpoint-url', endpoint.url], {
      env,
      timeout: TIMEOUT_MS,
    })
    const ended = once(child, 'close')
    child.stdin.end(`${lines.join('\n')}\n`)
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    const [status] = await ended
    expect(status, stderr).toBe(0)
    return stdout
  }

  /** Every record of a shard. */
  async function recordsOf(stream: string, shardId: string): Promise<string[]> {
    const place = ['--stream-name', stream, '--shard-id', shardId, '--shard-iterator-type', 'TRIM_HORIZON']
    const first = await aws.run<{ ShardIterator: string }>('kinesis', 'get-shard-iterator', ...place)
    const texts: string[] = []
    for (let iterator = first.ShardIterator, requests = 0; requests < 20; requests += 1) {
      const answer = await aws.run<Read>('kinesis', 'get-records', '--shard-iterator', iterator)
      texts.push(...answer.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString()))
      if (answer.MillisBehindLatest === 0) return texts
      iterator = answer.NextShardIterator
    }
    throw new Error(`${shardId} has no end`)
  }
})
