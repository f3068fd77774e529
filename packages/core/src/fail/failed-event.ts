import type { EventMeta } from '../handle/context.ts'
import type { DeliveryResult } from '../handle/delivery.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { FailurePolicy } from '../model/failure.ts'
import type { Attempt, ErrorInfo, LedgerItem } from '../model/ledger-item.ts'
import { recordName } from '../model/record-name.ts'
import type { Clock } from '../ports/clock.ts'
import { failureId } from './keys.ts'
import { wholeItem } from './whole-item.ts'

/** Attempts kept in an item; `attempts` counts all. */
const MAX_HISTORY = 20

/** The ledger item of an event that waits behind a failing one and was not tried yet. */
export function waitingItem(
  subscription: string,
  laneId: string,
  meta: EventMeta,
  bytes: Uint8Array,
  nowMs: number,
): LedgerItem {
  return wholeItem({
    id: failureId(subscription, laneId, meta.position),
    subscription,
    stream: meta.stream,
    shardId: meta.shardId,
    sequenceNumber: meta.sequenceNumber,
    ...(meta.subSequenceNumber !== undefined && { subSequenceNumber: meta.subSequenceNumber }),
    position: meta.position,
    key: meta.key,
    ...(meta.explicitHashKey !== undefined && { explicitHashKey: meta.explicitHashKey }),
    ...identify(meta, bytes),
    arrivedAtMs: meta.arrivedAtMs,
    status: 'held',
    attempts: 0,
    deliveries: 0,
    history: [],
    firstFailedAtMs: nowMs,
    updatedAtMs: nowMs,
    statusAtMs: nowMs,
    payloadBytes: bytes.length,
    redrives: [],
  })
}

/** What a delivery makes of an event's item. The same rules for the live path's first item and for every retry. */
export function afterDelivery(
  item: LedgerItem,
  result: Extract<DeliveryResult, { kind: 'ok' | 'failed' }>,
  policy: FailurePolicy,
  clock: Clock,
): LedgerItem {
  const nowMs = clock.now()
  const { lastError } = result
  const end = endOf(item, result, policy)
  // Undefined members are not stored.
  const next: { [Name in keyof LedgerItem]: LedgerItem[Name] | undefined } = {
    ...item,
    claimedUntilMs: undefined,
    claimedBy: undefined,
    crashes: undefined,
    attempts: result.attempts,
    deliveries: item.deliveries + 1,
    history: [...item.history, ...result.tries].slice(-MAX_HISTORY),
    lastError: lastError ?? item.lastError,
    fingerprint: lastError?.fingerprint ?? item.fingerprint,
    status: end.status,
    statusAtMs: end.status === item.status ? item.statusAtMs : nowMs,
    updatedAtMs: nowMs,
    reason: end.reason,
    parked: end.parked,
    dueAtMs: end.dueAtMs,
    lastDelayMs: end.lastDelayMs ?? item.lastDelayMs,
    cutting: end.cutting ?? item.cutting,
  }
  return next as LedgerItem
}

/** The end of an event that took the process down with it again and again. */
export function afterCrashes(
  item: LedgerItem,
  error: ErrorInfo,
  policy: FailurePolicy,
  clock: Clock,
): LedgerItem {
  const tries: Attempt[] = []
  const decision = { kind: 'exhausted', reason: error.message } as const
  return afterDelivery(
    item,
    { kind: 'failed', attempts: item.attempts, tries, lastError: error, decision },
    policy,
    clock,
  )
}

type End = Pick<LedgerItem, 'status'> &
  Partial<Pick<LedgerItem, 'reason' | 'dueAtMs' | 'lastDelayMs' | 'parked' | 'cutting'>>

function endOf(
  item: LedgerItem,
  result: Extract<DeliveryResult, { kind: 'ok' | 'failed' }>,
  policy: FailurePolicy,
): End {
  if (result.kind === 'ok') return { status: 'resolved', reason: resolvedReason(item, result.attempts) }
  const { decision } = result
  // One attempt only where the key flows on: the event is late already, and nothing waits for it.
  if (item.outOfOrder === true && decision.kind !== 'drop') {
    return {
      status: 'dead',
      reason: `redriven out of order and failed: ${result.lastError.message}`.slice(0, 500),
    }
  }
  switch (decision.kind) {
    case 'retry':
      return { status: 'retrying', dueAtMs: decision.dueAtMs, lastDelayMs: decision.delayMs }
    case 'dead-letter':
      return { status: 'dead', reason: decision.reason }
    case 'drop':
      return { status: 'dropped', reason: decision.reason }
    case 'exhausted':
      return exhaustedEnd(decision.reason, policy)
  }
}

function resolvedReason(item: LedgerItem, attempts: number): string {
  if (item.redrives.length > 0) return 'handled after a redrive'
  // It never failed itself: it waited behind another one, or replaces it.
  return attempts === 1 ? 'handled in its turn' : 'handled by a retry'
}

function exhaustedEnd(reason: string, policy: FailurePolicy): End {
  switch (policy.exhausted) {
    case 'dead-letter':
      return { status: 'dead', reason }
    case 'drop':
      return { status: 'dropped', reason }
    case 'hold':
      return { status: 'held', parked: true, reason }
    case 'dead-letter-key':
      // Not dead yet: first the cut is written, so that a crash between the two lets no doomed event run.
      return { status: 'retrying', cutting: true, reason }
  }
}

function identify(
  meta: EventMeta,
  bytes: Uint8Array,
): { readonly eventId: string; readonly eventType: string } {
  try {
    const event = decodeEvent(bytes)
    return { eventId: event.id, eventType: event.type }
  } catch {
    return { eventId: `${meta.stream}/${meta.shardId}/${recordName(meta)}`, eventType: 'undecodable' }
  }
}
