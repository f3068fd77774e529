import type { LedgerItem } from '@eddy/core'
import { Violation } from './violation.ts'

const FINAL: readonly LedgerItem['status'][] = ['dead', 'dropped', 'archived', 'resolved']

/** I9: what was decided about a failure stands, until a person decides otherwise; nothing is decided over another's head. */
export function checkDecision(before: LedgerItem | undefined, after: LedgerItem | undefined): void {
  if (before === undefined || after === undefined) return
  if (after.attempts < before.attempts)
    throw new Violation(
      'I9',
      `${after.eventId} had ${before.attempts} attempts and has ${after.attempts} now: one was forgotten`,
    )
  if (before.editedBy !== after.editedBy && !isForPerson(before))
    throw new Violation(
      'I9',
      `${after.eventId} was ${before.status} (${before.reason ?? ''}) when an edit resolved it`,
    )
  if (!FINAL.includes(before.status) || isAskedFor(before, after)) return
  throw new Violation(
    'I9',
    `${after.eventId} was ${before.status} (${before.reason ?? ''}) and is ${after.status} though nobody asked`,
  )
}

function isForPerson(item: LedgerItem): boolean {
  return item.status === 'dead' || item.status === 'archived' || item.parked === true
}

function isAskedFor(before: LedgerItem, after: LedgerItem): boolean {
  if (after.redrives.at(-1)?.jobId !== before.redrives.at(-1)?.jobId) return true
  if (before.editedBy !== after.editedBy) return true
  if (after.status === before.status) return after.attempts === before.attempts
  return before.status !== 'resolved' && (after.status === 'archived' || after.status === 'dropped')
}
