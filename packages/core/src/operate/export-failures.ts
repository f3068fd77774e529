import { checkInteger } from '../model/option-checks.ts'
import { failureDetail } from './failure-detail.ts'
import { checkFilter, controlsOf } from './failure-filter.ts'
import { STATUS_ORDER } from './list-failures.ts'
import type { FailureDetail, FailureFilter } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { scanFailures } from './scan-failures.ts'

/**
 * Every failure that the filter selects, with its payload, in the order of the list. Read page by page: memory does
 * not grow with the set.
 *
 * @param limit - at most this many; default: all
 */
export async function* exportFailures(
  deps: Pick<OperationsDeps, 'subscriptions'>,
  filter: FailureFilter,
  limit: number = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<FailureDetail, void, undefined> {
  checkFilter(filter)
  checkInteger('limit', limit, 1, Number.MAX_SAFE_INTEGER)
  const controls = controlsOf(deps.subscriptions, filter)
  const statuses = filter.status === undefined ? STATUS_ORDER : [filter.status]
  let count = 0
  for await (const found of scanFailures(deps.subscriptions, controls, filter, {
    descending: true,
    statuses,
  })) {
    yield await failureDetail(found.control, found.entry)
    count += 1
    if (count === limit) return
  }
}
