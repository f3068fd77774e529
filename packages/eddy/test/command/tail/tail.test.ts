import { afterEach, describe, expect, it } from 'vitest'
import { type FakeAnswer, type FakeRequest, type FakeServer, fakeServer } from '../support/fake-server.ts'
import { interruptWith, runCommand } from '../support/run-command.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

interface FakeShard {
  readonly id: string
  readonly parents?: readonly string[]
  readonly open: boolean
  readonly values: readonly string[]
}

/** Reads of shards whose records are numbered from 1000000000000000; two a request. */
function streamOf(shards: readonly FakeShard[]) {
  return ({ path, query }: FakeRequest): FakeAnswer | undefined => {
    if (path === '/v1/streams/orders') {
      const listed = shards.map(({ id, parents = [], open }) => ({
        shardId: id,
        parentShardIds: parents,
        open,
      }))
      return { json: { name: 'orders', subscriptions: [], shards: listed } }
    }
    const shard = shards.find(({ id }) => path === `/v1/streams/orders/shards/${id}/records`)
    if (shard === undefined) return undefined
    const from = query.get('from') ?? ''
    const start =
      from === 'latest' ? shard.values.length : from === 'trim_horizon' ? 0 : Number(from.slice(-3))
    const limit = Math.min(2, Number(query.get('limit')))
    const values = shard.values.slice(start, start + limit)
    const records = values.map((value, index) => ({
      sequenceNumber: `1000000000000${String(start + index).padStart(3, '0')}`,
      partitionKey: 'k',
      arrivedAtMs: 1,
      event: { data: value },
    }))
    const end = start + values.length
    const isEnd = end === shard.values.length
    const next = isEnd && !shard.open ? {} : { next: `at:1000000000000${String(end).padStart(3, '0')}` }
    return { json: { records, ...next, millisBehindLatest: isEnd ? 0 : 5, expiredRecords: 0 } }
  }
}

const values = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: { data: string } }).event.data)

const SPLIT: readonly FakeShard[] = [
  { id: 's-0', open: false, values: ['p1', 'p2', 'p3'] },
  { id: 's-1', parents: ['s-0'], open: true, values: ['a1'] },
  { id: 's-2', parents: ['s-0'], open: true, values: ['b1', 'b2'] },
  { id: 's-3', open: true, values: ['q1'] },
]

describe('eddy tail', () => {
  it("waits without a word where the stream's limits allow no read for now", async () => {
    const answer = streamOf(SPLIT)
    let reads = 0
    server = await fakeServer((request) => {
      if (!request.path.endsWith('/records')) return answer(request)
      reads += 1
      const throttled = { code: 'EDDY_THROTTLED', retryable: true, details: { retryAfterMs: 5 } }
      return reads % 2 === 1 ? { status: 429, problem: throttled } : answer(request)
    })
    const argv = ['tail', 'orders', '--from', 'trim_horizon', '--no-follow']
    const { exitCode, stdout, stderr } = await runCommand(argv, { url: server.url })
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(values(stdout).toSorted()).toEqual(['a1', 'b1', 'b2', 'p1', 'p2', 'p3', 'q1'])
    expect(reads).toBeGreaterThan(9)
  })

  it('prints all shards, parents to their end before children (I3)', async () => {
    server = await fakeServer(streamOf(SPLIT))
    const argv = ['tail', 'orders', '--from', 'trim_horizon', '--no-follow']
    const { exitCode, stdout } = await runCommand(argv, { url: server.url })
    expect(exitCode).toBe(0)
    const seen = values(stdout)
    expect([...seen].sort()).toEqual(['a1', 'b1', 'b2', 'p1', 'p2', 'p3', 'q1'])
    expect(seen.filter((value) => value.startsWith('p'))).toEqual(['p1', 'p2', 'p3'])
    expect(seen.indexOf('p3')).toBeLessThan(Math.min(seen.indexOf('a1'), seen.indexOf('b1')))
  })

  it('prints the shard, the sequence number and the key of each event', async () => {
    server = await fakeServer(streamOf([{ id: 's-0', open: true, values: ['a'] }]))
    const argv = ['tail', 'orders', '--from', 'trim_horizon', '--limit', '1', '--json']
    const { stdout } = await runCommand(argv, { url: server.url })
    expect(JSON.parse(stdout)).toEqual({
      shardId: 's-0',
      sequenceNumber: '1000000000000000',
      partitionKey: 'k',
      arrivedAtMs: 1,
      event: { data: 'a' },
    })
  })

  it('begins at the open shards with latest, and ends after --limit events', async () => {
    let added = false
    server = await fakeServer((request) => {
      const shards = SPLIT.map((shard) =>
        added && shard.id === 's-1' ? { ...shard, values: ['a1', 'a2'] } : shard,
      )
      const answer = streamOf(shards)(request)
      if (request.path.includes('shards')) added = true
      return answer
    })
    const { exitCode, stdout } = await runCommand(['tail', 'orders', '--limit', '1'], { url: server.url })
    expect(exitCode).toBe(0)
    expect(values(stdout)).toEqual(['a2'])
    expect(server.requests.some(({ path }) => path.includes('s-0'))).toBe(false)
  })

  it('never prints more than --limit, however many shards answer at once', async () => {
    server = await fakeServer((request) => {
      // More than was asked for.
      if (request.query.has('limit')) request.query.set('limit', '2')
      return streamOf(SPLIT)(request)
    })
    for (const limit of [1, 3, 4]) {
      const argv = ['tail', 'orders', '--from', 'trim_horizon', '--limit', String(limit)]
      expect(values((await runCommand(argv, { url: server.url })).stdout)).toHaveLength(limit)
    }
  })

  it('goes on after the last event it has seen when the connection is lost', async () => {
    let calls = 0
    const answer = streamOf([{ id: 's-0', open: true, values: ['a', 'b', 'c', 'd'] }])
    server = await fakeServer((request) => {
      if (!request.path.includes('shards')) return answer(request)
      calls += 1
      // Three times: a client's own quick repeats are not enough.
      return calls >= 2 && calls <= 4 ? 'reset' : answer(request)
    })
    const argv = ['tail', 'orders', '--from', 'trim_horizon', '--limit', '4']
    const { exitCode, stdout, stderr } = await runCommand(argv, { url: server.url })
    expect(exitCode).toBe(0)
    expect(values(stdout)).toEqual(['a', 'b', 'c', 'd'])
    expect(stderr).toContain('Trying again')
  })

  it('ends with 130 on Ctrl-C', async () => {
    server = await fakeServer(streamOf([{ id: 's-0', open: true, values: ['a'] }]))
    const interrupt = new AbortController()
    const { exitCode, stdout, stderr } = await runCommand(['tail', 'orders', '--from', 'trim_horizon'], {
      url: server.url,
      interrupt,
      onOutput: () => interruptWith(interrupt),
    })
    expect(exitCode).toBe(130)
    expect(values(stdout)).toEqual(['a'])
    expect(stderr).toBe('')
  })

  it('reads one shard with --shard, from a sequence number', async () => {
    server = await fakeServer(streamOf(SPLIT))
    const argv = ['tail', 'orders', '--shard', 's-0', '--from', '1000000000000001']
    const { exitCode, stdout } = await runCommand(argv, { url: server.url })
    expect(exitCode).toBe(0)
    expect(values(stdout)).toEqual(['p2', 'p3'])
  })

  it('asks for the shard of a sequence number, and refuses what is no position', async () => {
    server = await fakeServer(streamOf(SPLIT))
    const { url } = server
    expect(await runCommand(['tail', 'orders', '--from', '1000000000000001'], { url })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--shard'),
    })
    expect(await runCommand(['tail', 'orders', '--from', 'yesterday'], { url })).toMatchObject({
      exitCode: 2,
    })
    expect(await runCommand(['tail', 'orders', '--shard', 's-9'], { url })).toMatchObject({ exitCode: 1 })
  })
})
