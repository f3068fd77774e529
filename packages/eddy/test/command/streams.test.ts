import { KINESIS_LIMITS, type StreamDetail, type SubscriptionStatus } from '@eddy/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, fakeServer, problem } from './support/fake-server.ts'
import { runCommand } from './support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const shard = (n: number, from: string, to: string, open = true) => ({
  shardId: `shardId-00000000000${n}`,
  startingHashKey: from,
  endingHashKey: to,
  parentShardIds: [],
  depth: 0,
  startingSequenceNumber: '1000000000000000',
  open,
})

const STREAM: StreamDetail = {
  name: 'orders',
  streamId: 's-1',
  shardCount: 2,
  retentionMs: 604_800_000,
  durability: 'fsync',
  createdAtMs: 1_790_000_000_000,
  subscriptions: ['billing'],
  shards: [shard(0, '0', '99'), shard(1, '100', '199'), shard(2, '200', '299', false)],
}

const body = () => JSON.parse((server as FakeServer).requests.at(-1)?.body ?? '')

describe('eddy streams', () => {
  it('lists and shows', async () => {
    server = await fakeServer(({ path }) => ({ json: path === '/v1/streams' ? [STREAM] : STREAM }))
    const { url } = server
    expect((await runCommand(['streams', 'list'], { url })).stdout).toMatch(/orders +2 +7 d +fsync +2026-/)
    const { stdout } = await runCommand(['streams', 'show', 'orders'], { url })
    expect(stdout).toContain('orders  2 open of 3 shards, retention 7 d, durability fsync')
    expect(stdout).toMatch(/shardId-000000000002 +closed +200 +299 +-/)
    expect(JSON.parse((await runCommand(['streams', 'show', 'orders', '--json'], { url })).stdout)).toEqual(
      STREAM,
    )
  })

  it('shows that a service ignores keys', async () => {
    server = await fakeServer(() => ({ json: { ...STREAM, keysIgnored: true } }))
    const { stdout } = await runCommand(['streams', 'show', 'orders'], { url: server.url })
    expect(stdout).toContain('keys    ignored by the service (AUTO): no order is kept\n')
  })

  it('creates with shards, retention and durability; --dry-run looks whether the name is free', async () => {
    server = await fakeServer(({ method, path }) => {
      if (method === 'POST') return { status: 201, json: STREAM }
      return path.endsWith('/orders') ? { json: STREAM } : problem(404, 'EDDY_STREAM_NOT_FOUND', 'none')
    })
    const { url } = server
    const argv = ['streams', 'create', 'orders', '--shards', '4', '--retention', '30d', '--durability', 'os']
    expect(await runCommand(argv, { url })).toMatchObject({ exitCode: 0 })
    expect(body()).toEqual({ name: 'orders', shardCount: 4, retentionMs: 2_592_000_000, durability: 'os' })
    expect(await runCommand([...argv, '--dry-run'], { url })).toMatchObject({ exitCode: 1 })
    expect(await runCommand(['streams', 'create', 'free', '--dry-run'], { url })).toMatchObject({
      exitCode: 0,
      stdout: 'would create stream "free" with 1 shard, retention 7 d, durability fsync\n',
    })
    for (const wrong of [
      ['a b'],
      ['a', '--retention', '30m'],
      ['a', '--retention', '400d'],
      ['a', '--shards', '0'],
    ]) {
      for (const dry of [[], ['--dry-run']]) {
        const run = await runCommand(['streams', 'create', ...wrong, ...dry], { url })
        expect(run, wrong.join(' ')).toMatchObject({ exitCode: 2, stdout: '' })
      }
    }
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  it('creates with limits, changes them, and shows them', async () => {
    const faults = {
      internalFailureRate: 0.07,
      latencyMs: 20,
      throttleHarder: { 'shardId-000000000001': 0.25 },
    }
    server = await fakeServer(({ method }) => ({
      status: method === 'POST' ? 201 : 200,
      json: { ...STREAM, limits: KINESIS_LIMITS, faults },
    }))
    const { url } = server
    const create = ['streams', 'create', 'orders', '--limits']
    expect((await runCommand([...create, 'kinesis'], { url })).exitCode).toBe(0)
    expect(body()).toMatchObject({ shardCount: 1, limits: 'kinesis' })
    await runCommand([...create, 'kinesis-on-demand'], { url })
    expect(body()).toMatchObject({ shardCount: 4, limits: 'kinesis-on-demand' })
    expect(await runCommand([...create, 'kinesis', '--retention', '2h'], { url })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('retentionMs'),
    })
    expect((await runCommand([...create, 'sqs'], { url })).exitCode).toBe(2)
    const changed = await runCommand(['streams', 'limits', 'orders', 'kinesis'], { url })
    expect([server.requests.at(-1)?.method, body()]).toEqual(['PATCH', { limits: 'kinesis' }])
    expect(changed.stdout).toContain(
      'limits  kinesis: a shard takes 1,000 records/s and 1.0 MiB/s, and gives 5 reads/s and 2.0 MiB/s\n' +
        'faults  7 % of records fail inside, 20 ms latency, shardId-000000000001 at 25 %\n',
    )
    const dry = await runCommand(['streams', 'limits', 'orders', 'none', '--dry-run'], { url })
    expect(dry.stdout).toBe('would give stream "orders" no limits\n')
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1)
  })

  it('splits and merges, and says with --dry-run what would come of it', async () => {
    server = await fakeServer(() => ({ json: STREAM }))
    const { url } = server
    const [zero, one] = ['shardId-000000000000', 'shardId-000000000001']
    await runCommand(['streams', 'split', 'orders', zero, '--at', '42'], { url })
    expect(body()).toEqual({ newStartingHashKey: '42' })
    await runCommand(['streams', 'merge', 'orders', zero, one], { url })
    expect(body()).toEqual({ adjacentShardId: one })
    const dry = async (...argv: string[]) => await runCommand(['streams', ...argv, '--dry-run'], { url })
    expect((await dry('split', 'orders', zero)).stdout).toContain('0 to 49, and 50 to 99')
    expect((await dry('merge', 'orders', zero)).stdout).toContain(`close ${zero} and ${one}`)
    expect(await dry('merge', 'orders', one)).toMatchObject({ exitCode: 1 })
    expect(await dry('split', 'orders', zero, '--at', '100')).toMatchObject({ exitCode: 1 })
    expect(await dry('split', 'orders', 'shardId-000000000002')).toMatchObject({ exitCode: 1 })
  })
})

const BILLING: SubscriptionStatus = {
  name: 'billing',
  stream: 'orders',
  blocks: 'key',
  exhausted: 'hold',
  paused: true,
  pausedBy: 'ada',
  concurrency: 16,
  inFlight: 2,
  retrying: 3,
  held: 40,
  heldKeys: 4,
  dead: 5,
  lagRecords: 12_345,
  lagMs: 65_000,
  shards: [
    { shardId: 'shardId-000000000000', state: 'paused', lagMs: 65_000, buffered: 7, expiredRecords: 1 },
  ],
}

describe('eddy subscriptions', () => {
  it('lists lag in records and time, in flight, retrying, held keys, dead', async () => {
    server = await fakeServer(() => ({ json: [BILLING] }))
    const { stdout } = await runCommand(['subscriptions', 'list'], { url: server.url })
    expect(stdout).toMatch(/billing +orders +key +paused +12,345 +1 min 5 s +2 +3 +40 +4 +5/)
  })

  it('shows each shard', async () => {
    server = await fakeServer(() => ({ json: BILLING }))
    const { stdout } = await runCommand(['subscriptions', 'show', 'billing'], { url: server.url })
    expect(stdout).toContain('paused by ada')
    expect(stdout).toMatch(/shardId-000000000000 +paused +- +- +1 min 5 s +7 +1/)
    expect(stdout).toContain('eddy failures list --subscription billing --status dead')
    expect(stdout).toContain('See what waits: eddy failures list --subscription billing --status held')
    expect(stdout).toContain('eddy failures redrive|edit|drop ID')
  })

  it('pauses, resumes and seeks', async () => {
    server = await fakeServer(() => ({ json: BILLING }))
    const { url, requests } = server
    await runCommand(['subscriptions', 'pause', 'billing', '--by', 'ada', '--note', 'bank'], { url })
    expect(requests.at(-1)?.path).toBe('/v1/subscriptions/billing/pause')
    expect(body()).toEqual({ by: 'ada', note: 'bank' })
    await runCommand(['subscriptions', 'resume', 'billing', '--by', 'ada'], { url })
    expect(body()).toEqual({ by: 'ada' })
    const seek = async (...argv: string[]) =>
      await runCommand(['subscriptions', 'seek', 'billing', '--by', 'ada', ...argv], { url })
    await seek('--to', 'trim_horizon', '--yes')
    expect(body()).toEqual({ to: { at: 'trim_horizon' }, by: 'ada' })
    await seek('--to', '2026-01-31T12:00:00Z', '--yes')
    expect(body().to).toEqual({ at: 'at_timestamp', timestampMs: Date.parse('2026-01-31T12:00:00Z') })
    await seek('--to', '1000000000000042', '--shard', 'shardId-000000000000', '--yes')
    expect(body()).toEqual({
      to: { at: 'at_sequence_number', sequenceNumber: '1000000000000042' },
      shardId: 'shardId-000000000000',
      by: 'ada',
    })
    const before = requests.length
    expect(await seek('--to', '1000000000000042')).toMatchObject({ exitCode: 2 })
    expect((await seek('--to', 'latest', '--dry-run')).stdout).toContain(
      'would start a new pass of "billing"',
    )
    expect(requests.slice(before).every(({ method }) => method === 'GET')).toBe(true)
  })

  it('says what a seek skips or handles again, asks on a terminal, needs --yes elsewhere', async () => {
    const [shard] = BILLING.shards
    const status = { ...BILLING, shards: [{ ...shard, lagRecords: 2, checkpoint: '1000000000000040' }] }
    server = await fakeServer(() => ({ json: status }))
    const { url, requests } = server
    const seek = async (to: string, argv: readonly string[] = [], answers?: readonly string[]) =>
      await runCommand(['subscriptions', 'seek', 'billing', '--to', to, ...argv], {
        url,
        ...(answers === undefined ? {} : { answers }),
      })
    const skipped = 'to latest: 2 records that were not handled yet will never be'
    expect(await seek('latest', ['--dry-run'])).toMatchObject({
      exitCode: 0,
      stdout: `would start a new pass of "billing" over every shard of stream "orders"\n  ${skipped}\n`,
    })
    const refused = await seek('latest')
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(skipped)
    expect(refused.stderr).toContain('--yes or --dry-run')
    expect(await seek('latest', [], ['n'])).toMatchObject({ exitCode: 1 })
    const one = ['--shard', 'shardId-000000000000', '--dry-run']
    expect((await seek('1000000000000041', one)).stdout).toContain('those before it will never be')
    expect((await seek('1000000000000001', one)).stdout).toContain('will be handled again')
    expect((await seek('trim_horizon', ['--dry-run'])).stdout).toContain('will be handled again')
    expect((await seek('2h', ['--dry-run'])).stdout).toContain('those that arrived before will never be')
    expect(await seek('latest', ['--shard', 'none', '--dry-run'])).toMatchObject({ exitCode: 1 })
    expect(requests.every(({ method }) => method === 'GET')).toBe(true)
    expect(await seek('latest', [], ['y'])).toMatchObject({ exitCode: 0 })
    expect(requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/subscriptions/billing/seek' })
  })
})
