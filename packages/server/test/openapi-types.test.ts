import type {
  Attempt,
  ErrorInfo,
  FailureGroup,
  LedgerItem,
  Operations,
  PolicyResult,
  PolicyState,
  ProtectionStatus,
  QueueStatus,
  RedriveJob,
  ShardStatus,
  StreamDetail,
  SubscriptionShardStatus,
  SubscriptionStatus,
} from '@eddy/core'
import { KINESIS_LIMITS } from '@eddy/core'
import { expect, test } from 'vitest'
import { openApiDocument } from '../src/index.ts'
import { expectSchema } from './support/checked-answers.ts'
import { AT_MS, ledgerItem, policy, queueStatus, redriveJob, subscription } from './support/fixtures.ts'

type AuditEntry = Awaited<ReturnType<Operations['listAudit']>>[number]

const error: Required<ErrorInfo> = { type: 'E', message: 'm', stack: 's', code: 'c', fingerprint: 'f' }

const attempt: Required<Attempt> = {
  attempt: 1,
  path: 'live',
  startedAtMs: AT_MS,
  durationMs: 1,
  error,
  policyVersion: 1,
}

const shard: Required<ShardStatus> = {
  shardId: 'shardId-000000000000',
  startingHashKey: '0',
  endingHashKey: '1',
  parentShardIds: [],
  depth: 0,
  startingSequenceNumber: '1',
  endingSequenceNumber: '2',
  closedAtMs: 3,
  open: false,
}

const protection: Required<ProtectionStatus> = {
  state: 'open',
  openSinceMs: AT_MS,
  probesAtMs: AT_MS,
  rampEndsAtMs: AT_MS,
  reason: 'r',
  pauseMs: 1,
  outcomes: 1,
  failed: 1,
  firstRefusedBy: 'rate',
  retryRefusedBy: 'retry-budget',
  waitingRetries: 1,
  concurrency: 1,
  ratePerSecond: 0.5,
  retryRatePerSecond: 0.5,
  retryCredits: 0.5,
}

const subscriptionShard: Required<SubscriptionShardStatus> = {
  shardId: 's',
  state: 'reading',
  checkpoint: '1',
  lagRecords: 1,
  owner: 'worker-1',
  lagMs: 1,
  buffered: 1,
  expiredRecords: 1,
}

/** Every member of each type, so that the type checker asks for a new one here and the document then for its schema. */
const complete = {
  LedgerItem: {
    ...ledgerItem(),
    subSequenceNumber: 1,
    explicitHashKey: '1',
    parked: true,
    reason: 'r',
    history: [attempt],
    lastError: error,
    fingerprint: 'f',
    dueAtMs: AT_MS,
    lastDelayMs: 1,
    claimedUntilMs: AT_MS,
    claimedBy: 'x',
    crashes: 1,
    cutting: true,
    budgetFrom: { attempts: 1, sinceMs: AT_MS },
    payloadBlob: 'b',
    outOfOrder: true,
    editOf: 'x',
    editedBy: 'y',
    note: 'n',
  } satisfies Required<LedgerItem>,
  Subscription: {
    ...subscription(),
    pausedBy: 'x',
    copies: 1,
    strays: 1,
    batch: { maxEvents: 100, maxWaitMs: 0, maxBytes: 1 },
    protection,
    policyVersion: 1,
    queue: {
      name: 'emails',
      state: 'reading',
      buffered: 1,
      messages: 3,
      ready: 1,
      inFlight: 1,
      delayed: 1,
      oldestAgeMs: 1,
    },
    shards: [subscriptionShard],
  } satisfies Required<SubscriptionStatus>,
  Protection: protection,
  Queue: queueStatus() satisfies Required<QueueStatus> | QueueStatus,
  StreamDetail: {
    name: 'x',
    shardCount: 1,
    retentionMs: 3_600_000,
    durability: 'os',
    streamId: 'x-1',
    createdAtMs: AT_MS,
    keysIgnored: true,
    limits: KINESIS_LIMITS,
    faults: { internalFailureRate: 0.1, latencyMs: 5, throttleHarder: { 'shardId-000000000000': 0.5 } },
    shards: [shard],
    subscriptions: [],
  } satisfies Required<StreamDetail>,
  FailureGroup: {
    subscription: 's',
    fingerprint: 'f',
    errorType: 'E',
    count: 1,
    firstSeenMs: AT_MS,
    lastSeenMs: AT_MS,
    sample: { id: 'x', key: 'k', message: 'm' },
    truncated: true,
  } satisfies Required<FailureGroup>,
  RedriveJob: {
    ...redriveJob(),
    finishedAtMs: AT_MS,
    skippedByReason: { resolved: 1 },
    reason: 'r',
    note: 'n',
  } satisfies Required<RedriveJob>,
  Policy: policy() satisfies Required<PolicyState>,
  PolicyResult: { subscription: 's', version: 1, changes: [], dryRun: true } satisfies Required<PolicyResult>,
  AuditEntry: {
    atMs: AT_MS,
    by: 'x',
    action: 'drop',
    target: 'y',
    count: 1,
    changes: policy().history[0]?.changes ?? [],
    note: 'n',
  } satisfies Required<AuditEntry>,
}

test.each(Object.entries(complete))('%s: the document has every member of the type', (name, value) => {
  expectSchema(name, value)
  const schema = openApiDocument().components.schemas?.[name]
  expect(Object.keys(schema?.properties ?? {}).toSorted()).toEqual(Object.keys(value).toSorted())
})
