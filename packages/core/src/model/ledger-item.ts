import type { Position } from './position.ts'

/**
 * `retrying`: will be tried again at `dueAtMs`. `held`: waits behind a failing event of its key, or (`parked`) for a
 * person. `dead`: given up. `archived`: dead and put aside. `resolved`: handled, or replaced by an edit. `dropped`.
 */
export type FailureStatus = 'retrying' | 'held' | 'dead' | 'archived' | 'resolved' | 'dropped'

export const FAILURE_STATUSES: readonly FailureStatus[] = [
  'retrying',
  'held',
  'dead',
  'archived',
  'resolved',
  'dropped',
]

/** Nothing will be done with an item of these statuses unless a person asks. */
export const FINAL_STATUSES: readonly FailureStatus[] = ['dead', 'archived', 'resolved', 'dropped']

export interface ErrorInfo {
  /** Error name, or `NonError` for a thrown value that is not an Error. */
  readonly type: string
  /** At most 4,096 characters. */
  readonly message: string
  /** At most 8,192 characters. */
  readonly stack?: string
  readonly code?: string
  readonly fingerprint: string
}

export type AttemptPath = 'live' | 'retry' | 'redrive'

export interface Attempt {
  /** 1 for the first call of the handler. */
  readonly attempt: number
  readonly path: AttemptPath
  readonly startedAtMs: number
  readonly durationMs: number
  /** Absent: it succeeded. */
  readonly error?: ErrorInfo
  /** Of the policy that decided what came of it; absent: the application file's. */
  readonly policyVersion?: number
}

export interface Redrive {
  readonly jobId: string
  readonly by: string
  readonly atMs: number
}

/** One event that failed at least once (or waits behind one that did) in one subscription. */
export interface LedgerItem {
  /** `<subscription>:<lane hash>:<position>`, safe in a URL path segment after encoding. */
  readonly id: string
  readonly subscription: string
  readonly stream: string
  readonly shardId: string
  readonly sequenceNumber: string
  /** Place in the aggregate that the record came in. */
  readonly subSequenceNumber?: number
  readonly position: Position
  readonly key: string
  readonly explicitHashKey?: string
  readonly eventId: string
  readonly eventType: string
  readonly arrivedAtMs: number
  readonly status: FailureStatus
  /** With `held`: waits for a person, not for an earlier event. */
  readonly parked?: boolean
  /** Why it ended as it did, in words; for `dead`, `dropped` and `resolved`. */
  readonly reason?: string
  /** Handler calls so far, the one under way included. Raised before the call (it survives a crash). */
  readonly attempts: number
  /** How many times it was taken up; the backoff's step. */
  readonly deliveries: number
  /** The last ones, at most 20; `attempts` counts all. */
  readonly history: readonly Attempt[]
  readonly lastError?: ErrorInfo
  readonly fingerprint?: string
  readonly firstFailedAtMs: number
  readonly updatedAtMs: number
  /** When it came into its present status. */
  readonly statusAtMs: number
  /** With `retrying`: not before this time. */
  readonly dueAtMs?: number
  readonly lastDelayMs?: number
  /** An attempt is under way until then; afterwards it counts as crashed. */
  readonly claimedUntilMs?: number
  readonly claimedBy?: string
  /** Claims in a row that ended in the death of the process. */
  readonly crashes?: number
  /** Tries are used up and the key's waiting tail is to be dead-lettered with it; not tried again. */
  readonly cutting?: boolean
  /** Set by a redrive: attempts and age count from here. */
  readonly budgetFrom?: { readonly attempts: number; readonly sinceMs: number }
  readonly payloadBytes: number
  /** Set when the payload is a blob rather than a table item. */
  readonly payloadBlob?: string
  /** Redrives that a person asked for, newest last. */
  readonly redrives: readonly Redrive[]
  /** With a redrive under way on a flowing key: one attempt, out of order; failure returns to dead. */
  readonly outOfOrder?: boolean
  /** Edits: the item this one replaces, and the one that replaces this. */
  readonly editOf?: string
  readonly editedBy?: string
  readonly note?: string
}
