import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Blobs } from '@eddy/core'
import { systemClock } from '@eddy/embedded'
import { SimWorld } from '@eddy/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { DynamoDbTable } from '../../src/dynamodb/index.ts'
import { type Dynalite, startDynalite } from '../support/dynalite.ts'
import { type ServiceAnswer, type ServiceRequest, startService } from '../support/kinesalite.ts'

const KEY = { partition: 'p', sort: 's' }
const BIG = { text: 'x'.repeat(400_000) }
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A table whose service answers as the test says. */
async function answered(answer: (request: ServiceRequest) => ServiceAnswer) {
  const service = await startService(answer)
  const client = new DynamoDBClient({
    endpoint: service.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  closing.push(async () => {
    client.destroy()
    await service.close()
  })
  const { blobs } = new SimWorld({ seed: 1 }).boot()
  const table = new DynamoDbTable({ client, tableName: 'eddy', clock: systemClock, blobs })
  return { table, requests: service.requests, kept: () => countOf(blobs) }
}

/** A table on an implementation that is not ours, and the blobs of its large values. */
async function stored(options: { readonly widthOf?: () => number } = {}) {
  const service: Dynalite = await startDynalite()
  closing.push(() => service.close())
  const { blobs } = new SimWorld({ seed: 1 }).boot()
  const table = new DynamoDbTable({
    client: service.client,
    tableName: await service.createTable(),
    clock: systemClock,
    blobs,
    ...options,
  })
  return { table, kept: () => countOf(blobs) }
}

/** Of large values. */
async function countOf(blobs: Blobs): Promise<number> {
  let count = 0
  for await (const _ of blobs.list('table/')) count += 1
  return count
}

const failure = (status: number, name: string, more: object = {}): ServiceAnswer => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no more', ...more },
})

describe('DynamoDB table', () => {
  it('I9: a throttle is a storage error that may pass, and says why and of what', async () => {
    const { table } = await answered(() =>
      failure(400, 'ProvisionedThroughputExceededException', {
        ThrottlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded', resource: 'table/eddy' }],
      }),
    )
    await expect(table.put({ ...KEY, value: 1 }, 'any')).rejects.toMatchObject({
      code: 'EDDY_STORAGE',
      retryable: true,
      details: { reasons: 'TableWriteKeyRangeThroughputExceeded of table/eddy' },
    })
  })

  it('I9: reasons are told whichever way the service writes them', async () => {
    const { table } = await answered(() =>
      failure(400, 'ThrottlingException', {
        throttlingReasons: [{ reason: 'IndexWriteAccountLimitExceeded' }],
      }),
    )
    await expect(table.get(KEY)).rejects.toMatchObject({
      code: 'EDDY_STORAGE',
      details: { reasons: 'IndexWriteAccountLimitExceeded of unknown' },
    })
  })

  it('a read whose connection broke is made once more, a write is not', async () => {
    let resets = 1
    const { table, requests } = await answered(() => {
      resets -= 1
      return resets >= 0 ? 'reset' : { status: 200, body: {} }
    })
    const operations = () => requests.splice(0).map(({ operation }) => operation)
    expect(await table.get(KEY)).toBeUndefined()
    expect(operations()).toEqual(['GetItem', 'GetItem'])
    resets = 1
    expect(await table.getMany([KEY])).toEqual([undefined])
    expect(operations()).toEqual(['BatchGetItem', 'BatchGetItem'])
    resets = 1
    expect((await table.query({ partition: 'p', limit: 1 })).items).toEqual([])
    expect(operations()).toEqual(['Query', 'Query'])
    resets = 2
    await expect(table.get(KEY)).rejects.toMatchObject({ code: 'EDDY_STORAGE', retryable: true })
    expect(operations()).toEqual(['GetItem', 'GetItem'])
    resets = 1
    await expect(table.put({ ...KEY, value: 1 }, 'any')).rejects.toMatchObject({ code: 'EDDY_STORAGE' })
    expect(operations()).toEqual(['UpdateItem'])
  })

  it('what is written much lies in several partitions of DynamoDB, evenly; what belongs to one key in one', async () => {
    const { table, requests } = await answered(() => ({ status: 200, body: {} }))
    const shards = Array.from({ length: 800 }, (_, shard) => `shardId-${String(shard).padStart(12, '0')}`)
    for (const sort of shards) await table.put({ partition: 'checkpoint/charge', sort, value: 1 }, 'any')
    await table.put({ partition: 'ledger/charge/abc', sort: '1', value: 1 }, 'any')
    const counts = new Map<string, number>()
    for (const { input } of requests) {
      const place = (input.Key as { pk: { S: string } }).pk.S
      counts.set(place, (counts.get(place) ?? 0) + 1)
    }
    expect(counts.get('ledger/charge/abc')).toBe(1)
    counts.delete('ledger/charge/abc')
    expect([...counts.keys()].toSorted()).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((at) => `checkpoint/charge#${at}`),
    )
    for (const count of counts.values()) expect(count).toBeGreaterThan(50)
  })

  it('a query of several partitions gives what is next in all of them, though one is read only so far', async () => {
    const { table } = await stored({ widthOf: () => 4 })
    const value = { text: 'x'.repeat(200_000) }
    const sorts = Array.from({ length: 40 }, (_, at) => String(at).padStart(2, '0'))
    for (const sort of sorts) await table.put({ partition: 'p', sort, value }, 'any')
    for (const descending of [false, true]) {
      const pages: string[][] = []
      let after: string | undefined
      do {
        const page = await table.query({
          partition: 'p',
          limit: 100,
          descending,
          ...(after !== undefined && { after }),
        })
        pages.push(page.items.map(({ sort }) => sort))
        after = page.next
      } while (after !== undefined)
      expect(pages.flat()).toEqual(descending ? sorts.toReversed() : sorts)
      // A page of DynamoDB ends at 1 MiB: five items of each partition.
      expect(pages.length).toBeGreaterThan(1)
    }
  })

  it('a token of another query is refused', async () => {
    const { table } = await stored()
    for (const sort of ['a', 'b']) await table.put({ partition: 'p', sort, value: 1 }, 'any')
    const { next: after } = await table.query({ partition: 'p', limit: 1 })
    for (const request of [{ partition: 'q' }, { partition: 'p', byIndex: true }]) {
      await expect(table.query({ ...request, limit: 1, after: after as string })).rejects.toMatchObject({
        code: 'EDDY_INVALID_OPTION',
        message: expect.stringContaining('after'),
      })
    }
  })

  it('I9: no answer and an error of the service may pass; only where the connection broke it is sent again', async () => {
    for (const answer of ['reset', failure(500, 'InternalServerError')] as const) {
      const { table, requests } = await answered(() => answer)
      await expect(table.get(KEY)).rejects.toMatchObject({ code: 'EDDY_STORAGE', retryable: true })
      expect(requests.length).toBe(answer === 'reset' ? 2 : 1)
    }
  })

  it('a table that is not there is refused for good, by its name', async () => {
    const { table } = await answered(() => failure(400, 'ResourceNotFoundException'))
    await expect(table.get(KEY)).rejects.toMatchObject({
      code: 'EDDY_DYNAMODB_REFUSED',
      retryable: false,
      message:
        'DynamoDB refused GetItem on table "eddy": ResourceNotFoundException: no more. Create the table, or check its name (EDDY_NAME), the region and the account.',
    })
  })

  it('a refused write comes back with what stands there, without a read', async () => {
    const standing = { pk: { S: 'p' }, sk: { S: 's' }, ver: { N: '7' }, v: { S: '"theirs"' } }
    const { table, requests } = await answered(() =>
      failure(400, 'ConditionalCheckFailedException', { Item: standing }),
    )
    expect(await table.put({ ...KEY, value: 'mine' }, 3)).toEqual({
      ok: false,
      current: { ...KEY, version: 7, value: 'theirs' },
    })
    expect(requests.map(({ operation }) => operation)).toEqual(['PutItem'])
  })

  it('keys that a batch left unanswered are asked for again', async () => {
    let calls = 0
    const { table, requests } = await answered(({ input }) => {
      calls += 1
      const { Keys: keys } = (input.RequestItems as { eddy: { Keys: { sk: { S: string } }[] } }).eddy
      const now = calls === 1 ? keys.slice(0, 1) : keys
      const items = now.map((key) => ({ ...key, ver: { N: '1' }, v: { S: JSON.stringify(key.sk.S) } }))
      const open = keys.slice(now.length)
      const rest = open.length === 0 ? {} : { eddy: { Keys: open } }
      return { status: 200, body: { Responses: { eddy: items }, UnprocessedKeys: rest } }
    })
    const keys = ['a', 'b', 'c', 'a'].map((sort) => ({ partition: 'p', sort }))
    expect((await table.getMany(keys)).map((item) => item?.value)).toEqual(['a', 'b', 'c', 'a'])
    expect(requests.length).toBe(2)
  })

  it('a value near the limit of an item lies in a blob, which goes with it', async () => {
    const { table, kept } = await stored()
    await table.put({ ...KEY, value: BIG }, 'any')
    expect(await kept()).toBe(1)
    expect((await table.get(KEY))?.value).toEqual(BIG)
    expect((await table.query({ partition: 'p', limit: 1 })).items[0]?.value).toEqual(BIG)
    await table.put({ ...KEY, value: BIG }, 1)
    expect(await kept()).toBe(1)
    expect((await table.put({ ...KEY, value: BIG }, 1)).ok).toBe(false)
    expect(await kept()).toBe(1)
    await table.put({ ...KEY, value: 'small' }, 'any')
    expect(await kept()).toBe(0)
    await table.put({ ...KEY, value: BIG }, 'any')
    await table.delete(KEY, 'any')
    expect(await kept()).toBe(0)
  })

  it('of a large value that a throttle kept out nothing stays; of one that may have been written, the value', async () => {
    const throttled = await answered(() => failure(400, 'ProvisionedThroughputExceededException'))
    const unanswered = await answered(() => failure(500, 'InternalServerError'))
    for (const { table } of [throttled, unanswered])
      for (const expected of ['absent', 'any', 3] as const)
        await expect(table.put({ ...KEY, value: BIG }, expected)).rejects.toMatchObject({ retryable: true })

    expect(await throttled.kept()).toBe(0)
    expect(await unanswered.kept()).toBe(3)
  })

  it('the empty sort key and keys that are too long', async () => {
    const { table } = await stored()
    await table.put({ partition: 'p', sort: '', value: 1 }, 'absent')
    await table.put({ partition: 'p', sort: 'a', value: 2 }, 'absent')
    expect((await table.query({ partition: 'p', limit: 10 })).items.map((item) => item.sort)).toEqual([
      '',
      'a',
    ])
    await expect(table.get({ partition: 'p'.repeat(2_049), sort: 's' })).rejects.toMatchObject({
      code: 'EDDY_INVALID_OPTION',
      message: expect.stringContaining('at most 2048 bytes'),
    })
  })

  it('I9: after close every call is refused by name', async () => {
    const { table } = await stored()
    table.close()
    const calls = [
      table.get(KEY),
      table.put({ ...KEY, value: 1 }, 'any'),
      table.query({ partition: 'p', limit: 1 }),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'EDDY_ENGINE_CLOSED' })
  })
})
