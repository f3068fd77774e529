import {
  type AppDefinition,
  defineApp,
  type From,
  KINESIS_LIMITS,
  retryAfterMsOf,
  type StreamOptions,
  stream,
  subscribe,
} from '@eddy/core'
import { describe, expect, test } from 'vitest'
import { type Harness, quietFaults, roughFaults } from '../../src/index.ts'
import { event, events, openHarness } from '../support/one-subscription.ts'

const SHARD = 'shardId-000000000000'

describe('reading a stream with limits', () => {
  test('alone, a reader is never throttled: busy, behind, at the head and with twenty subscriptions', async () => {
    const h = await openHarness(app({ shards: 1, limits: 'kinesis' }, 20))
    for (let round = 0; round < 20; round++) {
      await h.append('events', events(100, 10))
      await h.advance('300ms')
    }
    await h.settle()
    await h.restart()
    await h.append('events', event('a', 'last'))
    await h.settle()
    for (let index = 0; index < 20; index++) expect(h.order(`work-${index}`, 'a')).toEqual(['last'])
    expect(await metric(h, 'eddy_log_reads_throttled_total')).toBe(0)
    expect(await metric(h, 'eddy_throttled_reads_total{stream="events"}')).toBe(0)
  })

  test('I3, I4: beside readers that take all they can, every event is handled once, in order, without a warning', async () => {
    const h = await openHarness(
      app({ shards: 2, limits: { readCallsPerSecond: 2, readBytesPerSecond: 4_000 } }, 2),
    )
    const greedy = [readGreedily(h, 0), readGreedily(h, 37)]
    for (let round = 0; round < 20; round++) {
      await h.append(
        'events',
        ['a', 'b', 'c'].map((key) => event(key, `${key}${round}`)),
      )
      await h.advance('700ms')
    }
    await h.advance('3m')
    for (const name of ['work-0', 'work-1']) {
      for (const key of ['a', 'b', 'c']) {
        expect(h.order(name, key)).toEqual(Array.from({ length: 20 }, (_, round) => `${key}${round}`))
      }
    }
    expect(await metric(h, 'eddy_log_reads_throttled_total')).toBeGreaterThan(10)
    expect(h.logs).toEqual([])
    for (const { reads } of greedy) expect(reads()).toBeGreaterThan(30)
  })

  test('a reader behind leaves others of the shard a fifth of its calls and bytes, and more when they ask', async () => {
    const h = await openHarness(app({ shards: 1, limits: 'kinesis' }, 1))
    await h.operations.pauseSubscription('work-0')
    for (let round = 0; round < 10; round++) {
      await h.append(
        'events',
        Array.from({ length: 500 }, (_, index) => event(`k${index}`, `${round}/${index}`)),
      )
      await h.advance('1s')
    }
    const other = readEachSecond(h)
    await h.operations.resumeSubscription('work-0')
    await h.advance('30s')
    expect(other.refused()).toBeLessThanOrEqual(3)
    expect(h.calls('work-0')).toHaveLength(5_000)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'crashes, faults and limits together lose nothing and keep each key in order (I2, I3), seed %i',
    async (seed) => {
      const faults = { internalFailureRate: 0.1, latencyMs: 20, throttleHarder: { [SHARD]: 0.5 } }
      const limits = { writeRecordsPerSecond: 20, readCallsPerSecond: 2 }
      const h = await openHarness(app({ shards: 2, limits, faults }, 1), { faults: roughFaults, seed })
      const sent: string[] = []
      for (let round = 0; round < 10; round++) {
        const batch = ['a', 'b', 'c', 'd'].map((key) => event(key, `${key}${round}`))
        const outcomes = await h.append('events', batch)
        for (const [index, outcome] of outcomes.entries()) if (outcome.ok) sent.push(batch[index]?.id ?? '')
        await h.advance('2s')
        if (round % 3 === 2) await h.crash()
      }
      h.world.faults = quietFaults
      await h.advance('10m')
      for (const key of ['a', 'b', 'c', 'd']) {
        const firsts = [...new Set(h.order('work-0', key))]
        expect(firsts).toEqual(expect.arrayContaining(sent.filter((id) => id.startsWith(key))))
        expect(firsts).toEqual(firsts.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))))
      }
    },
  )

  test('a paused subscription still shows how far it is behind when others take all reads', async () => {
    const h = await openHarness(app({ shards: 1, limits: { readCallsPerSecond: 1 } }, 1))
    await h.operations.pauseSubscription('work-0')
    await h.append('events', event('a', 'a1'))
    await h.advance('1m')
    expect((await h.operations.showSubscription('work-0')).lagMs).toBeGreaterThanOrEqual(59_000)
    readGreedily(h, 0)
    await h.advance('10s')
    const lags: number[] = []
    for (let look = 0; look < 5; look++) {
      await h.advance('1100ms')
      lags.push((await h.operations.showSubscription('work-0')).lagMs)
    }
    expect(Math.min(...lags)).toBeGreaterThanOrEqual(70_000)
    expect(await metric(h, 'eddy_throttled_reads_total{stream="events"}')).toBeGreaterThan(0)
  })

  test('twenty subscriptions that begin at a time wait for their looks at the shard, without a warning', async () => {
    const h = await openHarness(app({ shards: 1, limits: 'kinesis' }, 1))
    await h.append('events', [event('a', 'old')])
    await h.advance('1m')
    const timestampMs = h.clock.now()
    await h.append('events', [event('a', 'new')])
    await h.restart({ app: app({ shards: 1, limits: 'kinesis' }, 20, { timestampMs }) })
    await h.settle()
    for (let index = 1; index < 20; index++) expect(h.order(`work-${index}`, 'a')).toEqual(['new'])
    expect(await metric(h, 'eddy_throttled_reads_total{stream="events"}')).toBeGreaterThan(0)
    expect(h.logs).toEqual([])
  })

  test('limits that are set while the stream is read count at once, and so does lifting them', async () => {
    const h = await openHarness(app({ shards: 1 }, 1))
    await h.append('events', event('a', 'a1'))
    await h.settle()
    await h.operations.changeStream('events', {
      limits: { readCallsPerSecond: 1, writeRecordsPerSecond: 100 },
    })
    for (let round = 0; round < 20; round++) {
      await h.append('events', event('a', `b${round}`))
      await h.advance('100ms')
    }
    await h.settle()
    expect(h.order('work-0', 'a')).toHaveLength(21)
    const throttled = await metric(h, 'eddy_log_reads_throttled_total')
    expect(throttled).toBeGreaterThan(0)
    expect(throttled).toBeLessThan(5)
    await h.operations.changeStream('events', { limits: 'none' })
    await h.advance('15s')
    for (let round = 0; round < 20; round++) {
      await h.append('events', event('a', `c${round}`))
      await h.advance('10ms')
    }
    // At 0.8 reads a second it would have seen a part of them.
    expect(h.order('work-0', 'a')).toHaveLength(41)
  })
})

describe('limits of an application', () => {
  test('are given to a new stream, to a stored one at the start, and stay where the application names none', async () => {
    const h = await openHarness(app({ shards: 1, limits: 'kinesis' }, 1))
    expect((await h.operations.showStream('events')).limits).toEqual(KINESIS_LIMITS)
    await h.restart({ app: app({ shards: 1 }, 1) })
    expect((await h.operations.showStream('events')).limits).toEqual(KINESIS_LIMITS)
    await h.restart({ app: app({ shards: 1, limits: { writeRecordsPerSecond: 7 } }, 1) })
    expect((await h.operations.showStream('events')).limits).toEqual({
      ...KINESIS_LIMITS,
      writeRecordsPerSecond: 7,
    })
    await h.restart({ app: app({ shards: 1, limits: 'none' }, 1) })
    expect((await h.operations.showStream('events')).limits).toBeUndefined()
    expect(h.logs).toEqual([])
  })

  test('may change together with a retention that only one of both allows', async () => {
    const hours = (count: number) => count * 3_600_000
    const h = await openHarness(app({ shards: 1, limits: 'none', retentionMs: hours(1) }, 1))
    for (const [options, allowed] of [
      [{ limits: 'kinesis', retentionMs: hours(24) }, 24],
      [{ limits: { minRetentionMs: hours(2), maxRetentionMs: hours(3) }, retentionMs: hours(2) }, 2],
      [{ limits: 'kinesis', retentionMs: hours(48) }, 48],
      [{ limits: 'none', retentionMs: hours(1) }, 1],
    ] as const) {
      await h.restart({ app: app({ shards: 1, ...options }, 1) })
      expect((await h.operations.showStream('events')).retentionMs).toBe(hours(allowed))
    }
  })

  test('faults that the application no longer names strike no more', async () => {
    const h = await openHarness(app({ shards: 1, faults: { latencyMs: 5 } }, 1))
    expect((await h.operations.showStream('events')).faults).toEqual({ latencyMs: 5 })
    await h.restart({ app: app({ shards: 1 }, 1) })
    expect((await h.operations.showStream('events')).faults).toBeUndefined()
  })

  test('an on-demand stream begins with four shards', async () => {
    const h = await openHarness(app({ limits: 'kinesis-on-demand' }, 1))
    expect((await h.operations.showStream('events')).shards).toHaveLength(4)
    const created = await h.operations.createStream({ name: 'clicks', limits: 'kinesis-on-demand' })
    expect([created.shards.length, created.limits]).toEqual([4, KINESIS_LIMITS])
  })

  test('appends that stay refused are answered one by one, and counted', async () => {
    const h = await openHarness(app({ shards: 1, limits: { maxRecordBytes: 300 } }, 1))
    const outcomes = await h.append('events', [event('a', 'small'), event('b', 'large', 'x'.repeat(300))])
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, code: 'too-large', retryable: false }])
    await h.operations.changeStream('events', { faults: { throttleHarder: { [SHARD]: 0 } } })
    expect((await h.append('events', event('a', 'refused')))[0]).toMatchObject({
      ok: false,
      code: 'throttled',
      retryable: true,
    })
    expect(await metric(h, 'eddy_throttled_records_total{stream="events"}')).toBeGreaterThan(1)
  })
})

function app(options: Partial<StreamOptions>, subscriptions: number, from?: From): AppDefinition {
  const events = stream('events', options as StreamOptions)
  return defineApp({
    subscriptions: Array.from({ length: subscriptions }, (_, index) =>
      subscribe(`work-${index}`, events, { handle: () => {}, ...(from !== undefined && { from }) }),
    ),
  })
}

/** The value of a metric; 0 when it is not there. */
async function metric(h: Harness, name: string): Promise<number> {
  const line = (await h.operations.metrics()).split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}

/** Another process that reads as often as it is let, for as long as the clock is driven. */
function readGreedily(h: Harness, offsetMs: number): { reads(): number } {
  const engine = h.world.boot()
  let reads = 0
  const read = async (): Promise<void> => {
    await engine.clock.sleep(offsetMs)
    for (let call = 0; call < 5_000 && engine.isRunning; call++) {
      const request = { stream: 'events', shardId: SHARD, maxRecords: 10, maxBytes: 1_000, waitMs: 0 }
      const waitMs = await engine.log.read({ ...request, from: { at: 'trim_horizon' } }).then(
        () => {
          reads += 1
          return 1
        },
        (error: unknown) => retryAfterMsOf(error) ?? 1,
      )
      await engine.clock.sleep(waitMs)
    }
  }
  void read()
  return { reads: () => reads }
}

function readEachSecond(h: Harness): { refused(): number } {
  const engine = h.world.boot()
  let refused = 0
  const read = async (): Promise<void> => {
    for (let call = 0; call < 25; call++) {
      await engine.clock.sleep(1_000)
      const request = { stream: 'events', shardId: SHARD, maxRecords: 1, maxBytes: 1, waitMs: 0 }
      await engine.log.read({ ...request, from: { at: 'latest' } }).catch(() => {
        refused += 1
      })
    }
  }
  void read()
  return { refused: () => refused }
}
