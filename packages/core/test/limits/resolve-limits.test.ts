import { describe, expect, it } from 'vitest'
import { KINESIS_LIMITS, resolveFaults, resolveLimits } from '../../src/model/resolve-limits.ts'

const MIB = 1_048_576

describe('resolveLimits', () => {
  it('gives the figures of a provisioned Kinesis shard', () => {
    expect(resolveLimits('limits', 'kinesis')).toEqual({
      writeRecordsPerSecond: 1_000,
      writeBytesPerSecond: MIB,
      readCallsPerSecond: 5,
      readBytesPerSecond: 2 * MIB,
      maxReadBytes: 10 * MIB,
      iteratorCallsPerSecond: 5,
      maxEntries: 500,
      maxRequestBytes: 10 * MIB,
      maxRecordBytes: MIB,
      maxPartitionKeyCharacters: 256,
      iteratorLifetimeMs: 300_000,
      minRetentionMs: 86_400_000,
      maxRetentionMs: 8_760 * 3_600_000,
    })
    expect(resolveLimits('limits', 'kinesis-on-demand')).toEqual(KINESIS_LIMITS)
  })

  it('takes what is left out from kinesis, and leaves none as it is', () => {
    expect(resolveLimits('limits', { writeRecordsPerSecond: 10 })).toEqual({
      ...KINESIS_LIMITS,
      writeRecordsPerSecond: 10,
    })
    expect(resolveLimits('limits', 'none')).toBe('none')
  })

  it.each([
    [{ writeRecordsPerSecond: 0 }, 'limits.writeRecordsPerSecond: expected an integer from 1'],
    [{ readCallsPerSecond: 2.5 }, 'limits.readCallsPerSecond: expected an integer'],
    [{ maxEntries: 501 }, 'limits.maxEntries: expected an integer from 1 to 500'],
    [{ maxRecordBytes: 10 * MIB + 1 }, 'limits.maxRecordBytes: expected an integer from 1 to 10485760'],
    [{ writeRecordPerSecond: 5 }, 'did you mean "writeRecordsPerSecond"?'],
    [{ minRetentionMs: 7_200_000, maxRetentionMs: 3_600_000 }, 'limits.minRetentionMs: expected at most'],
    ['kinesys', "did you mean 'kinesis'?"],
    [null, "limits: expected one of 'kinesis'"],
  ])('refuses %j', (value, message) => {
    expect(() => resolveLimits('limits', value as never)).toThrow(message)
  })
})

describe('resolveFaults', () => {
  it('keeps what was given', () => {
    const faults = {
      internalFailureRate: 0.1,
      latencyMs: 20,
      throttleHarder: { 'shardId-000000000001': 0.5 },
    }
    expect(resolveFaults('faults', faults, KINESIS_LIMITS)).toEqual(faults)
    expect(resolveFaults('faults', {}, undefined)).toEqual({})
  })

  it.each([
    [{ internalFailureRate: 1.1 }, 'faults.internalFailureRate: expected a number from 0 to 1'],
    [{ latencyMs: -1 }, 'faults.latencyMs: expected an integer from 0 to 60000'],
    [{ throttleHarder: { one: 0.5 } }, 'faults.throttleHarder: expected shard ids'],
    [{ throttleHarder: { 'shardId-000000000001': 2 } }, 'faults.throttleHarder["shardId-000000000001"]'],
    [{ throttleHarder: 0.5 }, 'faults.throttleHarder: expected shares by shard id'],
    [{ latency: 5 }, 'did you mean "latencyMs"?'],
  ])('refuses %j', (value, message) => {
    expect(() => resolveFaults('faults', value as never, KINESIS_LIMITS)).toThrow(message)
  })

  it('refuses a shard that throttles harder where nothing throttles', () => {
    const faults = { throttleHarder: { 'shardId-000000000000': 0.5 } }
    expect(() => resolveFaults('faults', faults, undefined)).toThrow('expected limits beside it')
    expect(() => resolveFaults('faults', faults, 'none')).toThrow('expected limits beside it')
  })
})
