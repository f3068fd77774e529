import { InvalidOptionError } from '../errors/request-errors.ts'
import { checkInteger, checkNumber, checkObject, checkOneOf } from './option-checks.ts'
import type { ServiceFaults, ServiceLimits } from './service-limits.ts'

const MIB = 1_024 * 1_024
const HOUR_MS = 3_600_000

/**
 * A provisioned stream of Amazon Kinesis Data Streams, as documented in 2026. "1 MB/s" is taken as 1 MiB/s, as Amazon's
 * own producer library does.
 */
export const KINESIS_LIMITS: ServiceLimits = {
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
  minRetentionMs: 24 * HOUR_MS,
  maxRetentionMs: 8_760 * HOUR_MS,
}

/**
 * A shard of an on-demand stream is like any other; such a stream begins with 4 of them (4 MB/s). That it grows with its
 * traffic is not simulated.
 */
export const ON_DEMAND_SHARDS = 4

export type LimitsPreset = 'kinesis' | 'kinesis-on-demand'

/** A preset, or figures of one's own; those left out are those of `kinesis`. `none`: no limits, also for a stream that has some. */
export type LimitsOption = LimitsPreset | 'none' | Partial<ServiceLimits>

/** The most that each figure may be; the least is 1. */
const HIGHEST: Readonly<Record<keyof ServiceLimits, number>> = {
  writeRecordsPerSecond: 1e9,
  writeBytesPerSecond: 1e12,
  readCallsPerSecond: 1e6,
  readBytesPerSecond: 1e12,
  maxReadBytes: 64 * MIB,
  iteratorCallsPerSecond: 1e6,
  maxEntries: 500,
  maxRequestBytes: 64 * MIB,
  maxRecordBytes: 10 * MIB,
  maxPartitionKeyCharacters: 256,
  iteratorLifetimeMs: 24 * HOUR_MS,
  minRetentionMs: 8_760 * HOUR_MS,
  maxRetentionMs: 8_760 * HOUR_MS,
}

const FIGURES = Object.keys(HIGHEST) as (keyof ServiceLimits)[]

/**
 * Plain numbers of what an author wrote; `none` stays.
 * @param path - the option, as the author would write it
 * @throws InvalidOptionError
 */
export function resolveLimits(path: string, value: LimitsOption): ServiceLimits | 'none' {
  if (typeof value !== 'object' || value === null) {
    const preset = checkOneOf(path, value, ['kinesis', 'kinesis-on-demand', 'none'])
    return preset === 'none' ? 'none' : KINESIS_LIMITS
  }
  const given = checkObject(path, value, FIGURES)
  const limits: Record<string, number> = {}
  for (const name of FIGURES) {
    const figure = given[name] === undefined ? KINESIS_LIMITS[name] : given[name]
    limits[name] = checkInteger(`${path}.${name}`, figure, 1, HIGHEST[name])
  }
  const resolved = limits as unknown as ServiceLimits
  if (resolved.minRetentionMs > resolved.maxRetentionMs) {
    const expected = `at most maxRetentionMs (${resolved.maxRetentionMs})`
    throw new InvalidOptionError(`${path}.minRetentionMs`, expected, resolved.minRetentionMs)
  }
  return resolved
}

/** @throws InvalidOptionError when the limits of a stream do not allow its retention */
export function checkRetentionLimits(path: string, retentionMs: number, limits: ServiceLimits): void {
  const { minRetentionMs, maxRetentionMs } = limits
  if (retentionMs >= minRetentionMs && retentionMs <= maxRetentionMs) return
  throw new InvalidOptionError(
    path,
    `${minRetentionMs} to ${maxRetentionMs} milliseconds, as the stream's limits say`,
    retentionMs,
  )
}

const MAX_LATENCY_MS = 60_000
const MAX_FAULTY_SHARDS = 1_024

/**
 * @param limits - those of the same stream: a shard cannot throttle harder where nothing throttles
 * @throws InvalidOptionError
 */
export function resolveFaults(
  path: string,
  value: ServiceFaults,
  limits: ServiceLimits | 'none' | undefined,
): ServiceFaults {
  const given = checkObject(path, value, ['internalFailureRate', 'latencyMs', 'throttleHarder'])
  const { internalFailureRate, latencyMs, throttleHarder } = given
  if (throttleHarder !== undefined && (limits === undefined || limits === 'none')) {
    const expected = "limits beside it, such as limits: 'kinesis'"
    throw new InvalidOptionError(`${path}.throttleHarder`, expected, limits)
  }
  return {
    ...(internalFailureRate !== undefined && {
      internalFailureRate: checkNumber(`${path}.internalFailureRate`, internalFailureRate, 0, 1),
    }),
    ...(latencyMs !== undefined && {
      latencyMs: checkInteger(`${path}.latencyMs`, latencyMs, 0, MAX_LATENCY_MS),
    }),
    ...(throttleHarder !== undefined && {
      throttleHarder: checkShares(`${path}.throttleHarder`, throttleHarder),
    }),
  }
}

function checkShares(path: string, value: unknown): Readonly<Record<string, number>> {
  const shards = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const given = checkObject(
    path,
    value,
    shards,
    'shares by shard id, such as { "shardId-000000000000": 0.5 }',
  )
  if (shards.length > MAX_FAULTY_SHARDS) {
    throw new InvalidOptionError(path, `at most ${MAX_FAULTY_SHARDS} shards`, shards.length)
  }
  for (const shardId of shards) {
    if (!/^shardId-\d{12}$/.test(shardId)) {
      throw new InvalidOptionError(path, 'shard ids such as shardId-000000000000', shardId)
    }
  }
  return Object.fromEntries(
    shards.map((shardId) => [shardId, checkNumber(`${path}["${shardId}"]`, given[shardId], 0, 1)]),
  )
}
