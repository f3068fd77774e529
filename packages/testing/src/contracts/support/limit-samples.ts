import { type AppendEntry, type AppendResult, KINESIS_LIMITS, type ServiceLimits } from '@eddy/core'
import { HASH_KEY_SPACE } from './log-samples.ts'

/** Kinesis, but for what a test is about. Rates are low, so that the milliseconds of a call matter to nobody. */
export function limits(more: Partial<ServiceLimits>): ServiceLimits {
  return { ...KINESIS_LIMITS, ...more }
}

/** `ok`, or the code of each result. */
export function fates(results: readonly AppendResult[]): string[] {
  return results.map((result) => (result.ok ? 'ok' : result.code))
}

/** An entry of so many bytes, its key included. */
export function sized(partitionKey: string, bytes: number, more: Partial<AppendEntry> = {}): AppendEntry {
  return { partitionKey, data: new Uint8Array(bytes - Buffer.byteLength(partitionKey)), ...more }
}

/** Places an entry in the first or the second of two shards. */
export const LOW = { explicitHashKey: '0' }
export const HIGH: { explicitHashKey: string } = { explicitHashKey: (HASH_KEY_SPACE - 1n).toString() }
