import { InvalidOptionError } from '../errors/request-errors.ts'
import type { FailureStatus } from '../model/ledger-item.ts'
import { isForPerson, upTo } from './bulk-failures.ts'
import { checkFilter, controlsOf } from './failure-filter.ts'
import type { FailureFilter, RedrivePlan } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { type FoundFailure, scanFailures } from './scan-failures.ts'

const BY_IDS: readonly FailureStatus[] = ['dead', 'archived', 'held']

type SetDeps = Pick<OperationsDeps, 'subscriptions'>

/** @throws InvalidOptionError, SubscriptionNotFoundError */
export function checkRedrive(deps: SetDeps, filter: FailureFilter): void {
  checkFilter(filter)
  statusesOf(filter)
  controlsOf(deps.subscriptions, filter)
}

/**
 * The failures that a redrive is for, oldest first: dead ones; archived and parked ones only when asked for by status
 * or by id. What came into its status after `boundMs` is not part of it (I8).
 *
 * @throws what `checkRedrive` throws
 */
export async function* redriveSet(
  deps: SetDeps,
  filter: FailureFilter,
  boundMs: number,
  limit: number = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<FoundFailure, void, undefined> {
  checkRedrive(deps, filter)
  const statuses = statusesOf(filter)
  const controls = controlsOf(deps.subscriptions, filter)
  let count = 0
  const options = { descending: false, statuses, merged: true }
  for await (const found of scanFailures(deps.subscriptions, controls, upTo(filter, boundMs), options)) {
    if (!isForPerson(found.entry.item)) continue
    yield found
    count += 1
    if (count === limit) return
  }
}

/** Counts the set, and how many of it would be handled after later events of their key. */
export async function planRedrive(
  deps: SetDeps,
  filter: FailureFilter,
  boundMs: number,
  limit?: number,
): Promise<RedrivePlan> {
  const counts = new Map<string, number>()
  let count = 0
  let outOfOrder = 0
  for await (const { control, entry } of redriveSet(deps, filter, boundMs, limit)) {
    const { name } = control.definition
    count += 1
    counts.set(name, (counts.get(name) ?? 0) + 1)
    if (await control.wouldRunOutOfOrder(entry.item)) outOfOrder += 1
  }
  const subscriptions = [...counts].sort().map(([subscription, found]) => ({ subscription, count: found }))
  return { count, outOfOrder, subscriptions }
}

function statusesOf(filter: FailureFilter): readonly FailureStatus[] {
  if (filter.status === undefined) return filter.ids === undefined ? ['dead'] : BY_IDS
  if (BY_IDS.includes(filter.status)) return [filter.status]
  throw new InvalidOptionError('status', 'dead, archived or held (to redrive)', filter.status)
}
