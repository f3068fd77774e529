import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'
import {
  entry,
  HOUR_MS,
  minRetentionMs,
  onlyShard,
  readOn,
  request,
  spec,
  startOf,
  store,
} from '../support/log-samples.ts'

export function streamTests(test: ContractTest): void {
  test('a created stream is described as it was asked for', async ({ engine, options }) => {
    const before = startOf(engine.clock.now(), options)
    const asked = spec('orders', {
      shardCount: 3,
      retentionMs: 5 * minRetentionMs(options),
      durability: 'fsync',
    })
    const created = await engine.log.createStream(asked)
    expect(created).toMatchObject(asked)
    expect(created.streamId).not.toBe('')
    expect(created.createdAtMs).toBeGreaterThanOrEqual(before)
    expect(created.createdAtMs).toBeLessThanOrEqual(engine.clock.now())
    expect(await engine.log.describeStream('orders')).toEqual(created)
    expect(await engine.log.listShards('orders')).toHaveLength(3)
  })

  test('streams are listed by name', async ({ engine }) => {
    expect(await engine.log.listStreams()).toEqual([])
    for (const name of ['b', 'a.2', 'C', 'a']) await engine.log.createStream(spec(name))
    const names = (await engine.log.listStreams()).map((stream) => stream.name)
    expect(names).toEqual(['C', 'a', 'a.2', 'b'])
  })

  test('a taken name is refused', async ({ engine }) => {
    await engine.log.createStream(spec('orders'))
    await expectCode(engine.log.createStream(spec('orders', { shardCount: 2 })), 'EDDY_STREAM_EXISTS')
    expect(await engine.log.listShards('orders')).toHaveLength(1)
  })
}

export function streamBoundTests(test: ContractTest): void {
  test('bounds: names, shard counts and retention are checked', async ({ engine, options }) => {
    const wrong = [
      { name: '' },
      { name: 'x'.repeat(129) },
      { name: 'a/b' },
      { name: 'ä' },
      { shardCount: 0 },
      { shardCount: 1_025 },
      { shardCount: 1.5 },
      { retentionMs: minRetentionMs(options) - HOUR_MS },
      { retentionMs: 365 * 24 * HOUR_MS + 1 },
    ]
    for (const overrides of wrong) {
      await expectCode(engine.log.createStream(spec('orders', overrides)), 'EDDY_INVALID_OPTION')
    }
    await engine.log.createStream(spec('x'.repeat(128), { retentionMs: minRetentionMs(options) }))
    await engine.log.createStream(spec('aZ0_.-', { shardCount: 1_024, retentionMs: 365 * 24 * HOUR_MS }))
    expect(await engine.log.listShards('aZ0_.-')).toHaveLength(1_024)
  })

  test('every method names an unknown stream', async ({ engine }) => {
    const shard = 'shardId-000000000000'
    const calls = [
      () => engine.log.deleteStream('none'),
      () => engine.log.setRetention('none', 48 * HOUR_MS),
      () => engine.log.describeStream('none'),
      () => engine.log.listShards('none'),
      () => engine.log.append('none', [entry('k', 'v')]),
      () => engine.log.read(request('none', shard)),
      () => engine.log.split('none', shard, '5'),
      () => engine.log.merge('none', shard, 'shardId-000000000001'),
    ]
    for (const call of calls) await expectCode(call(), 'EDDY_STREAM_NOT_FOUND')
  })
}

export function streamChangeTests(test: ContractTest): void {
  test('a deleted stream is gone; one created again under its name starts empty under another id', async (subject) => {
    const { engine, options } = subject
    const first = await engine.log.createStream(spec('orders'))
    await store(engine.log, 'orders', [entry('k', 'old')])
    await engine.log.deleteStream('orders')
    await expectCode(engine.log.describeStream('orders'), 'EDDY_STREAM_NOT_FOUND')
    expect(await engine.log.listStreams()).toEqual([])
    // The id rests on the time.
    if (options.log?.timesInSeconds === true) await subject.advance(1_000)
    const second = await engine.log.createStream(spec('orders'))
    expect(second.streamId).not.toBe(first.streamId)
    const { shardId } = await onlyShard(engine.log, 'orders')
    expect((await readOn(engine.log, request('orders', shardId))).records).toEqual([])
  })

  test('retention can be changed within its bounds', async ({ engine, options }) => {
    const leastMs = minRetentionMs(options)
    await engine.log.createStream(spec('orders'))
    expect((await engine.log.setRetention('orders', 2 * leastMs)).retentionMs).toBe(2 * leastMs)
    expect((await engine.log.describeStream('orders')).retentionMs).toBe(2 * leastMs)
    await expectCode(engine.log.setRetention('orders', leastMs - HOUR_MS), 'EDDY_INVALID_OPTION')
  })

  test(
    'streams survive a restart',
    async (subject) => {
      const created = await subject.engine.log.createStream(spec('orders', { shardCount: 2 }))
      const shards = await subject.engine.log.listShards('orders')
      const engine = await subject.reopen()
      expect(await engine.log.describeStream('orders')).toEqual(created)
      expect(await engine.log.listShards('orders')).toEqual(shards)
    },
    { needs: 'reopen' },
  )
}
