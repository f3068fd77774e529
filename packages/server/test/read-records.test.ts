import { expect, test } from 'vitest'
import { client } from './support/client.ts'

const PATH = '/v1/streams/orders/shards/shardId-000000000000/records'

async function filled() {
  const each = client()
  const events = ['a', 'b', 'c'].map((key) => ({ key, data: key }))
  await each.ask('POST', '/v1/streams/orders/records', events)
  return each
}

test('records with their events, and where to go on', async () => {
  const { ask } = await filled()
  const first = await ask('GET', `${PATH}?limit=2`)
  expect(first.body.records.map((record: { event: { data: string } }) => record.event.data)).toEqual([
    'a',
    'b',
  ])
  expect(first.body).toMatchObject({ next: 'at:1000000000000002', millisBehindLatest: 1, expiredRecords: 0 })
  const rest = await ask('GET', `${PATH}?from=${encodeURIComponent(first.body.next)}`)
  expect(rest.body.records.map((record: { partitionKey: string }) => record.partitionKey)).toEqual(['c'])
})

test('a record that is no event comes as its bytes', async () => {
  const { ask, operations } = await filled()
  operations.log.addBytes('orders', new Uint8Array([0xff, 0x00]))
  const { body } = await ask('GET', `${PATH}?from=after:1000000000000002`)
  expect(body.records).toEqual([expect.objectContaining({ dataBase64: '/wA=' })])
})

test('positions, waits and limits reach the log', async () => {
  const { ask, operations } = await filled()
  await ask('GET', `${PATH}?from=2026-01-01T00:00:00Z&limit=7`)
  expect(operations.asked.at(-1)?.args[0]).toMatchObject({
    from: { at: 'at_timestamp', timestampMs: 1_767_225_600_000 },
    maxRecords: 7,
    waitMs: 0,
  })
})

test.each(['from=now', 'limit=0', 'limit=10001', 'limit=x', 'waitMs=30001', 'max=5'])(
  '%s is refused',
  async (query) => {
    const { status, body } = await client().ask('GET', `${PATH}?${query}`)
    expect([status, body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
  },
)

test('an unknown shard', async () => {
  const { status, body } = await client().ask('GET', '/v1/streams/orders/shards/shardId-9/records')
  expect([status, body.code]).toEqual([404, 'EDDY_SHARD_NOT_FOUND'])
})

test('a waiting read ends when the server stops', async () => {
  const stopping = new AbortController()
  const { ask } = client({ stopping: stopping.signal })
  const waiting = ask('GET', `${PATH}?from=latest&waitMs=30000`)
  stopping.abort()
  expect((await waiting).body.records).toEqual([])
})
