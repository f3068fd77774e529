import type { Attempt, ErrorInfo, LedgerItem } from '../model/ledger-item.ts'
import { wholeItem } from './whole-item.ts'

/**
 * A ledger item as the table keeps it. Each error is there once, since most tries fail alike and stacks are long; a
 * small payload lies beside the item, which saves a write, a read and a removal.
 */
export interface StoredFailure {
  readonly item: Omit<LedgerItem, 'history' | 'lastError'> & {
    readonly history: readonly StoredAttempt[]
    readonly lastError?: ErrorIndex
  }
  readonly errors: readonly ErrorInfo[]
  readonly payload?: Uint8Array
}

type StoredAttempt = Omit<Attempt, 'error'> & { readonly error?: ErrorIndex }

/** Of `errors`. */
type ErrorIndex = number

export function makeStoredFailure(item: LedgerItem, payload: Uint8Array | undefined): StoredFailure {
  const errors: ErrorInfo[] = []
  const indexOf = (error: ErrorInfo): ErrorIndex => {
    const known = errors.findIndex((other) => isSame(other, error))
    return known >= 0 ? known : errors.push(error) - 1
  }
  const history = item.history.map((attempt) => withError(attempt, attempt.error && indexOf(attempt.error)))
  const lastError = item.lastError === undefined ? undefined : indexOf(item.lastError)
  const stored = { ...item, history, lastError } as StoredFailure['item']
  return { item: stored, errors, ...(payload !== undefined && { payload }) }
}

/** @param stored - of data format 1 too, where an item was stored as it is, and its payload elsewhere */
export function readStoredFailure(stored: StoredFailure | LedgerItem): LedgerItem {
  if (!('item' in stored)) return wholeItem(stored)
  const { item, errors } = stored
  const errorAt = (index: ErrorIndex | undefined): ErrorInfo | undefined =>
    index === undefined ? undefined : errors[index]
  const history = item.history.map((attempt) => withError(attempt, errorAt(attempt.error)))
  return wholeItem({ ...item, history, lastError: errorAt(item.lastError) } as LedgerItem)
}

/** An attempt with its error in the other form. */
function withError<E>(
  attempt: Omit<Attempt, 'error'>,
  error: E | undefined,
): Omit<Attempt, 'error'> & { readonly error?: E } {
  // Either both have an error, which is replaced in the copy, or neither has one.
  return error === undefined ? attempt : { ...attempt, error }
}

function isSame(a: ErrorInfo, b: ErrorInfo): boolean {
  return (
    a === b ||
    (a.fingerprint === b.fingerprint &&
      a.type === b.type &&
      a.message === b.message &&
      a.stack === b.stack &&
      a.code === b.code)
  )
}
