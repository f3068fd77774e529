import { expect } from 'vitest'
import type { ContractTest, Subject } from '../support/contract-test.ts'
import { fates, HIGH, LOW, limits } from '../support/limit-samples.ts'
import { entry, onlyShard, readOn, request, spec } from '../support/log-samples.ts'

export function faultTests(test: ContractTest): void {
  test('entries fail inside at the rate asked for, also without limits, and are not stored', async ({
    engine: { log },
  }) => {
    await log.createStream(spec('orders', { faults: { internalFailureRate: 0.3 } }))
    let stored = 0
    for (let call = 0; call < 4; call++) {
      const results = await log.append(
        'orders',
        Array.from({ length: 500 }, (_, index) => entry(`${call}/${index}`, '')),
      )
      expect(new Set(fates(results))).toEqual(new Set(['ok', 'internal']))
      stored += results.filter(({ ok }) => ok).length
    }
    // Of 2,000 entries at 0.7: 20 standard deviations would be 410.
    expect(stored).toBeGreaterThan(1_200)
    expect(stored).toBeLessThan(1_600)
    const { shardId } = await onlyShard(log, 'orders')
    expect((await readOn(log, request('orders', shardId))).records).toHaveLength(stored)
  })

  test('I3: after an entry that failed inside, none of its key is stored in that call', async ({
    engine: { log },
  }) => {
    await log.createStream(spec('orders', { faults: { internalFailureRate: 0.2 } }))
    for (let call = 0; call < 10; call++) {
      const entries = Array.from({ length: 50 }, (_, index) => entry(`${index % 5}`, ''))
      const results = await log.append('orders', entries)
      for (let key = 0; key < 5; key++) {
        const ofKey = fates(results).filter((_, index) => index % 5 === key)
        expect(ofKey.join(' ')).toMatch(/^(ok ?)*(internal ?)*$/)
      }
    }
  })

  test('latency delays the answers of appends and reads', async (subject) => {
    const { log } = subject.engine
    await log.createStream(spec('orders', { faults: { latencyMs: 100 } }))
    const { shardId } = await onlyShard(log, 'orders')
    expect(await elapsed(subject, () => log.append('orders', [entry('k', '')]))).toBeGreaterThanOrEqual(100)
    expect(await elapsed(subject, () => log.read(request('orders', shardId)))).toBeGreaterThanOrEqual(100)
  })

  test('a shard throttles harder than it should; with 0 it takes nothing', async (subject) => {
    const { log } = subject.engine
    const faults = { throttleHarder: { 'shardId-000000000000': 0.25, 'shardId-000000000001': 0 } }
    await log.createStream(
      spec('orders', { shardCount: 2, limits: limits({ writeRecordsPerSecond: 8 }), faults }),
    )
    const low = Array.from({ length: 4 }, (_, index) => entry(`${index}`, '', LOW))
    expect(fates(await log.append('orders', low))).toEqual(['ok', 'ok', 'throttled', 'throttled'])
    await subject.advance(500)
    expect(fates(await log.append('orders', low))).toEqual(['ok', 'throttled', 'throttled', 'throttled'])
    expect(fates(await log.append('orders', [entry('k', '', HIGH)]))).toEqual(['throttled'])
    await log.setLimits?.('orders', { faults: {} })
    expect(fates(await log.append('orders', [entry('k', '', HIGH)]))).toEqual(['ok'])
  })
}

async function elapsed(subject: Subject, call: () => Promise<unknown>): Promise<number> {
  const { clock } = subject.engine
  const fromMs = clock.monotonicMs()
  let endedAtMs: number | undefined
  const answered = call().finally(() => {
    endedAtMs = clock.monotonicMs()
  })
  const ended = await subject.eventually('an answer', async () => endedAtMs)
  await answered
  return ended - fromMs
}
