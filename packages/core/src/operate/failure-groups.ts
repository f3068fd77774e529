import type { FailureStatus, LedgerItem } from '../model/ledger-item.ts'
import { checkFilter, controlsOf } from './failure-filter.ts'
import type { FailureFilter, FailureGroup } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { scanFailures } from './scan-failures.ts'

/** Groups counted in one call (I6); further fingerprints are left out, and the last group says so. */
const MAX_GROUPS = 10_000

/** What is still of interest: archived, dropped and resolved failures are grouped when asked for by status. */
const DEFAULT_STATUSES: readonly FailureStatus[] = ['dead', 'held', 'retrying']

/**
 * Failures by subscription and fingerprint of their last error, the largest group first. Events that only wait behind
 * a failing one have no error and no group.
 */
export async function failureGroups(
  deps: Pick<OperationsDeps, 'subscriptions'>,
  filter: FailureFilter,
  maxGroups: number = MAX_GROUPS,
): Promise<readonly FailureGroup[]> {
  checkFilter(filter)
  const controls = controlsOf(deps.subscriptions, filter)
  const statuses = filter.status === undefined ? DEFAULT_STATUSES : [filter.status]
  const groups = new Map<string, FailureGroup>()
  let truncated = false
  for await (const { entry } of scanFailures(deps.subscriptions, controls, filter, {
    descending: true,
    statuses,
  })) {
    const { item } = entry
    if (item.fingerprint === undefined) continue
    const name = `${item.subscription}\n${item.fingerprint}`
    const group = groups.get(name)
    if (group === undefined && groups.size >= maxGroups) truncated = true
    else groups.set(name, group === undefined ? firstOf(item, item.fingerprint) : counted(group, item))
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count || b.lastSeenMs - a.lastSeenMs)
  const last = sorted.at(-1)
  return truncated && last !== undefined ? [...sorted.slice(0, -1), { ...last, truncated: true }] : sorted
}

function firstOf(item: LedgerItem, fingerprint: string): FailureGroup {
  return {
    subscription: item.subscription,
    fingerprint,
    errorType: item.lastError?.type ?? 'unknown',
    count: 1,
    firstSeenMs: item.firstFailedAtMs,
    lastSeenMs: lastFailedAtMs(item),
    sample: sampleOf(item),
  }
}

function counted(group: FailureGroup, item: LedgerItem): FailureGroup {
  const lastSeenMs = lastFailedAtMs(item)
  return {
    ...group,
    count: group.count + 1,
    firstSeenMs: Math.min(group.firstSeenMs, item.firstFailedAtMs),
    lastSeenMs: Math.max(group.lastSeenMs, lastSeenMs),
    sample: lastSeenMs > group.lastSeenMs ? sampleOf(item) : group.sample,
  }
}

function sampleOf(item: LedgerItem): FailureGroup['sample'] {
  return { id: item.id, key: item.key, message: item.lastError?.message ?? '' }
}

function lastFailedAtMs(item: LedgerItem): number {
  return item.history.findLast((attempt) => attempt.error !== undefined)?.startedAtMs ?? item.statusAtMs
}
