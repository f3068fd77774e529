import type { HandlerContext } from '../model/app.ts'

/** One call of a subscription's function, to be made on another thread. */
export interface ThreadCall {
  readonly handler: 'handle' | 'onExhausted'
  /** The event as it was stored; the thread decodes it and checks it against the schema. */
  readonly bytes: Uint8Array
  /** Its steps and appends are done here, for the thread. */
  readonly context: HandlerContext
  /** Not to be begun later than this from now: the claim of a retry ends. Absent: it waits for a thread as long as it takes. */
  readonly startWithinMs?: number
}

export interface CallOnThread {
  /** Settles as the function does. Rejects with NotStarted when it was not begun within `startWithinMs`. */
  readonly answer: Promise<unknown>
  /** How long it has been running, or ran; undefined: it waits for a thread. */
  ranMs(): number | undefined
  /** Aborts the signal that the function was given. */
  abort(reason: Error): void
  /** It was aborted and did not come back: a thread that does not answer any more is ended and replaced. */
  abandon(): void
}

/**
 * Calls a subscription's functions on other threads; how is the platform's business. A thread that dies fails what it
 * was running, and only that: what it had not begun goes to another one.
 */
export interface HandlerThreads {
  call(call: ThreadCall): CallOnThread
  close(): Promise<void>
}

/** The call was given back without having begun. */
export class NotStarted extends Error {}

/** Anything may be thrown, also what throws when it is looked at. */
export function isNotStarted(thrown: unknown): boolean {
  try {
    return thrown instanceof NotStarted
  } catch {
    return false
  }
}
