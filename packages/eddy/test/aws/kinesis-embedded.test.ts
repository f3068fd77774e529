import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '@eddy/embedded'
import { openAwsEndpoint } from '@eddy/server/aws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'eddy-kinesis-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

interface Given {
  readonly Data: string
  readonly PartitionKey: string
  readonly ExplicitHashKey?: string
}

/** Bytes of all lengths up to a few chunks of base64, and of some kilobytes; every tenth key is not plain ASCII. */
function records(count: number): readonly Given[] {
  return Array.from({ length: count }, (_, i) => {
    const length = i % 7 === 0 ? 5_000 + i : i % 40
    const seed = createHash('shake256', { outputLength: Math.max(1, length) })
      .update(String(i))
      .digest()
    return {
      Data: seed.subarray(0, length).toString('base64'),
      PartitionKey: i % 10 === 0 ? `ключ "${i}" \u2028` : `key-${i}`,
      ...(i % 3 === 0 && { ExplicitHashKey: (BigInt(i) * 2n ** 119n).toString() }),
    }
  })
}

/** Runs on an endpoint over the data directory, which is closed afterwards. */
async function onEndpoint<T>(run: (call: Call) => Promise<T>): Promise<T> {
  const engine = await openEmbedded({ dataDir })
  const server = await openAwsEndpoint({
    engine,
    host: '127.0.0.1',
    port: 0,
    region: 'us-east-1',
    limits: 'off',
    instant: true,
    readOnly: false,
  })
  try {
    return await run(async (operation, input) => {
      const answer = await fetch(server.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `Kinesis_20131202.${operation}`,
        },
        body: JSON.stringify(input),
      })
      expect(answer.status, operation).toBe(200)
      const text = await answer.text()
      return text === '' ? {} : JSON.parse(text)
    })
  } finally {
    await server.close()
    await engine.close()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer has the members that its test names
type Call = (operation: string, input: object) => Promise<any>

async function readShard(call: Call, ShardId: string, Limit: number): Promise<Given[]> {
  const ask = { StreamName: 'orders', ShardId, ShardIteratorType: 'TRIM_HORIZON' }
  let { ShardIterator } = await call('GetShardIterator', ask)
  const read: Given[] = []
  for (;;) {
    const page = await call('GetRecords', { ShardIterator, Limit })
    if (page.Records.length === 0) return read
    for (const { Data, PartitionKey } of page.Records) read.push({ Data, PartitionKey })
    ShardIterator = page.NextShardIterator
  }
}

describe('Kinesis over the embedded engine', () => {
  it('gives back every byte and key in order, in pages of any size, also after a restart', async () => {
    const all = records(400)
    const placed = new Map<string, Given[]>()
    await onEndpoint(async (call) => {
      await call('CreateStream', { StreamName: 'orders', ShardCount: 3 })
      // Requests of keys that are plain, and of such that are not, go different ways.
      for (let i = 0; i < all.length; i += 20) {
        const isPlain = i % 40 !== 0
        const Records = all.slice(i, i + 20).filter((_, j) => !isPlain || j % 10 !== 0)
        const put = await call('PutRecords', { StreamName: 'orders', Records })
        expect(put.FailedRecordCount).toBe(0)
        for (const [j, { ShardId }] of put.Records.entries()) {
          const { Data, PartitionKey } = Records[j] as Given
          placed.set(ShardId, [...(placed.get(ShardId) ?? []), { Data, PartitionKey }])
        }
      }
      for (const [ShardId, given] of placed) expect(await readShard(call, ShardId, 7)).toEqual(given)
    })
    expect(placed.size).toBe(3)
    await onEndpoint(async (call) => {
      for (const [ShardId, given] of placed) expect(await readShard(call, ShardId, 10_000)).toEqual(given)
    })
  })
})
