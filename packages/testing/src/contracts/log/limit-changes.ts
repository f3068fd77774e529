import { KINESIS_LIMITS } from '@eddy/core'
import { expect } from 'vitest'
import { type ContractTest, expectCode } from '../support/contract-test.ts'
import { fates, limits } from '../support/limit-samples.ts'
import { entry, HOUR_MS, spec } from '../support/log-samples.ts'

const FOUR = ['a', 'b', 'c', 'd'].map((key) => entry(key, key))

export function limitChangeTests(test: ContractTest): void {
  test(
    'limits and faults are kept with the stream',
    async (subject) => {
      const faults = { throttleHarder: { 'shardId-000000000000': 0.5 } }
      const more = { limits: limits({ writeRecordsPerSecond: 4 }), faults }
      const created = await subject.engine.log.createStream(spec('orders', more))
      expect(created).toMatchObject(more)
      const { log } = await subject.reopen()
      expect(await log.describeStream('orders')).toEqual(created)
      expect(await log.listStreams()).toEqual([created])
      expect(fates(await log.append('orders', FOUR))).toEqual(['ok', 'ok', 'throttled', 'throttled'])
    },
    { needs: 'reopen' },
  )

  test(
    'a change counts at once, and after a restart; what it leaves out stays',
    async (subject) => {
      const { engine } = subject
      await engine.log.createStream(spec('orders', { limits: limits({ writeRecordsPerSecond: 2 }) }))
      expect(fates(await engine.log.append('orders', FOUR.slice(0, 3)))).toEqual(['ok', 'ok', 'throttled'])
      const changed = await engine.log.setLimits?.('orders', {
        limits: limits({ writeRecordsPerSecond: 1_000 }),
      })
      expect(changed).toEqual(await engine.log.describeStream('orders'))
      await subject.advance(10)
      expect(fates(await engine.log.append('orders', FOUR))).toEqual(['ok', 'ok', 'ok', 'ok'])
      await engine.log.setLimits?.('orders', { faults: { internalFailureRate: 1 } })
      expect(new Set(fates(await engine.log.append('orders', FOUR)))).toEqual(new Set(['internal']))
      const { log } = await subject.reopen()
      const kept = await log.describeStream('orders')
      expect(kept.limits?.writeRecordsPerSecond).toBe(1_000)
      expect(kept.faults).toEqual({ internalFailureRate: 1 })
    },
    { needs: 'reopen' },
  )

  test('none lifts the limits, and no faults the faults', async ({ engine: { log } }) => {
    const more = { limits: limits({ writeRecordsPerSecond: 1 }), faults: { internalFailureRate: 1 } }
    await log.createStream(spec('orders', more))
    expect(fates(await log.append('orders', FOUR.slice(0, 1)))).toEqual(['internal'])
    await log.setLimits?.('orders', { limits: 'none', faults: {} })
    const info = await log.describeStream('orders')
    expect([info.limits, info.faults]).toEqual([undefined, undefined])
    expect(fates(await log.append('orders', FOUR))).toEqual(['ok', 'ok', 'ok', 'ok'])
  })

  test('the retention of a stream stays within its limits', async ({ engine: { log } }) => {
    const kinesis = { limits: KINESIS_LIMITS }
    await expectCode(
      log.createStream(spec('orders', { ...kinesis, retentionMs: 23 * HOUR_MS })),
      'EDDY_INVALID_OPTION',
    )
    await log.createStream(spec('orders', { ...kinesis, retentionMs: 24 * HOUR_MS }))
    await expectCode(log.setRetention('orders', 23 * HOUR_MS), 'EDDY_INVALID_OPTION')
    expect((await log.setRetention('orders', 8_760 * HOUR_MS)).retentionMs).toBe(8_760 * HOUR_MS)
    await log.createStream(spec('short', { retentionMs: HOUR_MS }))
    await expectCode(
      log.setLimits?.('short', { limits: KINESIS_LIMITS }) as Promise<unknown>,
      'EDDY_INVALID_OPTION',
    )
    expect((await log.describeStream('short')).limits).toBeUndefined()
  })

  test('limits that are none are refused', async ({ engine: { log } }) => {
    await expectCode(
      log.createStream(spec('orders', { limits: limits({ writeRecordsPerSecond: 0 }) })),
      'EDDY_INVALID_OPTION',
    )
    await log.createStream(spec('orders'))
    await expectCode(
      log.setLimits?.('orders', { faults: { latencyMs: -1 } }) as Promise<unknown>,
      'EDDY_INVALID_OPTION',
    )
    await expectCode(
      log.setLimits?.('others', { limits: KINESIS_LIMITS }) as Promise<unknown>,
      'EDDY_STREAM_NOT_FOUND',
    )
  })
}
