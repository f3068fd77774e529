import type { Engine, StartPosition } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode, expectWoken, LONG_WAIT_MS } from '../support/contract-test.ts'
import {
  entry,
  onlyShard,
  readFirst,
  readOn,
  request,
  type Stored,
  spec,
  store,
  textOf,
} from '../support/log-samples.ts'

export function readTests(test: ContractTest): void {
  test('positions: TRIM_HORIZON, AT_ and AFTER_SEQUENCE_NUMBER', async ({ engine }) => {
    const { shardId, stored } = await fill(engine, 5)
    const third = stored[2]?.sequenceNumber ?? ''
    expect(await texts(engine, shardId, { at: 'trim_horizon' })).toEqual(['0', '1', '2', '3', '4'])
    expect(await texts(engine, shardId, { at: 'at_sequence_number', sequenceNumber: third })).toEqual([
      '2',
      '3',
      '4',
    ])
    expect(await texts(engine, shardId, { at: 'after_sequence_number', sequenceNumber: third })).toEqual([
      '3',
      '4',
    ])
  })

  test('position AT_TIMESTAMP: from the first record that arrived then or later', async (subject) => {
    const { engine } = subject
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    for (const text of ['0', '1', '2']) {
      await store(engine.log, 'orders', [entry('k', text)])
      await subject.advance(5)
    }
    const { records } = await readOn(engine.log, request('orders', shardId))
    const arrived = records.map((record) => record.arrivedAtMs)
    const from = (timestampMs: number): Promise<string[]> =>
      texts(engine, shardId, { at: 'at_timestamp', timestampMs })
    expect(await from((arrived[0] ?? 0) - 1_000)).toEqual(['0', '1', '2'])
    expect(await from(arrived[1] ?? 0)).toEqual(['1', '2'])
    expect(await from((arrived[1] ?? 0) + 1)).toEqual(['2'])
    expect(await from(engine.clock.now() + 60_000)).toEqual([])
  })

  test('position LATEST: what is stored before is left out, what comes after is not missed', async ({
    engine,
  }) => {
    const { shardId } = await fill(engine, 3)
    const head = await engine.log.read(request('orders', shardId, { from: { at: 'latest' } }))
    expect(head.records).toEqual([])
    expect(head.millisBehindLatest).toBe(0)
    if (head.next === undefined) throw new Error('expected a position to go on from')
    expect(head.next.at).not.toBe('latest')
    await store(engine.log, 'orders', [entry('k', 'new')])
    expect(await texts(engine, shardId, head.next)).toEqual(['new'])
  })
}

export function readOnTests(test: ContractTest): void {
  test('`next` leads through the shard without gap or repeat, and on to later records', async ({
    engine,
  }) => {
    const { shardId } = await fill(engine, 25)
    const { records, last } = await readOn(engine.log, request('orders', shardId, { maxRecords: 4 }))
    expect(records.map(textOf)).toEqual(Array.from({ length: 25 }, (_, i) => String(i)))
    if (last.next === undefined) throw new Error('an open shard has no end')
    await store(engine.log, 'orders', [entry('k', 'more')])
    expect(await texts(engine, shardId, last.next)).toEqual(['more'])
  })

  test('`next` of an empty shard stays before its first record', async ({ engine }) => {
    for (const at of ['trim_horizon', 'latest'] as const) {
      const stream = `empty-${at}`
      await engine.log.createStream(spec(stream))
      const { shardId } = await onlyShard(engine.log, stream)
      const empty = await engine.log.read(request(stream, shardId, { from: { at } }))
      expect(empty).toMatchObject({ records: [], millisBehindLatest: 0, expiredRecords: 0 })
      await store(engine.log, stream, [entry('k', 'first')])
      const from = empty.next ?? { at: 'trim_horizon' }
      const { records } = await readOn(engine.log, request(stream, shardId, { from }))
      expect(records.map(textOf)).toEqual(['first'])
    }
  })

  test('a read keeps to maxRecords and maxBytes, but returns at least one record', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    const { shardId } = await onlyShard(engine.log, 'orders')
    for (let i = 0; i < 5; i++) {
      await store(engine.log, 'orders', [{ partitionKey: 'k', data: new Uint8Array(1_000) }])
    }
    const three = await readFirst(engine.log, request('orders', shardId, { maxRecords: 3 }))
    expect(three.records.length).toBeLessThanOrEqual(3)
    expect(three.records.length).toBeGreaterThan(0)
    const two = await readFirst(engine.log, request('orders', shardId, { maxBytes: 2_500 }))
    expect(two.records.length).toBeLessThanOrEqual(2)
    expect(two.records.length).toBeGreaterThan(0)
    const one = await readFirst(engine.log, request('orders', shardId, { maxBytes: 1 }))
    expect(one.records).toHaveLength(1)
    const all = await readOn(engine.log, request('orders', shardId, { maxBytes: 1 }))
    expect(all.records).toHaveLength(5)
  })

  test('bounds: maxRecords is 1 to 10,000', async ({ engine }) => {
    const { shardId } = await fill(engine, 1)
    for (const maxRecords of [0, 10_001]) {
      await expectCode(engine.log.read(request('orders', shardId, { maxRecords })), 'EDDY_INVALID_OPTION')
    }
  })

  test('an unknown shard is named', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    await expectCode(engine.log.read(request('orders', 'shardId-000000000009')), 'EDDY_SHARD_NOT_FOUND')
  })

  test('millisBehindLatest: 0 at the head, else the age of the last record returned', async (subject) => {
    const { engine } = subject
    const { shardId } = await fill(engine, 3)
    await subject.advance(30)
    const before = engine.clock.now()
    const behind = await readFirst(engine.log, request('orders', shardId, { maxRecords: 1 }))
    const arrivedAtMs = behind.records[0]?.arrivedAtMs ?? Number.NaN
    expect(behind.millisBehindLatest).toBeGreaterThanOrEqual(before - arrivedAtMs)
    expect(behind.millisBehindLatest).toBeLessThanOrEqual(engine.clock.now() - arrivedAtMs)
    const { last } = await readOn(engine.log, request('orders', shardId))
    expect(last.millisBehindLatest).toBe(0)
    expect(last.expiredRecords).toBe(0)
  })
}

export function waitTests(test: ContractTest): void {
  test('a waiting read is woken by an append', async ({ engine }) => {
    const { shardId } = await fill(engine, 2)
    const from: StartPosition = { at: 'latest' }
    const head = await engine.log.read(request('orders', shardId, { from }))
    if (head.next === undefined) throw new Error('expected a position to go on from')
    const waiting = request('orders', shardId, { from: head.next, waitMs: LONG_WAIT_MS })
    const { records } = await expectWoken(engine.clock, async () => {
      const reading = readFirst(engine.log, waiting)
      await store(engine.log, 'orders', [entry('k', 'woke')])
      return reading
    })
    expect(records.map(textOf)).toEqual(['woke'])
  })

  test('several waiting reads are woken by one append', async ({ engine }) => {
    const { shardId } = await fill(engine, 1)
    const { last } = await readOn(engine.log, request('orders', shardId))
    if (last.next === undefined) throw new Error('expected a position to go on from')
    const waiting = request('orders', shardId, { from: last.next, waitMs: LONG_WAIT_MS })
    const results = await expectWoken(engine.clock, async () => {
      const readings = [0, 1, 2].map(() => readFirst(engine.log, waiting))
      await store(engine.log, 'orders', [entry('k', 'woke')])
      return Promise.all(readings)
    })
    for (const result of results) expect(result.records.map(textOf)).toEqual(['woke'])
  })

  test('a wait without a record ends by itself, with a position to go on from', async (subject) => {
    const { engine } = subject
    const { shardId } = await fill(engine, 1)
    const { last } = await readOn(engine.log, request('orders', shardId))
    if (last.next === undefined) throw new Error('expected a position to go on from')
    const reading = engine.log.read(request('orders', shardId, { from: last.next, waitMs: 30 }))
    await subject.advance(40)
    const result = await reading
    expect(result.records).toEqual([])
    expect(result.next).toBeDefined()
    expect(result.millisBehindLatest).toBe(0)
  })

  test('a wait ends early, empty, when its signal aborts', async ({ engine }) => {
    const { shardId } = await fill(engine, 1)
    const { last } = await readOn(engine.log, request('orders', shardId))
    if (last.next === undefined) throw new Error('expected a position to go on from')
    const abort = new AbortController()
    const waiting = request('orders', shardId, {
      from: last.next,
      waitMs: LONG_WAIT_MS,
      signal: abort.signal,
    })
    await expectWoken(engine.clock, async () => {
      const reading = engine.log.read(waiting)
      abort.abort()
      expect((await reading).records).toEqual([])
      expect((await engine.log.read(waiting)).records).toEqual([])
    })
  })
}

async function fill(
  engine: Engine,
  count: number,
): Promise<{ readonly shardId: string; readonly stored: readonly Stored[] }> {
  await engine.log.createStream(spec('orders'))
  const { shardId } = await onlyShard(engine.log, 'orders')
  const stored: Stored[] = []
  // One call a record: on a faulty engine, resent entries of one call change places.
  for (let i = 0; i < count; i++) stored.push(...(await store(engine.log, 'orders', [entry('k', String(i))])))
  return { shardId, stored }
}

async function texts(engine: Engine, shardId: string, from: StartPosition): Promise<string[]> {
  const { records } = await readOn(engine.log, request('orders', shardId, { from }))
  return records.map(textOf)
}
