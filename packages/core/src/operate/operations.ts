import type { UserReadRequest } from '../consume/read-user-records.ts'
import type { Slice } from '../consume/read-window.ts'
import type { Notice } from '../model/app.ts'
import type { AppendMarks } from '../model/append-marks.ts'
import type { BatchDefinition } from '../model/batch.ts'
import type { NewEvent } from '../model/event.ts'
import type { FailureStatus, LedgerItem } from '../model/ledger-item.ts'
import type { NewMessage, SendOutcome } from '../model/message.ts'
import type { PolicyChange, PolicyDifference, PolicyResult, PolicyState } from '../model/policy-state.ts'
import type { LogRecord, StreamInfo } from '../ports/log.ts'
import type { NewStream, StreamChange, StreamDetail } from './stream-shapes.ts'
import type { ProtectionStatus, SubscriptionShardStatus } from './subscription-shapes.ts'

/** The fate of one record of an append, in request order. */
export type AppendOutcome =
  | {
      readonly ok: true
      readonly id: string
      readonly shardId: string
      readonly sequenceNumber: string
      readonly duplicate: boolean
    }
  | {
      readonly ok: false
      readonly code: string
      readonly retryable: boolean
      readonly message: string
      /** The last answer was lost, or said too little: the record may be stored all the same. */
      readonly mayBeStored?: true
    }

export interface AppendOptions {
  /** As in `ProduceOptions`: records of one shard go together in one record of the stream. */
  readonly aggregate?: boolean | { readonly maxBytes?: number }
  /** Names the producer for deduplication: with `firstSequence`, a repeated append stores nothing twice. */
  readonly producerId?: string
  /** Producer sequence of the first event; the others follow by one. */
  readonly firstSequence?: number
}

export interface ResumeOptions extends ActionOptions {
  /** Closes an open breaker, too: starts ramp up at once instead of after its probing. */
  readonly resetBreaker?: boolean
}

export interface SubscriptionStatus {
  readonly name: string
  readonly stream: string
  readonly blocks: string
  readonly exhausted: string
  readonly paused: boolean
  readonly pausedBy?: string
  readonly concurrency: number
  /** Of a handler of batches: what a call of it gets at most, and how long it waits for that. */
  readonly batch?: Omit<BatchDefinition, 'handle'>
  /** Absent: the policy is the application file's, and was never changed. */
  readonly policyVersion?: number
  readonly inFlight: number
  /** Absent where nothing but `concurrency` protects. */
  readonly protection?: ProtectionStatus
  readonly retrying: number
  /** Events waiting behind others or for a person. */
  readonly held: number
  readonly heldKeys: number
  readonly dead: number
  readonly lagRecords: number
  readonly lagMs: number
  /** Second sendings of a record, dropped since the process started; absent: none. */
  readonly copies?: number
  /** Records passed over since then, of aggregates outside their shard; absent: none. */
  readonly strays?: number
  /** Of a subscription of a queue, which has no shards: `lagRecords` are its messages, `lagMs` the oldest one's age. */
  readonly queue?: SubscriptionQueueStatus
  readonly shards: readonly SubscriptionShardStatus[]
}

/** What waits in a queue. Exact on one machine, approximate elsewhere. */
export interface QueueDepth {
  /** Not yet acknowledged: ready, in flight and delayed. */
  readonly messages: number
  readonly ready: number
  readonly inFlight: number
  /** Not due yet; at most 10,000 are counted, what is beyond counts as ready. */
  readonly delayed: number
  /** How long ago the message that waits longest became due; 0 when none is. */
  readonly oldestAgeMs: number
}

export interface SubscriptionQueueStatus extends QueueDepth {
  readonly name: string
  readonly state: 'recovering' | 'reading' | 'paused' | 'stopped' | 'elsewhere'
  /** With several workers: which one reads it. */
  readonly owner?: string
  /** Received by the subscription, not yet acknowledged. */
  readonly buffered: number
}

export interface QueueStatus extends QueueDepth {
  readonly name: string
  /** The field that groups its messages. */
  readonly group?: string
  readonly deduplicationWindowMs: number
  /** Who reads it. */
  readonly subscription?: string
}

export interface PurgeOptions extends ActionOptions {
  readonly dryRun?: boolean
}

export interface PurgeResult {
  /** Messages that were there. */
  readonly messages: number
  /** Nothing was removed. */
  readonly dryRun: boolean
}

export interface FailureFilter {
  readonly subscription?: string
  readonly status?: FailureStatus
  readonly key?: string
  /** Error type, exact. */
  readonly error?: string
  readonly fingerprint?: string
  /** On `statusAtMs`, inclusive. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Exactly these; other fields still apply. */
  readonly ids?: readonly string[]
}

export interface FailurePage {
  /** Newest first by `statusAtMs` within a status. */
  readonly items: readonly LedgerItem[]
  readonly next?: string
}

export interface FailureGroup {
  readonly subscription: string
  readonly fingerprint: string
  readonly errorType: string
  readonly count: number
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  readonly sample: { readonly id: string; readonly key: string; readonly message: string }
  /** Set on the last group when there were more groups than are counted (10,000): narrow the filter. */
  readonly truncated?: true
}

/** A payload as text when it is UTF-8, else base64. */
export interface Payload {
  readonly encoding: 'utf8' | 'base64'
  readonly content: string
  readonly bytes: number
}

export interface FailureDetail {
  readonly item: LedgerItem
  readonly payload: Payload | undefined
}

export interface ActionOptions {
  /** Who asks; kept in the ledger. Default `operator`. */
  readonly by?: string
  readonly note?: string
}

export interface EditOptions extends ActionOptions {
  /** The item's updatedAtMs as it was shown: an item that changed since is not edited. */
  readonly expectUpdatedAtMs?: number
  /** With `blocks: 'key'` or `'shard'` and a key that flows, the edited event runs late: the caller must agree. */
  readonly allowOutOfOrder?: boolean
}

export interface RedriveOptions extends ActionOptions {
  /** Events a second; default 100, 1 to 100,000. */
  readonly ratePerSecond?: number
  /** With `blocks: 'key'` or `'shard'`, a dead event redriven while its key flows runs late: the caller must agree. */
  readonly allowOutOfOrder?: boolean
  /** At most this many, oldest first. */
  readonly limit?: number
}

export interface RedrivePlan {
  readonly count: number
  readonly outOfOrder: number
  readonly subscriptions: readonly { readonly subscription: string; readonly count: number }[]
}

export interface RedriveJob {
  readonly id: string
  /** `preparing`: writes down the set of ids. */
  readonly state: 'preparing' | 'running' | 'done' | 'cancelled' | 'failed'
  readonly filter: FailureFilter
  readonly by: string
  readonly ratePerSecond: number
  readonly createdAtMs: number
  readonly finishedAtMs?: number
  readonly total: number
  readonly enqueued: number
  /** No longer dead when their turn came, or refused; counted by reason. */
  readonly skipped: number
  readonly skippedByReason?: Readonly<Record<string, number>>
  readonly reason?: string
  readonly note?: string
}

export interface EditResult {
  /** The new item. */
  readonly item: LedgerItem
  readonly original: LedgerItem
}

export type BulkResult = {
  readonly matched: number
  readonly changed: number
  /** With `dryRun`, nothing was changed. */
  readonly dryRun: boolean
}

export interface PolicyOptions extends ActionOptions {
  readonly dryRun?: boolean
  /** The version as it was shown: a policy that changed since is not changed. */
  readonly expectVersion?: number
}

export interface BulkOptions extends ActionOptions {
  readonly dryRun?: boolean
  readonly limit?: number
}

/** One thing that a person did, or asked for. Kept 90 days. */
export interface AuditEntry {
  readonly atMs: number
  readonly by: string
  /** `edit`, `drop`, `archive`, `redrive`, `redrive-cancel`, `pause`, `resume`, `breaker-reset`, `seek`, `policy`, … */
  readonly action: string
  /** What it was done to: a failure, a job, a subscription, a stream. */
  readonly target: string
  /** Items it changed, where it may change many. */
  readonly count?: number
  /** Of a policy: what was before, and what came after. */
  readonly changes?: readonly PolicyDifference[]
  readonly note?: string
}

/** What `createStream` needs; retention defaults to 7 days, durability to `fsync`. */
/**
 * All that an operator or a producer can do, as one interface: the HTTP server serves it, the command speaks it over
 * HTTP, a program that embeds Eddy calls it. Every method may throw an EddyError.
 */
export interface Operations {
  readonly readOnly: boolean

  append(
    stream: string,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]>
  /**
   * One try, for a producer in another process: what fails retryably is its to send again. Up to 500 events. A copy of an
   * event that was stored under the same mark is answered as stored.
   */
  appendOnce(
    stream: string,
    events: readonly NewEvent[],
    marks?: AppendMarks,
  ): Promise<readonly AppendOutcome[]>
  /** Sends to a queue of the application. @throws QueueNotFoundError */
  send(queue: string, messages: readonly NewMessage[]): Promise<readonly SendOutcome[]>
  /** Records within aggregates come one by one. */
  read(request: UserReadRequest): Promise<Slice>
  decode(record: LogRecord): unknown

  listStreams(): Promise<readonly StreamInfo[]>
  showStream(name: string): Promise<StreamDetail>
  /** `shardCount` may be left out with `kinesis-on-demand`, which begins with 4. */
  createStream(spec: NewStream): Promise<StreamDetail>
  /** Limits and faults from now on. @throws InvalidOptionError when the engine does not enforce limits */
  changeStream(name: string, change: StreamChange): Promise<StreamDetail>
  /** @throws StreamInUseError when a subscription of the application reads it */
  deleteStream(name: string): Promise<void>
  /** Default: in the middle of the shard's range. */
  splitShard(stream: string, shardId: string, newStartingHashKey?: string): Promise<StreamDetail>
  /** Default: the next shard of the range. */
  mergeShards(stream: string, shardId: string, adjacentShardId?: string): Promise<StreamDetail>

  listQueues(): Promise<readonly QueueStatus[]>
  showQueue(name: string): Promise<QueueStatus>
  /** Removes every message; what failed before stays in the ledger. */
  purgeQueue(name: string, options?: PurgeOptions): Promise<PurgeResult>

  listSubscriptions(): Promise<readonly SubscriptionStatus[]>
  showSubscription(name: string): Promise<SubscriptionStatus>
  pauseSubscription(name: string, options?: ActionOptions): Promise<SubscriptionStatus>
  resumeSubscription(name: string, options?: ResumeOptions): Promise<SubscriptionStatus>
  /** Starts a new pass over the stream from a position; `shardId` limits it to one shard. */
  seekSubscription(
    name: string,
    to:
      | { readonly at: 'trim_horizon' | 'latest' }
      | { readonly at: 'at_timestamp'; readonly timestampMs: number }
      | { readonly at: 'at_sequence_number'; readonly sequenceNumber: string },
    options?: ActionOptions & { readonly shardId?: string },
  ): Promise<SubscriptionStatus>

  /** Each part with where it comes from, and the last 100 changes. */
  showPolicy(subscription: string): Promise<PolicyState>
  /**
   * Changes a policy while it counts: checked, durable, and every later decision is made by it.
   * @throws PolicyConflictError
   */
  changePolicy(subscription: string, change: PolicyChange, options?: PolicyOptions): Promise<PolicyResult>

  /**
   * Without a status, in this order: dead, held, retrying, archived, dropped, resolved. A page may be short, even
   * empty, and still have a next one.
   */
  listFailures(
    filter: FailureFilter,
    page?: { readonly limit?: number; readonly after?: string },
  ): Promise<FailurePage>
  /** Every matching item; the set is read page by page. */
  exportFailures(filter: FailureFilter, limit?: number): AsyncIterable<FailureDetail>
  failureGroups(filter: FailureFilter): Promise<readonly FailureGroup[]>
  showFailure(id: string): Promise<FailureDetail>
  /** `payload` is the event's whole envelope as UTF-8 JSON. Dead, archived and parked items can be edited. */
  editFailure(id: string, payload: Uint8Array, options?: EditOptions): Promise<EditResult>
  /** Dead or parked items become dropped (archived ones when asked for by status or id); a held key flows on. */
  dropFailures(filter: FailureFilter, options?: BulkOptions): Promise<BulkResult>
  archiveFailures(filter: FailureFilter, options?: BulkOptions): Promise<BulkResult>

  planRedrive(filter: FailureFilter, options?: RedriveOptions): Promise<RedrivePlan>
  startRedrive(filter: FailureFilter, options?: RedriveOptions): Promise<RedriveJob>
  listRedrives(): Promise<readonly RedriveJob[]>
  showRedrive(id: string): Promise<RedriveJob>
  cancelRedrive(id: string, options?: ActionOptions): Promise<RedriveJob>

  /** Newest first; at most 1,000, default 100. */
  listAudit(limit?: number): Promise<readonly AuditEntry[]>

  /** Prometheus text exposition format. */
  metrics(): Promise<string>
  /** True once every subscription reads (or is paused). */
  ready(): boolean
  /** Live state for server-sent events: a snapshot now and then, notices as they come; ends with the signal. */
  watch(
    signal: AbortSignal,
  ): AsyncIterable<
    | { readonly type: 'subscriptions'; readonly data: readonly SubscriptionStatus[] }
    | { readonly type: 'notice'; readonly data: Notice }
  >
  /** A consistent copy of the data directory while running. @throws BackupUnsupportedError on engines that have none. */
  backup(target: string): Promise<{ readonly bytes: number }>
}
