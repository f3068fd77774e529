import type { LedgerItem } from '@eddy/core'
import type { StoredView } from './stored-view.ts'
import { Violation } from './violation.ts'

/** How often an event was handled well, whoever did. */
export interface Handled {
  of(eventId: string): { readonly successes: number }
}

/** I2, at any moment: what the stored checkpoints are past is handled, or in the ledger with its payload. */
export function checkNothingLost(
  view: StoredView,
  history: Handled,
  resolvedBy: (shardId: string) => ((index: number, sequenceNumber: string) => boolean) | undefined,
): void {
  checkEdits(view)
  const items = view.itemsByPlace()
  const indexes = new Map<string, number>()
  for (const { record, name, position, eventId } of view.records()) {
    const index = indexes.get(record.shardId) ?? 0
    indexes.set(record.shardId, index + 1)
    if (resolvedBy(record.shardId)?.(index, name) !== true) continue
    const item = items.get(`${record.shardId}/${position}`)
    if (item !== undefined) checkPayload(view, item)
    else if (history.of(eventId).successes === 0)
      throw new Violation(
        'I2',
        `the checkpoint is past ${eventId}, which was never handled and is not in the ledger`,
      )
  }
}

/** I2 and I9, once everything has come to rest: every event ended well, or stands where a person sees it. */
export function checkEverythingEnded(view: StoredView, history: Handled): void {
  checkEdits(view)
  const items = new Map<string, LedgerItem[]>()
  for (const item of view.ledger()) {
    const key = `${item.shardId}/${item.position.split('-')[0]}`
    items.set(key, [...(items.get(key) ?? []), item])
  }
  for (const { record, position, eventId } of view.records()) {
    const own = items.get(`${record.shardId}/${position}`) ?? []
    for (const item of own) {
      checkPayload(view, item)
      if (item.status === 'retrying')
        throw new Violation('I9', `${eventId} is still retrying at rest: ${JSON.stringify(item)}`)
      if (item.status === 'held')
        throw new Violation('I9', `${eventId} is still held at rest: ${JSON.stringify(item)}`)
      if (
        item.status === 'resolved' &&
        item.editedBy === undefined &&
        item.editOf === undefined &&
        history.of(eventId).successes === 0
      ) {
        throw new Violation('I2', `${eventId} is resolved but was never handled: ${JSON.stringify(item)}`)
      }
    }
    if (own.length === 0 && history.of(eventId).successes === 0)
      throw new Violation('I2', `${eventId} was never handled and is not in the ledger`)
  }
  for (const hold of view.holds()) {
    if (hold.state === 'held')
      throw new Violation('I9', `key ${JSON.stringify(hold.key)} is still held at rest`)
  }
  const tokens = view.queuedTokens()
  if (tokens.length > 0)
    throw new Violation('I6', `tokens are left in the retry queue at rest: ${tokens.join(' ')}`)
}

/** I2: an original is resolved by its edit only once the edited event stands in its place. */
function checkEdits(view: StoredView): void {
  const ids = new Set(view.ledger().map((item) => item.id))
  for (const { eventId, editedBy } of view.ledger()) {
    if (editedBy !== undefined && !ids.has(editedBy))
      throw new Violation('I2', `${eventId} was edited, and the edited event is not there`)
  }
}

/** I8: no redrive queued an item twice. */
export function checkRedrives(view: StoredView): void {
  for (const item of view.ledger()) {
    const jobs = item.redrives.map((redrive) => redrive.jobId)
    if (new Set(jobs).size < jobs.length)
      throw new Violation('I8', `${item.eventId} was queued twice by one redrive: ${jobs.join(' ')}`)
  }
}

function checkPayload(view: StoredView, item: LedgerItem): void {
  const { status } = item
  if (status !== 'retrying' && status !== 'held' && status !== 'dead') return
  const payload = view.payloadOf(item)
  if (payload !== 'kept') throw new Violation('I2', `${item.eventId} is ${status}, its payload is ${payload}`)
}
