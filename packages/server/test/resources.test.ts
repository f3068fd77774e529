import { describe, expect, test } from 'vitest'
import { client } from './support/client.ts'

describe('streams', () => {
  test('create, list, show, delete', async () => {
    const { ask } = client()
    const created = await ask('POST', '/v1/streams', { name: 'clicks.eu_1', shardCount: 2 })
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe('/v1/streams/clicks.eu_1')
    expect(created.body).toMatchObject({ retentionMs: 604_800_000, durability: 'fsync' })
    const listed = await ask('GET', '/v1/streams')
    expect(listed.body.map((each: { name: string }) => each.name)).toEqual(['orders', 'clicks.eu_1'])
    expect((await ask('GET', '/v1/streams/clicks.eu_1')).body.shards).toHaveLength(2)
    expect((await ask('DELETE', '/v1/streams/clicks.eu_1')).status).toBe(204)
    expect((await ask('GET', '/v1/streams/clicks.eu_1')).status).toBe(404)
  })

  test('a name that is taken', async () => {
    const { status, body } = await client().ask('POST', '/v1/streams', { name: 'orders', shardCount: 1 })
    expect([status, body.code]).toEqual([409, 'EDDY_STREAM_EXISTS'])
  })

  test.each([
    [{ shardCount: 1 }, 'name'],
    [{ name: 'a b', shardCount: 1 }, 'name'],
    [{ name: 'x'.repeat(129), shardCount: 1 }, 'name'],
    [{ name: 'x' }, 'shardCount'],
    [{ name: 'x', shardCount: '4' }, 'shardCount'],
    [{ name: 'x', shardCount: 1_025 }, 'shardCount'],
    [{ name: 'x', shardCount: 1.5 }, 'shardCount'],
    [{ name: 'x', shardCount: 1, retentionMs: 5 }, 'retentionMs'],
    [{ name: 'x', shardCount: 1, durability: 'none' }, 'durability'],
    [{ name: 'x', shardCount: 1, shards: 4 }, 'shards'],
    [{ name: 'x', shardCount: 1, limits: 'kinesys' }, "did you mean 'kinesis'?"],
    [{ name: 'x', shardCount: 1, limits: { maxEntries: 0 } }, 'limits.maxEntries'],
    [{ name: 'x', shardCount: 1, limits: null }, 'limits'],
    [{ name: 'x', limits: 'kinesis' }, 'shardCount'],
    [{ name: 'x', shardCount: 1, faults: { latencyMs: '5' } }, 'faults.latencyMs'],
    [{ name: 'x', shardCount: 1, faults: [] }, 'faults'],
  ])('%j is refused, naming the member', async (body, named) => {
    const answer = await client().ask('POST', '/v1/streams', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'EDDY_INVALID_OPTION'])
    expect(answer.body.detail).toContain(named)
  })

  test('limits and faults: at creation, later, and none', async () => {
    const { ask, operations } = client()
    const limited = { name: 'x', shardCount: 1, limits: 'kinesis' }
    expect((await ask('POST', '/v1/streams', limited)).body.limits.writeRecordsPerSecond).toBe(1_000)
    const grows = await ask('POST', '/v1/streams', { name: 'y', limits: 'kinesis-on-demand' })
    expect(grows.body.shards).toHaveLength(4)
    const own = { limits: { maxEntries: 5 }, faults: { latencyMs: 5 } }
    expect((await ask('PATCH', '/v1/streams/x', own)).body.limits.maxEntries).toBe(5)
    expect((await ask('PATCH', '/v1/streams/x', { limits: 'none' })).status).toBe(200)
    expect(operations.asked.map(({ args }) => args)).toEqual([
      ['x', own],
      ['x', { limits: 'none' }],
    ])
    expect((await ask('PATCH', '/v1/streams/none', { limits: 'none' })).status).toBe(404)
    expect((await ask('PATCH', '/v1/streams/x', { retentionMs: 5 })).status).toBe(400)
  })

  test.each([['[]'], ['"x"'], ['{"name":'], ['null']])('body %s is refused', async (body) => {
    expect((await client().ask('POST', '/v1/streams', body)).body.code).toBe('EDDY_INVALID_REQUEST')
  })

  test('split and merge, with and without a body', async () => {
    const { ask, operations } = client()
    const shard = '/v1/streams/orders/shards/shardId-000000000000'
    expect((await ask('POST', `${shard}/split`)).status).toBe(200)
    expect((await ask('POST', `${shard}/split`, { newStartingHashKey: '99' })).status).toBe(200)
    expect((await ask('POST', `${shard}/merge`, { adjacentShardId: 'shardId-000000000001' })).status).toBe(
      200,
    )
    expect((await ask('POST', `${shard}/split`, { newStartingHashKey: 99 })).status).toBe(400)
    expect(operations.asked.map((each) => each.args[2])).toEqual([undefined, '99', 'shardId-000000000001'])
  })
})

describe('subscriptions', () => {
  test('list and show', async () => {
    const { ask } = client()
    expect((await ask('GET', '/v1/subscriptions')).body).toHaveLength(1)
    expect((await ask('GET', '/v1/subscriptions/billing')).body.name).toBe('billing')
    expect((await ask('GET', '/v1/subscriptions/none')).body.code).toBe('EDDY_SUBSCRIPTION_NOT_FOUND')
  })

  test('pause and resume say who and why', async () => {
    const { ask, operations } = client()
    const paused = await ask('POST', '/v1/subscriptions/billing/pause', { by: 'ada', note: 'db upgrade' })
    expect(paused.body).toMatchObject({ paused: true, pausedBy: 'ada' })
    await ask('POST', '/v1/subscriptions/billing/resume')
    await ask('POST', '/v1/subscriptions/billing/resume', { resetBreaker: true })
    expect(operations.asked.map((each) => each.args[1])).toEqual([
      { by: 'ada', note: 'db upgrade' },
      {},
      { resetBreaker: true },
    ])
    const wrong = await ask('POST', '/v1/subscriptions/billing/resume', { resetBreaker: 'yes' })
    expect(wrong.body).toMatchObject({ status: 400, detail: expect.stringContaining('resetBreaker') })
  })

  test.each([
    [{ at: 'trim_horizon' }],
    [{ at: 'latest' }],
    [{ at: 'at_timestamp', timestampMs: 5 }],
    [{ at: 'at_sequence_number', sequenceNumber: '1000' }],
  ])('seek to %j', async (to) => {
    const { ask, operations } = client()
    const answer = await ask('POST', '/v1/subscriptions/billing/seek', { to, shardId: 's', by: 'ada' })
    expect(answer.status).toBe(200)
    expect(operations.asked[0]?.args).toEqual(['billing', to, { by: 'ada', shardId: 's' }])
  })

  test.each([
    [{}],
    [{ to: 'latest' }],
    [{ to: {} }],
    [{ to: { at: 'now' } }],
    [{ to: { at: 'at_timestamp' } }],
    [{ to: { at: 'at_timestamp', timestampMs: 'noon' } }],
    [{ to: { at: 'at_sequence_number', sequenceNumber: 5 } }],
    [{ to: { at: 'latest', timestampMs: 5 } }],
    [{ to: { at: 'latest' }, by: 7 }],
    [{ to: { at: 'latest' }, by: 'x'.repeat(257) }],
  ])('seek %j is refused', async (body) => {
    expect((await client().ask('POST', '/v1/subscriptions/billing/seek', body)).body.code).toBe(
      'EDDY_INVALID_OPTION',
    )
  })
})

describe('redrives', () => {
  test('plan, start, show, cancel', async () => {
    const { ask, operations } = client()
    const body = { filter: { subscription: 'billing', ids: ['a'] }, by: 'ada', ratePerSecond: 5, limit: 9 }
    expect((await ask('POST', '/v1/redrives', { ...body, dryRun: true })).body.count).toBe(2)
    const refused = await ask('POST', '/v1/redrives', body)
    expect([refused.status, refused.body.code]).toEqual([409, 'EDDY_OUT_OF_ORDER'])
    const started = await ask('POST', '/v1/redrives', { ...body, allowOutOfOrder: true })
    expect([started.status, started.headers.get('location')]).toEqual([202, '/v1/redrives/r-1'])
    expect(operations.asked.at(-1)?.args).toEqual([
      body.filter,
      { by: 'ada', ratePerSecond: 5, limit: 9, allowOutOfOrder: true },
    ])
    expect((await ask('GET', '/v1/redrives')).body).toHaveLength(1)
    expect((await ask('GET', '/v1/redrives/r-1')).body.state).toBe('running')
    expect((await ask('POST', '/v1/redrives/r-1/cancel', { by: 'ada' })).body.state).toBe('cancelled')
    expect(operations.asked.at(-1)?.args).toEqual(['r-1', { by: 'ada' }])
    expect((await ask('POST', '/v1/redrives/r-1/cancel')).status).toBe(200)
    expect((await ask('GET', '/v1/redrives/r-2')).body.code).toBe('EDDY_REDRIVE_NOT_FOUND')
  })

  test.each([
    [{}],
    [{ filter: {}, ratePerSecond: 0 }],
    [{ filter: {}, ratePerSecond: 100_001 }],
    [{ filter: {}, limit: '5' }],
    [{ filter: {}, dryRun: 1 }],
    [{ filter: {}, rate: 5 }],
  ])('%j is refused', async (body) => {
    expect((await client().ask('POST', '/v1/redrives', body)).body.code).toBe('EDDY_INVALID_OPTION')
  })
})

test('backup', async () => {
  const { ask, operations } = client()
  expect((await ask('POST', '/v1/backup', { target: '/backups/x' })).body).toEqual({ bytes: 4_096 })
  expect(operations.asked).toEqual([{ method: 'backup', args: ['/backups/x'] }])
  expect((await ask('POST', '/v1/backup', {})).status).toBe(400)
})

test('audit', async () => {
  const { ask, operations } = client()
  expect((await ask('GET', '/v1/audit?limit=5')).body[0]).toMatchObject({ by: 'ada', action: 'drop' })
  expect(operations.asked).toEqual([{ method: 'listAudit', args: [5] }])
  expect((await ask('GET', '/v1/audit?limit=1001')).status).toBe(400)
})

describe('health', () => {
  test('healthz, readyz, metrics and the pointer', async () => {
    const { ask, send } = client()
    expect((await ask('GET', '/healthz')).body).toEqual({ status: 'ok', version: '0.0.0-test' })
    expect((await ask('GET', '/readyz')).body).toEqual({ ready: true })
    const metrics = await send('GET', '/metrics')
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toContain('eddy_appended_total 1')
    expect(await (await send('GET', '/')).text()).toContain('/openapi.json')
  })

  test('not ready while the server stops', async () => {
    const { ask } = client({ stopping: AbortSignal.abort() })
    const { status, headers } = await ask('GET', '/readyz')
    expect([status, headers.get('connection')]).toEqual([503, 'close'])
  })
})
