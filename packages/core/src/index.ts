export { EddyError, type ErrorDetails, isEddyError } from './errors/eddy-error.ts'
export {
  AppLoadError,
  CorruptDataError,
  DataDirForeignError,
  DataDirLockedError,
  DataDirVersionError,
  EngineClosedError,
  PortInUseError,
  StorageError,
} from './errors/engine-errors.ts'
export {
  HandlerCrashedError,
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
export {
  BackupUnsupportedError,
  ConnectionError,
  EditConflictError,
  FailureNotFoundError,
  FailureStateError,
  InvalidOptionError,
  OutOfOrderError,
  PublishError,
  ReadOnlyError,
  RedriveNotFoundError,
  SubscriptionNotFoundError,
  UnauthorizedError,
} from './errors/request-errors.ts'
export {
  InvalidEventError,
  RecordTooLargeError,
  ShardNotFoundError,
  ShardStateError,
  StreamExistsError,
  StreamNotFoundError,
} from './errors/stream-errors.ts'
export type {
  AppDefinition,
  From,
  Handler,
  HandlerContext,
  Notice,
  NotifySink,
  StreamDefinition,
  SubscribeOptions,
  SubscriptionDefinition,
} from './model/app.ts'
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
export type { EventFilter, FilterTest } from './model/filter.ts'
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
export {
  afterPosition,
  compareSequence,
  editedPosition,
  type Position,
  parsePosition,
  positionOf,
} from './model/position.ts'
export type { Logger } from './observe/logger.ts'
export { silentLogger } from './observe/logger.ts'
export type {
  ActionOptions,
  AppendOptions,
  AppendOutcome,
  BulkOptions,
  BulkResult,
  EditResult,
  FailureDetail,
  FailureFilter,
  FailureGroup,
  FailurePage,
  Operations,
  Payload,
  RedriveJob,
  RedriveOptions,
  RedrivePlan,
  ShardStatus,
  StreamDetail,
  SubscriptionShardStatus,
  SubscriptionStatus,
} from './operate/operations.ts'
export type { BlobInfo, Blobs } from './ports/blobs.ts'
export type { Clock } from './ports/clock.ts'
export type { Engine } from './ports/engine.ts'
export type {
  AppendEntry,
  AppendErrorCode,
  AppendResult,
  Log,
  LogRecord,
  ReadRequest,
  ReadResult,
  ShardInfo,
  StartPosition,
  StreamInfo,
  StreamSpec,
} from './ports/log.ts'
export type {
  Delivery,
  Queue,
  QueueMessage,
  ReceiveRequest,
  SendResult,
} from './ports/queue.ts'
export type {
  Expect,
  IndexKey,
  ItemKey,
  PutItem,
  QueryPage,
  QueryRequest,
  Table,
  TableItem,
  TableValue,
  WriteResult,
} from './ports/table.ts'
