import type { LedgerItem } from '@eddy/core'
import { Violation } from './violation.ts'

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** I9: what was decided about a failure stands, until a person decides otherwise. */
export class DecisionChecks {
  readonly #last = new Map<string, { readonly item: LedgerItem; readonly version: number }>()

  /** A write of a ledger item was accepted. Writes whose answer was lost are not seen, and prove nothing. */
  wrote(item: LedgerItem, version: number): void {
    const before = this.#last.get(item.id)
    if (before !== undefined && before.version > version) return
    this.#last.set(item.id, { item, version })
    if (before?.version !== version - 1 || !FINAL.includes(before.item.status)) return
    if (isAskedFor(before.item, item)) return
    throw new Violation(
      'I9',
      `${item.eventId} was ${before.item.status} (${before.item.reason ?? ''}) and is ${item.status} though nobody asked`,
    )
  }
}

function isAskedFor(before: LedgerItem, after: LedgerItem): boolean {
  if (after.redrives.at(-1)?.jobId !== before.redrives.at(-1)?.jobId) return true
  if (before.editedBy !== after.editedBy) return before.status !== 'resolved'
  if (after.status === before.status) return after.attempts === before.attempts
  return before.status !== 'resolved' && (after.status === 'archived' || after.status === 'dropped')
}
