import type { NewEvent } from '@eddy/core'

/** One record of a request body: an event, or why it is none. */
export type ParsedRecord =
  | { readonly ok: true; readonly event: NewEvent }
  | { readonly ok: false; readonly message: string }

/** How the records of a body become events. */
export interface RecordOptions {
  /** `lines`: newline-delimited JSON. `json`: one value, or an array of them. */
  readonly format: 'json' | 'lines'
  /** Values are data, not events. */
  readonly raw: boolean
  /** Dot path of the partition key within each value. */
  readonly keyField?: string
  /** Dot path of the explicit hash key; with `raw`. */
  readonly explicitHashKeyField?: string
  /** Event type; with `raw`. */
  readonly type?: string
  readonly maxRecords: number
}
