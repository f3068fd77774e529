import { type Log, type ReadResult, ThrottledError } from '@eddy/core'
import { expect } from 'vitest'
import type { ContractTest } from '../support/contract-test.ts'
import { limits, sized } from '../support/limit-samples.ts'
import { entry, onlyShard, request, spec, store, textOf } from '../support/log-samples.ts'

const SHARD = 'shardId-000000000000'

export function readLimitTests(test: ContractTest): void {
  test('reads over the rate are refused with the time to wait, and a refused one costs nothing', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { limits: limits({ readCallsPerSecond: 5 }) }))
    for (let i = 0; i < 5; i++) await log.read(request('orders', SHARD))
    const refused = await throttled(log)
    expect(refused.retryAfterMs).toBeGreaterThan(150)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(200)
    for (let i = 0; i < 10; i++) await throttled(log)
    await subject.advance(refused.retryAfterMs)
    await log.read(request('orders', SHARD))
    await throttled(log)
    expect(log.throttled?.()).toEqual([{ stream: 'orders', entries: 0, reads: 12 }])
  })

  test('each shard has its own', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { shardCount: 2, limits: limits({ readCallsPerSecond: 1 }) }))
    await log.read(request('orders', SHARD))
    await log.read(request('orders', 'shardId-000000000001'))
    await throttled(log)
  })

  test('what a read returned is owed: the next waits until the rate allows more', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { limits: limits({ readBytesPerSecond: 1_000 }) }))
    await store(log, 'orders', [sized('a', 1_500), sized('b', 1_500)])
    expect((await log.read(request('orders', SHARD))).records).toHaveLength(2)
    const refused = await throttled(log)
    expect(refused.retryAfterMs).toBeGreaterThan(1_950)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(2_001)
    await subject.advance(1_900)
    await throttled(log)
    await subject.advance(101)
    await log.read(request('orders', SHARD))
  })

  test('after as much as a read may return, reads wait for the whole of it: 10 MiB at 2 MiB/s are 5 seconds', async (subject) => {
    const { log } = subject.engine
    const small = limits({ maxReadBytes: 1_000, readBytesPerSecond: 200, readCallsPerSecond: 100 })
    await log.createStream(spec('orders', { limits: small }))
    await store(
      log,
      'orders',
      Array.from({ length: 12 }, (_, index) => sized(`${index}`, 100)),
    )
    const first = await log.read(request('orders', SHARD, { maxBytes: 1_000_000 }))
    expect(bytesOf(first)).toBeLessThanOrEqual(1_000)
    expect(first.records.length).toBeGreaterThanOrEqual(10)
    expect((await throttled(log)).retryAfterMs).toBeGreaterThan(4_950)
    await subject.advance(4_900)
    await throttled(log)
    await subject.advance(100)
    const rest = await log.read(request('orders', SHARD, { from: first.next ?? { at: 'trim_horizon' } }))
    expect(first.records.length + rest.records.length).toBe(12)
  })

  test('a read that waits for a record counts once', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { limits: limits({ readCallsPerSecond: 2 }) }))
    const waiting = log.read(request('orders', SHARD, { waitMs: 900 }))
    await store(log, 'orders', [entry('k', 'waited for')])
    expect((await waiting).records.map(textOf)).toEqual(['waited for'])
    await log.read(request('orders', SHARD))
    await throttled(log)
  })

  test('listing, describing and writing cost no reads', async ({ engine: { log } }) => {
    await log.createStream(spec('orders', { limits: limits({ readCallsPerSecond: 1 }) }))
    for (let i = 0; i < 20; i++) {
      await onlyShard(log, 'orders')
      await log.describeStream('orders')
      await log.nextSequenceNumber?.('orders', SHARD)
      await log.countRecords?.('orders', SHARD, { at: 'trim_horizon' })
    }
    await store(log, 'orders', [entry('k', 'stored')])
    expect((await log.read(request('orders', SHARD))).records).toHaveLength(1)
  })
}

async function throttled(log: Log): Promise<ThrottledError> {
  const answer = await log.read(request('orders', SHARD)).catch((error: unknown) => error)
  expect(answer).toBeInstanceOf(ThrottledError)
  expect(answer).toMatchObject({ code: 'EDDY_THROTTLED', retryable: true })
  return answer as ThrottledError
}

function bytesOf({ records }: ReadResult): number {
  return records.reduce((bytes, { data }) => bytes + data.length, 0)
}
