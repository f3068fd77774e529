import { InvalidOptionError } from '../errors/request-errors.ts'
import type { LedgerEntry } from '../fail/ledger.ts'
import type { FailureStatus, LedgerItem } from '../model/ledger-item.ts'
import { checkInteger } from '../model/option-checks.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { type Actor, actorOf } from './action.ts'
import { checkFilter, controlsOf, matches } from './failure-filter.ts'
import type { BulkOptions, BulkResult, FailureFilter } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { scanFailures } from './scan-failures.ts'

const MAX_WRITE_TRIES = 5

export type BulkAction = 'drop' | 'archive'

interface ActionRule {
  readonly to: FailureStatus
  readonly byDefault: readonly FailureStatus[]
  /** When the filter names a status or ids. */
  readonly whenAsked: readonly FailureStatus[]
}

/** `held` means parked items only: one that waits behind another is not a person's to decide. */
const ACTIONS: Readonly<Record<BulkAction, ActionRule>> = {
  drop: { to: 'dropped', byDefault: ['dead', 'held'], whenAsked: ['dead', 'held', 'archived'] },
  archive: { to: 'archived', byDefault: ['dead'], whenAsked: ['dead'] },
}

/**
 * Drops or archives what the filter selects and came into its status before now. Archived items are dropped only when
 * asked for by status or id. Repeating it changes nothing more.
 *
 * @throws InvalidOptionError when the filter asks for a status that the action is not for
 */
export async function bulkFailures(
  deps: Pick<OperationsDeps, 'engine' | 'subscriptions'>,
  action: BulkAction,
  filter: FailureFilter,
  options: BulkOptions = {},
): Promise<BulkResult> {
  checkFilter(filter)
  const actor = actorOf(options)
  const statuses = statusesFor(action, filter)
  const limit = checkInteger('limit', options.limit ?? Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER)
  const bounded = upTo(filter, deps.engine.clock.now())
  const controls = controlsOf(deps.subscriptions, filter)
  const dryRun = options.dryRun === true
  let matched = 0
  let changed = 0
  const scan = scanFailures(deps.subscriptions, controls, bounded, {
    descending: false,
    statuses,
    merged: true,
  })
  for await (const { control, entry } of scan) {
    if (!isForPerson(entry.item)) continue
    matched += 1
    if (!dryRun && (await change(deps, { control, entry, action, actor, filter: bounded }))) changed += 1
    if (matched === limit) break
  }
  return { matched, changed, dryRun }
}

/** The filter, limited to items that came into their status by `atMs`: what comes later is not part of the set. */
export function upTo(filter: FailureFilter, atMs: number): FailureFilter {
  return { ...filter, untilMs: Math.min(filter.untilMs ?? atMs, atMs) }
}

/** Dead, archived, or parked: waits for a person. */
export function isForPerson(item: LedgerItem): boolean {
  return (
    item.status === 'dead' || item.status === 'archived' || (item.status === 'held' && item.parked === true)
  )
}

function statusesFor(action: BulkAction, filter: FailureFilter): readonly FailureStatus[] {
  const { byDefault, whenAsked } = ACTIONS[action]
  if (filter.status === undefined) return filter.ids === undefined ? byDefault : whenAsked
  const asked = whenAsked.find((status) => status === filter.status)
  if (asked === undefined)
    throw new InvalidOptionError('status', `${whenAsked.join(', ')} (to ${action})`, filter.status)
  return [asked]
}

async function change(
  deps: Pick<OperationsDeps, 'engine'>,
  one: {
    readonly control: SubscriptionControl
    readonly entry: LedgerEntry
    readonly action: BulkAction
    readonly actor: Actor
    readonly filter: FailureFilter
  },
): Promise<boolean> {
  const { control, action, actor, filter } = one
  let entry: LedgerEntry | undefined = one.entry
  for (let tries = 0; tries < MAX_WRITE_TRIES; tries += 1) {
    if (entry === undefined || !isForPerson(entry.item) || !matches(filter, entry.item)) return false
    if (!statusesFor(action, filter).includes(entry.item.status)) return false
    const nowMs = deps.engine.clock.now()
    const { parked, dueAtMs: _due, ...kept } = entry.item
    const written = await control.ledger.replace(entry, {
      ...kept,
      status: ACTIONS[action].to,
      reason: `${ACTIONS[action].to} by ${actor.by}`,
      ...(actor.note !== undefined && { note: actor.note }),
      statusAtMs: nowMs,
      updatedAtMs: nowMs,
    })
    if (written.ok) {
      // What waited behind a parked event may go on.
      if (parked === true) await control.nudge(written.entry.item)
      return true
    }
    entry = written.current
  }
  return false
}
