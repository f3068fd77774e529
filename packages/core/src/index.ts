export type * from './model/app.ts'
export { EddyError, type ErrorDetails, isEddyError } from './model/errors.ts'
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
