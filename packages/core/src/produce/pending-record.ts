import type { AppendOutcome } from '../operate/operations.ts'
import type { AppendEntry } from '../ports/log.ts'

/** A record that is ready to be sent. */
export interface NewRecord {
  readonly id: string
  /** What orders it; undefined: it waits for nothing. */
  readonly lane: string | undefined
  readonly entry: AppendEntry
  /** The producer numbers its records itself: on logs that do not drop copies it marks them as it likes. */
  readonly isOwnMark: boolean
}

/** What an item is to become: a record, or refused before it is sent. */
export type Prepared =
  | { readonly ok: true; readonly record: NewRecord }
  | { readonly ok: false; readonly outcome: AppendOutcome }

/** A record on its way. */
export interface PendingRecord {
  readonly call: WriterCall
  /** Place in the call. */
  readonly index: number
  readonly id: string
  lane: string | undefined
  entry: AppendEntry
  /** Data and key, as services count them. */
  bytes: number
  readonly isOwnMark: boolean
  isMarked: boolean
  /** Place among all that the writer was given. */
  order: number
  tries: number
  /** On the monotonic clock; undefined before the first try. */
  firstSentMs: number | undefined
  /** An answer was lost, or said too little: it may be stored. */
  mayBeStored: boolean
}

/** Whoever gave records to a writer. Each record comes back once: settled, given back or refused. */
export interface WriterCall {
  /** Lanes with a record that was given up though it might have been accepted later: nothing follows it. */
  readonly closedLanes: Set<string>
  /** Nothing more of it is sent. */
  readonly isStopped: boolean
  readonly counts: SentCounts
  settle(record: PendingRecord, outcome: AppendOutcome): void
  /** The call was stopped before the record was stored; that it is not is known. */
  giveBack(record: PendingRecord): void
  /** The log refused everything, for a reason that no record could escape. */
  refuse(records: readonly PendingRecord[], error: unknown): void
  /** A batch with records of the call is settled. */
  batchEnded?(): void
}

/** Kept by the writer. */
export interface SentCounts {
  batches: number
  /** Sendings after a record's first one. */
  resent: number
  /** Of the sendings, those that a limit refused. */
  throttled: number
}
