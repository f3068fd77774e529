import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { StreamDefinition } from './app.ts'
import { branded } from './definition.ts'
import { checkInteger, checkName, checkObject, checkOneOf } from './option-checks.ts'
import {
  checkRetentionLimits,
  type LimitsOption,
  ON_DEMAND_SHARDS,
  resolveFaults,
  resolveLimits,
} from './resolve-limits.ts'
import { checkSchema } from './schema.ts'
import type { ServiceFaults } from './service-limits.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface CommonOptions<Data> {
  /** Records older than this may be removed: 1 hour to 365 days; default 7 days. */
  readonly retentionMs?: number
  /** Default `fsync`: acknowledged records survive power loss (I1). `os`: they survive the process, not the machine. */
  readonly durability?: 'fsync' | 'os'
  /** A Standard Schema (zod, valibot, arktype, …) that every event's `data` must match. */
  readonly schema?: StandardSchemaV1<unknown, Data>
  /**
   * What a service allows a stream, enforced: writes and reads over it are refused as the service refuses them. Figures
   * that are left out are those of `kinesis`. Default: a new stream has none, a stored one keeps what it has.
   */
  readonly limits?: LimitsOption
  /** For tests: what a healthy service does now and then, more often. Default: none. */
  readonly faults?: ServiceFaults
}

/** Shards at creation, 1 to 1,024; split and merge change them later. An on-demand stream of Kinesis begins with 4. */
export type StreamOptions<Data = unknown> = CommonOptions<Data> &
  ({ readonly shards: number } | { readonly shards?: number; readonly limits: 'kinesis-on-demand' })

/**
 * Names a stream of events.
 *
 * @param name - 1 to 128 characters of `a-zA-Z0-9_.-`
 * @throws InvalidOptionError
 * @example const orders = stream('orders', { shards: 4, retentionMs: 30 * 24 * 3_600_000 })
 */
export function stream<Data = unknown>(name: string, options: StreamOptions<Data>): StreamDefinition<Data> {
  checkName('stream(name)', name)
  const path = `stream("${name}")`
  checkObject(path, options, ['shards', 'retentionMs', 'durability', 'schema', 'limits', 'faults'])
  const { retentionMs = 7 * DAY_MS, durability = 'fsync', schema, faults } = options
  const isOnDemand = options.limits === 'kinesis-on-demand'
  const shards = options.shards ?? (isOnDemand ? ON_DEMAND_SHARDS : undefined)
  const limits = options.limits === undefined ? undefined : resolveLimits(`${path}.limits`, options.limits)
  const definition: StreamDefinition<Data> = {
    kind: 'stream',
    name,
    shards: checkInteger(`${path}.shards`, shards, 1, 1_024),
    retentionMs: checkInteger(`${path}.retentionMs`, retentionMs, HOUR_MS, 365 * DAY_MS),
    durability: checkOneOf(`${path}.durability`, durability, ['fsync', 'os']),
    schema: schema === undefined ? undefined : checkSchema(`${path}.schema`, schema),
    isOnDemand,
    limits,
    faults: faults === undefined ? undefined : resolveFaults(`${path}.faults`, faults, limits),
  }
  if (limits !== undefined && limits !== 'none')
    checkRetentionLimits(`${path}.retentionMs`, definition.retentionMs, limits)
  return branded(definition)
}
