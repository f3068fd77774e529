import { InvalidOptionError } from '../errors/request-errors.ts'
import { FAILURE_STATUSES, type FailureStatus, type LedgerItem } from '../model/ledger-item.ts'
import { checkInteger } from '../model/option-checks.ts'
import { checkFilter, controlsOf, matches } from './failure-filter.ts'
import type { FailureFilter, FailurePage } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { boundsOf, findByIds, type ScanOptions, scanStatus } from './scan-failures.ts'

/** Without a status: what needs a person first, then what waits, then what is over. */
export const STATUS_ORDER: readonly FailureStatus[] = [
  'dead',
  'held',
  'retrying',
  'archived',
  'dropped',
  'resolved',
]

/** Items that one call looks at (I6): with a rare filter a page comes back short, with a cursor to go on from. */
const MAX_SCANNED_ITEMS = 5_000

/**
 * One page of failures, newest first within a status, over all subscriptions that the filter names.
 *
 * @param page.limit - 1 to 1,000; default 100
 * @param page.after - `next` of the page before; opaque
 * @throws InvalidOptionError, SubscriptionNotFoundError
 */
export async function listFailures(
  deps: Pick<OperationsDeps, 'subscriptions'>,
  filter: FailureFilter,
  page: { readonly limit?: number; readonly after?: string } = {},
): Promise<FailurePage> {
  checkFilter(filter)
  const controls = controlsOf(deps.subscriptions, filter)
  const limit = checkInteger('limit', page.limit ?? 100, 1, 1_000)
  if (filter.ids !== undefined) {
    const found = await findByIds(deps.subscriptions, filter, true)
    return { items: found.slice(0, limit).map(({ entry }) => entry.item) }
  }
  const cursor = page.after === undefined ? undefined : parseCursor(page.after)
  const statuses = filter.status === undefined ? STATUS_ORDER : [filter.status]
  if (cursor !== undefined && !statuses.includes(cursor.status)) throw badCursor(page.after)
  const items: LedgerItem[] = []
  let scanned = 0
  for (const status of cursor === undefined ? statuses : statuses.slice(statuses.indexOf(cursor.status))) {
    const resume = cursor?.status === status ? cursor.place : undefined
    for await (const found of scanStatus(controls, status, resumedBounds(filter, resume))) {
      if (found.place === resume) continue
      scanned += 1
      if (matches(filter, found.entry.item)) items.push(found.entry.item)
      if (items.length === limit || scanned === MAX_SCANNED_ITEMS) {
        return { items, next: `${status}~${found.place}` }
      }
    }
  }
  return { items }
}

function resumedBounds(filter: FailureFilter, resume: string | undefined): ScanOptions {
  const bounds = boundsOf(filter)
  return { descending: true, ...bounds, ...(resume !== undefined && { to: resume }) }
}

function parseCursor(after: string): { readonly status: FailureStatus; readonly place: string } {
  const [, status, place] = /^([a-z]+)~(\d{15}\/.+)$/.exec(after) ?? []
  const known = FAILURE_STATUSES.find((candidate) => candidate === status)
  if (known === undefined || place === undefined) throw badCursor(after)
  return { status: known, place }
}

function badCursor(after: unknown): InvalidOptionError {
  return new InvalidOptionError('after', 'the `next` of the page before, with the same filter', after)
}
