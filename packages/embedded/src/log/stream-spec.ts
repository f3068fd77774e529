import { InvalidOptionError, type StreamSpec } from '@eddy/core'

const MAX_SHARDS = 1_024
const HOUR_MS = 60 * 60 * 1_000
const MIN_RETENTION_MS = HOUR_MS
const MAX_RETENTION_MS = 365 * 24 * HOUR_MS

/** @throws InvalidOptionError */
export function checkStreamSpec(spec: StreamSpec): void {
  if (typeof spec.name !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(spec.name)) {
    throw new InvalidOptionError('name', '1 to 128 characters of a-zA-Z0-9_.-', spec.name)
  }
  const { shardCount, durability } = spec
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > MAX_SHARDS) {
    throw new InvalidOptionError('shardCount', `a whole number from 1 to ${MAX_SHARDS}`, shardCount)
  }
  if (durability !== 'fsync' && durability !== 'os') {
    throw new InvalidOptionError('durability', "'fsync' or 'os'", durability)
  }
  checkRetention(spec.retentionMs)
}

/** @throws InvalidOptionError */
export function checkRetention(retentionMs: number): void {
  if (!(retentionMs >= MIN_RETENTION_MS && retentionMs <= MAX_RETENTION_MS)) {
    throw new InvalidOptionError('retentionMs', '1 hour to 365 days in milliseconds', retentionMs)
  }
}
