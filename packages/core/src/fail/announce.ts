import type { LedgerItem } from '../model/ledger-item.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'

/** Counts, logs and notifies what became of a failed event. Nothing ends silently (I9). */
export function announce(parts: SubscriptionParts, item: LedgerItem): void {
  const { metrics, logger, notify, engine, definition } = parts
  const about = { subscription: definition.name, id: item.id, key: item.key }
  const fields = fieldsOf(parts, item)
  const atMs = engine.clock.now()
  const reason = item.reason ?? item.lastError?.message ?? ''
  switch (item.status) {
    case 'resolved':
      metrics.handled.ok += 1
      return
    case 'retrying':
      metrics.handled.retry += 1
      logger.debug({ ...fields, dueAtMs: item.dueAtMs }, 'an event failed and is retried')
      return
    case 'held':
      countParked(parts, item)
      notify({ kind: 'key-held', ...about, parked: true, reason, atMs })
      return
    case 'dead':
      metrics.handled.dead += 1
      logger.warn(fields, 'an event was dead-lettered')
      notify({ kind: 'dead-letter', ...about, reason, atMs })
      return
    case 'dropped':
      metrics.handled.dropped += 1
      logger.warn(fields, 'an event was dropped')
      notify({ kind: 'dropped', ...about, reason, atMs })
      return
    case 'archived':
      return
  }
}

/** Counts and logs an event that waits for a person; whoever holds its key notifies. */
export function countParked(
  parts: Pick<SubscriptionParts, 'definition' | 'logger' | 'metrics'>,
  item: LedgerItem,
): void {
  parts.metrics.handled.held += 1
  parts.logger.warn(fieldsOf(parts, item), 'an event waits for a decision: redrive, edit or drop it')
}

/** The key is part of the payload, often a person's: the log has the id, and the ledger the rest. */
function fieldsOf({ definition }: Pick<SubscriptionParts, 'definition'>, item: LedgerItem) {
  return {
    subscription: definition.name,
    id: item.id,
    attempts: item.attempts,
    error: item.lastError?.type,
    reason: item.reason,
  }
}
