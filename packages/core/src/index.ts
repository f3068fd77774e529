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
export type * from './model/app.ts'
export type * from './model/event.ts'
export type * from './model/failure.ts'
export type * from './model/filter.ts'
export type * from './model/ledger-item.ts'
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
export type * from './operate/operations.ts'
export type * from './ports/blobs.ts'
export type * from './ports/clock.ts'
export type * from './ports/engine.ts'
export type * from './ports/log.ts'
export type * from './ports/queue.ts'
export type * from './ports/table.ts'
