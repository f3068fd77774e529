import { InvalidOptionError } from '../errors/request-errors.ts'
import type { Outcome } from '../model/failure.ts'

/** An outcome that can be thrown: an Error with a stack, which is also the outcome's data. */
export class OutcomeError extends Error {
  readonly outcome: Outcome
  /** True for an outcome of any copy of this package. */
  readonly isEddyOutcome = true

  constructor(outcome: Outcome) {
    super(describeOutcome(outcome))
    this.name = 'OutcomeError'
    this.outcome = outcome
    Object.assign(this, outcome)
  }
}

export type ThrowableOutcome = OutcomeError & Outcome

/** What a handler throws, or `classify` returns, to say what a failure means. */
export const outcome: {
  /**
   * Try again, not before `delayMs` from now, if the policy has an attempt left. Negative: dead-letter.
   * @throws InvalidOptionError when `delayMs` is not a finite number
   */
  retryAfterMs(delayMs: number): ThrowableOutcome
  /** No further attempt: dead-letter the event with this reason. */
  deadLetter(reason: string): ThrowableOutcome
  /** No further attempt, and nobody needs to look: the event is counted and logged as dropped. */
  drop(reason: string): ThrowableOutcome
} = {
  retryAfterMs: function retryAfterMs(delayMs) {
    if (typeof delayMs !== 'number' || !Number.isFinite(delayMs)) {
      throw new InvalidOptionError('outcome.retryAfterMs(delayMs)', 'a number of milliseconds', delayMs)
    }
    return throwable({ kind: 'retry-after', delayMs }, retryAfterMs)
  },
  deadLetter: function deadLetter(reason) {
    return throwable({ kind: 'dead-letter', reason: reasonOf(reason) }, deadLetter)
  },
  drop: function drop(reason) {
    return throwable({ kind: 'drop', reason: reasonOf(reason) }, drop)
  },
}

/** True for what `outcome.*` returns, and for plain data of the same shape. */
export function isOutcome(value: unknown): value is Outcome {
  return outcomeOf(value) !== undefined
}

/** The outcome that `value` is or carries. An ordinary Error never is one, whatever its fields. Never throws. */
export function outcomeOf(value: unknown): Outcome | undefined {
  const thrown = thrownOutcomeOf(value)
  if (thrown !== undefined) return thrown
  try {
    if (typeof value !== 'object' || value === null || value instanceof Error) return undefined
    return shapeOf(value)
  } catch {
    return undefined
  }
}

/**
 * The outcome that a thrown value is. Only an OutcomeError (of any copy of the package) is one: what a domain throws may
 * happen to have the fields of an outcome, and must not drop an event. Never throws.
 */
export function thrownOutcomeOf(thrown: unknown): Outcome | undefined {
  try {
    if (typeof thrown !== 'object' || thrown === null) return undefined
    const { isEddyOutcome, outcome: data } = thrown as { isEddyOutcome?: unknown; outcome?: unknown }
    return isEddyOutcome === true && typeof data === 'object' && data !== null ? shapeOf(data) : undefined
  } catch {
    return undefined
  }
}

function shapeOf(value: object): Outcome | undefined {
  const { kind, delayMs, reason } = value as { kind?: unknown; delayMs?: unknown; reason?: unknown }
  if (kind === 'retry-after' && typeof delayMs === 'number' && Number.isFinite(delayMs)) {
    return { kind, delayMs }
  }
  if ((kind === 'dead-letter' || kind === 'drop') && typeof reason === 'string') return { kind, reason }
  return undefined
}

function throwable(data: Outcome, from: (...args: never[]) => unknown): ThrowableOutcome {
  const error = new OutcomeError(data)
  // The stack begins where the handler gave up, not in here.
  const { captureStackTrace } = Error as { captureStackTrace?: (target: object, from: unknown) => void }
  captureStackTrace?.(error, from)
  return error as ThrowableOutcome
}

function reasonOf(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? reason : 'no reason given'
}

function describeOutcome(data: Outcome): string {
  switch (data.kind) {
    case 'retry-after':
      return `retry after ${data.delayMs} ms`
    case 'dead-letter':
      return `dead-letter: ${data.reason}`
    case 'drop':
      return `drop: ${data.reason}`
  }
}
