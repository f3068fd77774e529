import { parseFailureId } from '../fail/keys.ts'
import type { LedgerEntry } from '../fail/ledger.ts'
import type { FailureStatus, LedgerItem } from '../model/ledger-item.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { matches } from './failure-filter.ts'
import type { FailureFilter } from './operations.ts'

/** Items read ahead of a subscription (I6): an item with its history may have some 250 KB. */
const PAGE_ITEMS = 100

export interface FoundFailure {
  readonly control: SubscriptionControl
  readonly entry: LedgerEntry
  /** Its place in the order of its status: unique over all subscriptions. */
  readonly place: string
}

export interface ScanOptions {
  readonly descending: boolean
  /** Inclusive bounds on `place`. */
  readonly from?: string
  readonly to?: string
}

/** The place of an item: the time of its status, then its id. The sort key of the ledger's status index. */
export function placeOf(item: Pick<LedgerItem, 'id' | 'statusAtMs'>): string {
  return `${padMs(item.statusAtMs)}/${item.id}`
}

/** Bounds on places from a filter's times. */
export function boundsOf(filter: FailureFilter): { readonly from?: string; readonly to?: string } {
  return {
    ...(filter.sinceMs !== undefined && { from: padMs(filter.sinceMs) }),
    // '0' follows '/' : every id of the last millisecond is before it.
    ...(filter.untilMs !== undefined && { to: `${padMs(filter.untilMs)}0` }),
  }
}

/** Every item of one status over several subscriptions, merged by time. */
export async function* scanStatus(
  controls: readonly SubscriptionControl[],
  status: FailureStatus,
  options: ScanOptions,
): AsyncGenerator<FoundFailure, void, undefined> {
  const sources = controls.map((control) => readAhead(control, status, options))
  yield* mergeByPlace(sources, options.descending)
}

/** What a filter selects, one status after another, or in time order over all of `statuses` (`merged`). */
export async function* scanFailures(
  subscriptions: ReadonlyMap<string, SubscriptionControl>,
  controls: readonly SubscriptionControl[],
  filter: FailureFilter,
  options: ScanOptions & { readonly statuses: readonly FailureStatus[]; readonly merged?: boolean },
): AsyncGenerator<FoundFailure, void, undefined> {
  if (filter.ids !== undefined) {
    for (const found of await findByIds(subscriptions, filter, options.descending)) {
      if (options.statuses.includes(found.entry.item.status)) yield found
    }
    return
  }
  const bounds = { descending: options.descending, ...boundsOf(filter), ...definedBounds(options) }
  const scans = options.statuses.map((status) => scanStatus(controls, status, bounds))
  const ordered = options.merged === true ? [mergeByPlace(scans, options.descending)] : scans
  for (const scan of ordered) {
    for await (const found of scan) if (matches(filter, found.entry.item)) yield found
  }
}

/** The items of `filter.ids` that are there and fit the other fields, each once, in time order. */
export async function findByIds(
  subscriptions: ReadonlyMap<string, SubscriptionControl>,
  filter: FailureFilter,
  descending: boolean,
): Promise<readonly FoundFailure[]> {
  const found: FoundFailure[] = []
  for (const id of new Set(filter.ids)) {
    const control = subscriptions.get(parseFailureId(id)?.subscription ?? '')
    const entry = await control?.ledger.getById(id)
    if (control === undefined || entry === undefined || !matches(filter, entry.item)) continue
    found.push({ control, entry, place: placeOf(entry.item) })
  }
  const sign = descending ? -1 : 1
  return found.sort((a, b) => (a.place < b.place ? -sign : sign))
}

async function* readAhead(
  control: SubscriptionControl,
  status: FailureStatus,
  options: ScanOptions,
): AsyncGenerator<FoundFailure, void, undefined> {
  let after: string | undefined
  do {
    const page = await control.ledger.byStatus(status, {
      limit: PAGE_ITEMS,
      descending: options.descending,
      ...definedBounds(options),
      ...(after !== undefined && { after }),
    })
    for (const entry of page.entries) yield { control, entry, place: placeOf(entry.item) }
    after = page.next
  } while (after !== undefined)
}

async function* mergeByPlace(
  sources: readonly AsyncGenerator<FoundFailure, void, undefined>[],
  descending: boolean,
): AsyncGenerator<FoundFailure, void, undefined> {
  const heads = await Promise.all(sources.map((source) => source.next()))
  for (;;) {
    let first: number | undefined
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue
      const best = first === undefined ? undefined : heads[first]?.value
      if (!best || (descending ? head.value.place > best.place : head.value.place < best.place)) first = index
    }
    if (first === undefined) return
    yield (heads[first] as IteratorYieldResult<FoundFailure>).value
    heads[first] = await (sources[first] as AsyncGenerator<FoundFailure, void, undefined>).next()
  }
}

function definedBounds(options: ScanOptions): { readonly from?: string; readonly to?: string } {
  return {
    ...(options.from !== undefined && { from: options.from }),
    ...(options.to !== undefined && { to: options.to }),
  }
}

function padMs(ms: number): string {
  return String(ms).padStart(15, '0')
}
