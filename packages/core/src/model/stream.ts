import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { StreamDefinition } from './app.ts'
import { branded } from './definition.ts'
import { checkInteger, checkName, checkObject, checkOneOf } from './option-checks.ts'
import { checkSchema } from './schema.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface StreamOptions<Data = unknown> {
  /** Shards at creation, 1 to 1,024; split and merge change them later. */
  readonly shards: number
  /** Records older than this may be removed: 1 hour to 365 days; default 7 days. */
  readonly retentionMs?: number
  /** Default `fsync`: acknowledged records survive power loss (I1). `os`: they survive the process, not the machine. */
  readonly durability?: 'fsync' | 'os'
  /** A Standard Schema (zod, valibot, arktype, …) that every event's `data` must match. */
  readonly schema?: StandardSchemaV1<unknown, Data>
}

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
  checkObject(path, options, ['shards', 'retentionMs', 'durability', 'schema'])
  const { shards, retentionMs = 7 * DAY_MS, durability = 'fsync', schema } = options
  return branded({
    kind: 'stream',
    name,
    shards: checkInteger(`${path}.shards`, shards, 1, 1_024),
    retentionMs: checkInteger(`${path}.retentionMs`, retentionMs, HOUR_MS, 365 * DAY_MS),
    durability: checkOneOf(`${path}.durability`, durability, ['fsync', 'os']),
    schema: schema === undefined ? undefined : checkSchema(`${path}.schema`, schema),
  })
}
