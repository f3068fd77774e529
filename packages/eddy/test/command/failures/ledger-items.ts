import type { FailureDetail, LedgerItem } from '@eddy/core'

const ERROR = {
  type: 'PaymentDeclined',
  message: 'card 42 was declined',
  stack:
    'PaymentDeclined: card 42 was declined\n    at charge (bill.ts:12:7)\n    at handle (app.ts:3:1)\n    at run (/x/@eddy/core/dist/a.js:1:1)',
  code: 'E_CARD',
  fingerprint: '4be1c0de',
}

export function ledgerItem(changes: Partial<LedgerItem> = {}): LedgerItem {
  return {
    id: 'billing:ab12:0000.0000.0161000000000000042',
    subscription: 'billing',
    stream: 'orders',
    shardId: 'shardId-000000000000',
    sequenceNumber: '1000000000000042',
    position: '0000.0000.0161000000000000042',
    key: 'customer-7',
    eventId: 'e-1',
    eventType: 'order.placed',
    arrivedAtMs: 1_790_000_000_000,
    status: 'dead',
    reason: 'attempts used up',
    attempts: 3,
    deliveries: 3,
    history: [1, 2, 3].map((attempt) => ({
      attempt,
      path: attempt === 1 ? ('live' as const) : ('retry' as const),
      startedAtMs: 1_790_000_000_000 + attempt * 1_000,
      durationMs: 12,
      error: ERROR,
    })),
    lastError: ERROR,
    fingerprint: ERROR.fingerprint,
    firstFailedAtMs: 1_790_000_001_000,
    updatedAtMs: 1_790_000_003_012,
    statusAtMs: 1_790_000_003_012,
    payloadBytes: 80,
    redrives: [],
    ...changes,
  }
}

export const PAYLOAD =
  '{"specversion":"1.0","id":"e-1","source":"shop","type":"order.placed","data":{"amount":0}}'

export function failureDetail(changes: Partial<LedgerItem> = {}, content: string = PAYLOAD): FailureDetail {
  return { item: ledgerItem(changes), payload: { encoding: 'utf8', content, bytes: content.length } }
}
