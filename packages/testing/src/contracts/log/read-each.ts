import type { Log, LogRecord, ReadRequest, StartPosition } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'
import { limits, sized } from '../support/limit-samples.ts'
import { onlyShard, request, spec, store } from '../support/log-samples.ts'
import { readThrough } from '../support/read-through.ts'

const SHARD = 'shardId-000000000000'

/** Of logs that have `readEach`; the others pass. */
export function readEachTests(test: ContractTest): void {
  test('hands over what read returns, from every position and to every limit', async ({
    engine: { log },
  }) => {
    await log.createStream(spec('orders'))
    const { shardId } = await onlyShard(log, 'orders')
    const keys = ['k', 'ключ 🔑', '\u0000"\\', 'k'.repeat(256)]
    for (let call = 0; call < 12; call++) {
      const sample = Array.from({ length: 1 + (call % 5) }, (_, i) => ({
        partitionKey: keys[(call + i) % keys.length] as string,
        data: new Uint8Array((call * 37 + i * 301) % 900).fill(call * 16 + i),
        ...((call + i) % 3 === 0 && { explicitHashKey: String(call) }),
      }))
      await store(log, 'orders', sample)
    }
    const { records } = await log.read(request('orders', shardId))
    const froms = records.flatMap(({ sequenceNumber, arrivedAtMs }): StartPosition[] => [
      { at: 'at_sequence_number', sequenceNumber },
      { at: 'after_sequence_number', sequenceNumber },
      { at: 'at_timestamp', timestampMs: arrivedAtMs },
    ])
    for (const from of [{ at: 'trim_horizon' }, { at: 'latest' }, ...froms] satisfies StartPosition[])
      for (const limit of [{}, { maxRecords: 7 }, { maxBytes: 1 }, { maxBytes: 2_000 }])
        await expectSame(log, request('orders', shardId, { from, ...limit }))
  })

  test('at the end of a closed shard there is no next position', async ({ engine: { log } }) => {
    await log.createStream(spec('orders'))
    await store(log, 'orders', [sized('a', 10)])
    await log.split('orders', SHARD, String(2n ** 127n))
    const result = await expectSame(log, request('orders', SHARD))
    expect(result?.next).toBeUndefined()
  })

  test('refuses what read refuses', async ({ engine: { log } }) => {
    if (log.readEach === undefined) return
    await log.createStream(spec('orders'))
    const nothing = (): void => {}
    await expectCode(log.readEach(request('none', SHARD), nothing), 'EDDY_STREAM_NOT_FOUND')
    const unknown = request('orders', 'shardId-000000000009')
    await expectCode(log.readEach(unknown, nothing), 'EDDY_SHARD_NOT_FOUND')
    const tooMany = request('orders', SHARD, { maxRecords: 10_001 })
    await expectCode(log.readEach(tooMany, nothing), 'EDDY_INVALID_OPTION')
  })
}

/** Of logs that enforce limits. */
export function readEachLimitTests(test: ContractTest): void {
  test('readEach spends calls and owes bytes as read does', async (subject) => {
    const { log } = subject.engine
    if (log.readEach === undefined) return
    const small = limits({ readCallsPerSecond: 1, maxReadBytes: 1_000, readBytesPerSecond: 200 })
    const waits: number[][] = []
    for (const [name, read] of [
      ['read', (asked: ReadRequest) => log.read(asked)],
      ['each', (asked: ReadRequest) => readThrough(log, asked)],
    ] as const) {
      await log.createStream(spec(name, { limits: small }))
      const first = Array.from({ length: 12 }, (_, index) => sized(`${index}`, 100))
      await store(log, name, first)
      const asked = request(name, SHARD, { maxBytes: 1_000_000 })
      const bytes = ((await read(asked))?.records ?? []).reduce((sum, { data }) => sum + data.length, 0)
      expect(bytes).toBeGreaterThan(900)
      expect(bytes).toBeLessThanOrEqual(1_000)
      waits.push([await refusedFor(read(asked))])
      await subject.advance(4_900)
      waits.at(-1)?.push(await refusedFor(read(asked)))
    }
    const [plain = [], each = []] = waits
    // Calls take a millisecond or two.
    for (const [index, waitMs] of each.entries())
      expect(Math.abs(waitMs - (plain[index] ?? 0))).toBeLessThan(20)
    expect(plain[0]).toBeGreaterThan(4_900)
    expect(log.throttled?.()).toEqual([
      { stream: 'each', entries: 0, reads: 2 },
      { stream: 'read', entries: 0, reads: 2 },
    ])
  })
}

async function expectSame(log: Log, asked: ReadRequest): ReturnType<typeof readThrough> {
  const each = await readThrough(log, asked)
  if (each === undefined) return undefined
  const { records, ...end } = await log.read(asked)
  const plain = records.map(({ explicitHashKey, ...record }: LogRecord) => ({
    ...record,
    data: textOf(record),
  }))
  // The clock goes on between the two.
  const isBehind = (ms: number): boolean => ms > 0
  expect({
    ...each,
    records: each.records.map((record) => ({ ...record, data: textOf(record) })),
    millisBehindLatest: isBehind(each.millisBehindLatest),
  }).toEqual({ ...end, records: plain, millisBehindLatest: isBehind(end.millisBehindLatest) })
  return each
}

/** Thousands of records are compared, and bytes one by one take long. */
function textOf({ data }: { readonly data: Uint8Array }): string {
  return Buffer.from(data).toString('base64')
}

async function refusedFor(read: Promise<unknown>): Promise<number> {
  const error: unknown = await read.then(
    () => new Error('expected to be throttled'),
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'EDDY_THROTTLED' })
  return (error as { retryAfterMs: number }).retryAfterMs
}
