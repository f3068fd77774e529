import type { LedgerItem, SubscriptionStatus } from '@eddy/core'
import { resolvedByCheckpoint } from './checkpoint-view.ts'
import type { History } from './history.ts'
import type { StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

/** Nothing is left to do. */
export function isAtRest(view: StoredView): boolean {
  if (view.ledger().some((item) => item.status === 'retrying' || item.status === 'held')) return false
  if (view.holds().some((hold) => hold.state === 'held')) return false
  if (view.queuedTokens().length > 0) return false
  const done = resolvedByCheckpoint(view)
  return view.records().every(({ record, name }) => done.get(record.shardId)?.has(name) === true)
}

/** I4, with `blocks: 'key'`: what is parked or retried stops nothing but its own key. */
export function checkIsolation(view: StoredView, history: History): void {
  const ledger = view.ledger()
  const waiting = new Set(
    ledger.filter((item) => item.status === 'held' || item.status === 'retrying').map((item) => item.key),
  )
  const known = view.itemsByPlace()
  for (const { record, eventId, position } of view.records()) {
    if (
      waiting.has(record.partitionKey) ||
      known.has(`${record.shardId}/${position}`) ||
      history.of(eventId).successes > 0
    )
      continue
    throw new Violation(
      'I4',
      `${eventId} of key ${record.partitionKey} was not handled, although nothing of its key waits`,
    )
  }
}

/** What was due or written so long ago has its token by now. */
const TOKEN_MS = 5_000

/**
 * I9, with `blocks: 'key'` and nothing out of order for a while: a held key that waits for nobody has a token on its
 * way, and need not wait for the sweeper to find out.
 */
export function checkTokens(view: StoredView, nowMs: number): void {
  const tokens = new Set(view.queuedTokens())
  for (const hold of view.holds()) {
    if (hold.state !== 'held') continue
    const own = view
      .ledger()
      .filter((item) => item.id.split(':')[1] === hold.laneId && item.position >= hold.lo)
      .sort((a, b) => (a.position < b.position ? -1 : 1))
    // A hold that a dead process wrote late, and whose event was handled since, is the sweeper's to find.
    if (own[0]?.position !== hold.lo || endedInPlace(own[0])) continue
    // A decision is written, then told: a process that dies in between leaves it to the sweeper.
    if (own.some(isDecided)) continue
    const first = own.find((item) => item.status === 'retrying' || item.status === 'held')
    if (first === undefined || first.parked === true) continue
    const sinceMs = Math.max(
      hold.updatedAtMs,
      first.updatedAtMs,
      first.dueAtMs ?? 0,
      first.claimedUntilMs ?? 0,
    )
    if (sinceMs + TOKEN_MS > nowMs) continue
    const { key, explicitHashKey } = hold
    const token = { kind: 'lane', key, ...(explicitHashKey !== undefined && { explicitHashKey }) }
    if (!tokens.has(JSON.stringify(token)))
      throw new Violation('I9', `${first.eventId} is due, its key is held, and no token is on its way`)
  }
}

/** By tries of the live path, well or not: it never waited in its lane. */
function endedInPlace(item: LedgerItem): boolean {
  return (item.status === 'resolved' || item.status === 'dead') && item.statusAtMs === item.firstFailedAtMs
}

/** By a person. */
function isDecided(item: LedgerItem): boolean {
  return (
    item.status === 'dropped' ||
    item.status === 'archived' ||
    item.editedBy !== undefined ||
    item.redrives.length > 0
  )
}

/** I9: no reading of a shard has broken. What stands behind it waits for a restart: it is not lost, and nobody gets it. */
export function checkReading(status: SubscriptionStatus | undefined): void {
  const broken = status?.shards.find(({ state }) => state === 'stopped')
  if (broken !== undefined) throw new Violation('I9', `the reading of ${broken.shardId} has broken`)
}
