export { Aggregate } from './aggregate/aggregate.ts'
export type { Tag } from './aggregate/aggregate-format.ts'
export { decodeAggregate } from './aggregate/decode-aggregate.ts'
export { AggregateBuilder, type AggregateEntry } from './aggregate/encode-aggregate.ts'
export { logPosition, type ReadPosition, recordPosition } from './aggregate/read-position.ts'
export type { UserRecord } from './aggregate/user-record.ts'
export type { UserReadRequest } from './consume/read-user-records.ts'
export type { Slice as UserRecords } from './consume/read-window.ts'
export { decodeRuns, encodeRuns } from './consume/resolved-runs.ts'
export { EddyError, type ErrorDetails, isEddyError } from './errors/eddy-error.ts'
export {
  AppLoadError,
  CorruptDataError,
  DataDirForeignError,
  DataDirLockedError,
  DataDirVersionError,
  EngineClosedError,
  EngineOwnedError,
  EngineSharedError,
  NotifyError,
  PortInUseError,
  StorageError,
} from './errors/engine-errors.ts'
export {
  BatchItemOmittedError,
  BatchResultError,
  HandlerCrashedError,
  HandlerThreadError,
  HandlerTimeoutError,
  SchemaMismatchError,
  StepLimitError,
  UndecodableEventError,
} from './errors/handler-errors.ts'
export {
  ForbiddenRequestError,
  InvalidRequestError,
  MethodNotAllowedError,
  RequestTooLargeError,
  RouteNotFoundError,
  ServerBusyError,
  UnsupportedContentTypeError,
} from './errors/http-errors.ts'
export { ProduceError } from './errors/produce-error.ts'
export { QueueNotFoundError } from './errors/queue-errors.ts'
export {
  BackupUnsupportedError,
  ConnectionError,
  EditConflictError,
  FailureNotFoundError,
  FailureStateError,
  InvalidOptionError,
  OutOfOrderError,
  PolicyConflictError,
  PublishError,
  ReadOnlyError,
  RedriveNotFoundError,
  SeekAmongWorkersError,
  SubscriptionNotFoundError,
  UnauthorizedError,
} from './errors/request-errors.ts'
export {
  InvalidEventError,
  KeysIgnoredError,
  RecordTooLargeError,
  retryAfterMsOf,
  ShardNotFoundError,
  ShardStateError,
  StreamExistsError,
  StreamInUseError,
  StreamNotFoundError,
  ThrottledError,
} from './errors/stream-errors.ts'
export { partitionWidth } from './fail/keys.ts'
export { readStoredFailure, type StoredFailure } from './fail/stored-failure.ts'
export {
  type CallOnThread,
  type HandlerThreads,
  NotStarted,
  type ThreadCall,
} from './handle/handler-threads.ts'
export { invoke, isThenable } from './handle/invoke.ts'
export {
  createInvocations,
  type Invocations,
  type InvocationsOptions,
  type MessagesInvocation,
  type MessagesRescue,
  type RecordsInvocation,
  type RecordsRescue,
} from './invocations/invocations.ts'
export type { Rescued } from './invocations/rescue-events.ts'
export type { Swept } from './invocations/sweep.ts'
export { type LeasesOptions, leases, type Ownership } from './lease/leases.ts'
export { withLimits } from './limits/change-limits.ts'
export { limitedLog } from './limits/limited-log.ts'
export type { LimitedLogParts } from './limits/limited-log-parts.ts'
export { ShardBudgets } from './limits/shard-budgets.ts'
export { TokenBucket } from './limits/token-bucket.ts'
export { TokenBuckets } from './limits/token-buckets.ts'
export type {
  AppDefinition,
  From,
  HandleOptions,
  Handler,
  HandlerContext,
  Notice,
  NotifySink,
  QueueSubscribeOptions,
  ReadingOptions,
  StreamDefinition,
  SubscribeOptions,
  SubscriptionDefinition,
} from './model/app.ts'
export type { AppendMarks } from './model/append-marks.ts'
export {
  type BatchContext,
  type BatchDefinition,
  type BatchHandler,
  type BatchItem,
  type BatchOptions,
  failed,
  type ItemOutcome,
  succeeded,
} from './model/batch.ts'
export { blobKeyParts } from './model/blob-key.ts'
export { type AppOptions, defineApp, isApp } from './model/define-app.ts'
export { decodeEvent, type EncodeContext, encodeEvent, isCloudEvent } from './model/envelope.ts'
export type { EddyEvent, NewEvent } from './model/event.ts'
export type {
  Blocks,
  Classify,
  Exhausted,
  FailureOptions,
  FailurePolicy,
  FailureRule,
  Jitter,
  Outcome,
  RetryPolicy,
} from './model/failure.ts'
export { valueAt } from './model/field-path.ts'
export type { EventFilter, FilterTest } from './model/filter.ts'
export {
  equalShardRanges,
  type HashKeyRange,
  hashKeyFromHex,
  hashKeyToHex,
  isHashKey,
  MAX_HASH_KEY,
  midpointHashKey,
  rangesAdjoin,
  shardRangeContains,
} from './model/hash-key.ts'
export {
  type Attempt,
  type AttemptPath,
  type ErrorInfo,
  FAILURE_STATUSES,
  type FailureStatus,
  FINAL_STATUSES,
  type LedgerItem,
  type Redrive,
} from './model/ledger-item.ts'
export type { NewMessage, QueueDefinition, SendOutcome } from './model/message.ts'
export {
  POLICY_PATHS,
  type PolicyChange,
  type PolicyChangeRecord,
  type PolicyDifference,
  type PolicyPart,
  type PolicyPath,
  type PolicyResult,
  type PolicyState,
  type PolicyValue,
  type RejectedPart,
} from './model/policy-state.ts'
export {
  afterPosition,
  compareSequence,
  editedPosition,
  type Position,
  parsePosition,
  positionOf,
} from './model/position.ts'
export type { BreakerPolicy, ProtectOptions, ProtectPolicy, RetryBudgetPolicy } from './model/protect.ts'
export { type QueueOptions, queue } from './model/queue.ts'
export { recordName } from './model/record-name.ts'
export {
  checkRetentionLimits,
  KINESIS_LIMITS,
  type LimitsOption,
  type LimitsPreset,
  ON_DEMAND_SHARDS,
  resolveFaults,
  resolveLimits,
} from './model/resolve-limits.ts'
export { validateData } from './model/schema.ts'
export type { ServiceFaults, ServiceLimits } from './model/service-limits.ts'
export { type StreamOptions, stream } from './model/stream.ts'
export { subscribe } from './model/subscribe.ts'
export { logSink } from './observe/log-sink.ts'
export type { Logger } from './observe/logger.ts'
export { silentLogger } from './observe/logger.ts'
export { Notifier, type NotifierOptions, type SinkStats } from './observe/notifier.ts'
export type { SubscriptionMetrics } from './observe/subscription-metrics.ts'
export { type WebhookOptions, webhookSink } from './observe/webhook-sink.ts'
export type {
  ActionOptions,
  AppendOptions,
  AppendOutcome,
  AuditEntry,
  BulkOptions,
  BulkResult,
  EditOptions,
  EditResult,
  FailureDetail,
  FailureFilter,
  FailureGroup,
  FailurePage,
  Operations,
  Payload,
  PolicyOptions,
  PurgeOptions,
  PurgeResult,
  QueueDepth,
  QueueStatus,
  RedriveJob,
  RedriveOptions,
  RedrivePlan,
  ResumeOptions,
  SubscriptionQueueStatus,
  SubscriptionStatus,
} from './operate/operations.ts'
export type { NewStream, ShardStatus, StreamChange, StreamDetail } from './operate/stream-shapes.ts'
export type { ProtectionStatus, SubscriptionShardStatus } from './operate/subscription-shapes.ts'
export { backoffDelayMs, MAX_DELAY_MS } from './policies/backoff.ts'
export { type Decision, decideFailure, type Failure } from './policies/decide.ts'
export { errorInfo } from './policies/error-info.ts'
export { failurePolicy } from './policies/failure-policy.ts'
export { compileFilter } from './policies/filter.ts'
export { fingerprint } from './policies/fingerprint.ts'
export {
  isOutcome,
  OutcomeError,
  outcome,
  outcomeOf,
  type ThrowableOutcome,
  thrownOutcomeOf,
} from './policies/outcome.ts'
export { protectPolicy } from './policies/protect-policy.ts'
export {
  checkRetryPolicy,
  type ExponentialOptions,
  exponential,
  type FixedOptions,
  fixed,
  type LinearOptions,
  type ListOptions,
  linear,
  list,
  type RetryOf,
} from './policies/retry.ts'
export type { BlobInfo, Blobs } from './ports/blobs.ts'
export { messageProblem } from './ports/check-message.ts'
export type { Clock } from './ports/clock.ts'
export type { Engine } from './ports/engine.ts'
export type {
  AppendEntry,
  AppendErrorCode,
  AppendResult,
  LimitsChange,
  Log,
  LogAppendOptions,
  LogRecord,
  ReadEachRequest,
  ReadEachResult,
  ReadRequest,
  ReadResult,
  RecordBytes,
  ShardInfo,
  StartPosition,
  StreamInfo,
  StreamSpec,
  ThrottledCounts,
} from './ports/log.ts'
export { putInOrder } from './ports/put-in-order.ts'
export {
  DEDUPLICATION_WINDOW_MS,
  type Delivery,
  MAX_BODY_BYTES,
  MAX_MESSAGE_DELAY_MS,
  type Queue,
  type QueueMessage,
  type QueueStats,
  type ReceiveRequest,
  type SendResult,
} from './ports/queue.ts'
export type {
  Expect,
  IndexKey,
  ItemKey,
  OrderedPut,
  PutItem,
  QueryPage,
  QueryRequest,
  Table,
  TableItem,
  TableValue,
  WriteResult,
} from './ports/table.ts'
export { type BytesInValue, putBytesBack, takeBytesOut } from './ports/value-bytes.ts'
export type {
  EncodedRecord,
  Ordering,
  PreparedItem,
  ProduceOptions,
  ProduceProgress,
  ProduceReport,
  ShardPace,
} from './produce/produce-options.ts'
export { type ItemContext, Producer, type ProducerOptions } from './produce/producer.ts'
export type { ProducerLog } from './produce/producer-log.ts'
export { randomUuid } from './produce/uuid.ts'
export { type Runtime, type RuntimeOptions, startRuntime } from './runtime/runtime.ts'
export type { SubscriptionFigures, WaitingFigures } from './runtime/subscription-figures.ts'
