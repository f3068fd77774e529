import type { NewEvent } from '@eddy/core'
import type { BodyOptions, Parsed } from './parse-body.ts'

/** One record of a request body: an event, or why it is none. */
export type ParsedRecord = Parsed<NewEvent>

/** How the records of a body become events. */
export interface RecordOptions extends BodyOptions {
  /** Values are data, not events. */
  readonly raw: boolean
  /** Dot path of the partition key within each value. */
  readonly keyField?: string
  /** Dot path of the explicit hash key; with `raw`. */
  readonly explicitHashKeyField?: string
  /** Event type; with `raw`. */
  readonly type?: string
}
