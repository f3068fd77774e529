import type { FailureFilter, FailureStatus } from '@eddy/core'
import { type Command, Option } from 'commander'
import { parseTimeMs } from '../format/time.ts'
import { parseCount } from '../parse-count.ts'

export interface FilterOptions {
  readonly subscription?: string
  readonly status?: FailureStatus
  readonly key?: string
  readonly error?: string
  readonly fingerprint?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: number
}

export const STATUSES: readonly FailureStatus[] = [
  'retrying',
  'held',
  'dead',
  'archived',
  'resolved',
  'dropped',
]

export function filterOptions(
  command: Command,
  {
    maxLimit = Number.MAX_SAFE_INTEGER,
    status = new Option('--status <status>', 'in this status').choices(STATUSES),
  }: { readonly maxLimit?: number; readonly status?: Option } = {},
): Command {
  return command
    .option('--subscription <name>', 'of this subscription')
    .addOption(status)
    .option('--key <key>', 'of this partition key')
    .option('--error <type>', 'whose last error has this type')
    .option('--fingerprint <text>', 'of this group (see: eddy failures groups)')
    .option('--since <time>', 'in their status since: 15m, 2h, 3d, an ISO time, epoch milliseconds')
    .option('--until <time>', 'in their status until')
    .option('--limit <n>', 'at most this many', parseCount('--limit', 1, maxLimit))
}

/** @throws UsageError a time that is none */
export function filterOf(options: FilterOptions, nowMs: number): FailureFilter {
  const { subscription, status, key, error, fingerprint, since, until } = options
  return {
    ...(subscription === undefined ? {} : { subscription }),
    ...(status === undefined ? {} : { status }),
    ...(key === undefined ? {} : { key }),
    ...(error === undefined ? {} : { error }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(since === undefined ? {} : { sinceMs: parseTimeMs(since, '--since', nowMs) }),
    ...(until === undefined ? {} : { untilMs: parseTimeMs(until, '--until', nowMs) }),
  }
}

/** For what changes failures: exactly the ids named, else by filter; without a status, the dead ones. */
export function targetFilterOf(ids: readonly string[], options: FilterOptions, nowMs: number): FailureFilter {
  const filter = filterOf(options, nowMs)
  if (ids.length > 0) return { ...filter, ids }
  return { status: 'dead', ...filter }
}

/** The filter in words, for a question. */
export function filterText({ ids, sinceMs, untilMs, ...rest }: FailureFilter): string {
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  if (ids !== undefined) parts.unshift(ids.length === 1 ? `id ${ids[0]}` : `${ids.length} ids`)
  if (sinceMs !== undefined) parts.push(`since ${new Date(sinceMs).toISOString()}`)
  if (untilMs !== undefined) parts.push(`until ${new Date(untilMs).toISOString()}`)
  return parts.join(', ')
}
