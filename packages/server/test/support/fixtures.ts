import type {
  FailureDetail,
  LedgerItem,
  Notice,
  PolicyState,
  QueueStatus,
  RedriveJob,
  SubscriptionStatus,
} from '@eddy/core'

export const AT_MS = 1_767_225_600_000

export function ledgerItem(changes: Partial<LedgerItem> = {}): LedgerItem {
  return {
    id: 'billing:0a1b2c:0000.0000.0161000000000000000',
    subscription: 'billing',
    stream: 'orders',
    shardId: 'shardId-000000000000',
    sequenceNumber: '1000000000000000',
    position: '0000.0000.0161000000000000000',
    key: 'customer-7',
    eventId: 'e-1',
    eventType: 'order.placed',
    arrivedAtMs: AT_MS,
    status: 'dead',
    reason: 'tries used up',
    attempts: 3,
    deliveries: 2,
    history: [
      {
        attempt: 3,
        path: 'retry',
        startedAtMs: AT_MS,
        durationMs: 4,
        error: { type: 'TypeError', message: 'no', stack: 'TypeError: no', fingerprint: 'f1' },
      },
    ],
    lastError: { type: 'TypeError', message: 'no', fingerprint: 'f1' },
    fingerprint: 'f1',
    firstFailedAtMs: AT_MS,
    updatedAtMs: AT_MS,
    statusAtMs: AT_MS,
    payloadBytes: 20,
    redrives: [{ jobId: 'r-0', by: 'ada', atMs: AT_MS }],
    ...changes,
  }
}

export function failureDetail(item: LedgerItem): FailureDetail {
  const content = JSON.stringify({ specversion: '1.0', id: item.eventId, source: 's', type: item.eventType })
  return { item, payload: { encoding: 'utf8', content, bytes: content.length } }
}

export function queueStatus(): QueueStatus {
  return {
    name: 'emails',
    group: 'customer.id',
    deduplicationWindowMs: 300_000,
    subscription: 'mailer',
    messages: 3,
    ready: 1,
    inFlight: 1,
    delayed: 1,
    oldestAgeMs: 1_500,
  }
}

export function subscription(changes: Partial<SubscriptionStatus> = {}): SubscriptionStatus {
  return {
    name: 'billing',
    stream: 'orders',
    blocks: 'key',
    exhausted: 'hold',
    paused: false,
    concurrency: 16,
    inFlight: 1,
    retrying: 2,
    held: 3,
    heldKeys: 1,
    dead: 4,
    lagRecords: 5,
    lagMs: 6,
    shards: [
      {
        shardId: 'shardId-000000000000',
        state: 'reading',
        checkpoint: '1000000000000000',
        lagRecords: 5,
        lagMs: 6,
        buffered: 1,
        expiredRecords: 0,
      },
    ],
    ...changes,
  }
}

export function redriveJob(changes: Partial<RedriveJob> = {}): RedriveJob {
  return {
    id: 'r-1',
    state: 'running',
    filter: {},
    by: 'operator',
    ratePerSecond: 100,
    createdAtMs: AT_MS,
    total: 1,
    enqueued: 0,
    skipped: 0,
    ...changes,
  }
}

export const notice: Notice = {
  kind: 'dead-letter',
  subscription: 'billing',
  id: 'x',
  key: 'customer-7',
  reason: 'tries used up',
  atMs: AT_MS,
}

export function policy(): PolicyState {
  const change = {
    path: 'concurrency' as const,
    before: 16,
    after: 4,
    beforeFrom: 'file' as const,
    afterFrom: 'override' as const,
  }
  return {
    subscription: 'billing',
    version: 3,
    parts: [
      { path: 'concurrency', value: 4, from: 'override', file: 16, version: 3, by: 'ada', atMs: AT_MS },
      { path: 'timeoutMs', value: 30_000, from: 'file', file: 30_000 },
    ],
    rejected: [{ path: 'failure.blocks', value: 'shard', reason: 'not with this exhausted' }],
    history: [{ version: 3, atMs: AT_MS, by: 'ada', note: 'n', changes: [change] }],
  }
}
