import { InvalidOptionError, SubscriptionNotFoundError } from '../errors/request-errors.ts'
import { FAILURE_STATUSES, type LedgerItem } from '../model/ledger-item.ts'
import { checkInteger, checkOneOf } from '../model/option-checks.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import type { FailureFilter } from './operations.ts'

const MAX_IDS = 1_000
const MAX_EPOCH_MS = 999_999_999_999_999
const TEXT_FIELDS = ['subscription', 'key', 'error', 'fingerprint'] as const

/** @throws InvalidOptionError that names the field */
export function checkFilter(filter: FailureFilter): void {
  for (const field of TEXT_FIELDS) {
    const value: unknown = filter[field]
    if (value !== undefined && typeof value !== 'string') throw new InvalidOptionError(field, 'a text', value)
  }
  if (filter.status !== undefined) checkOneOf('status', filter.status, FAILURE_STATUSES)
  if (filter.sinceMs !== undefined) checkInteger('since', filter.sinceMs, 0, MAX_EPOCH_MS)
  if (filter.untilMs !== undefined) checkInteger('until', filter.untilMs, 0, MAX_EPOCH_MS)
  const ids: unknown = filter.ids
  if (ids === undefined) return
  if (!Array.isArray(ids) || ids.length > MAX_IDS || !ids.every((id) => typeof id === 'string')) {
    throw new InvalidOptionError(
      'ids',
      `at most ${MAX_IDS} failure ids`,
      Array.isArray(ids) ? `${ids.length} ids` : ids,
    )
  }
}

/** True when every field of the filter that concerns the item itself fits it. */
export function matches(filter: FailureFilter, item: LedgerItem): boolean {
  return (
    (filter.subscription === undefined || filter.subscription === item.subscription) &&
    (filter.status === undefined || filter.status === item.status) &&
    (filter.key === undefined || filter.key === item.key) &&
    (filter.error === undefined || filter.error === item.lastError?.type) &&
    (filter.fingerprint === undefined || filter.fingerprint === item.fingerprint) &&
    (filter.sinceMs === undefined || item.statusAtMs >= filter.sinceMs) &&
    (filter.untilMs === undefined || item.statusAtMs <= filter.untilMs)
  )
}

/** The subscriptions that a filter speaks of, by name. @throws SubscriptionNotFoundError */
export function controlsOf(
  subscriptions: ReadonlyMap<string, SubscriptionControl>,
  filter: Pick<FailureFilter, 'subscription'>,
): readonly SubscriptionControl[] {
  if (filter.subscription === undefined) {
    return [...subscriptions.keys()].sort().map((name) => subscriptions.get(name) as SubscriptionControl)
  }
  const control = subscriptions.get(filter.subscription)
  if (control === undefined) throw new SubscriptionNotFoundError(filter.subscription)
  return [control]
}
