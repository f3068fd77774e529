import { describe } from '../errors/describe.ts'
import type { EddyEvent } from '../model/event.ts'
import type { FailurePolicy, FailureRule, Outcome, RetryPolicy } from '../model/failure.ts'
import type { ErrorInfo } from '../model/ledger-item.ts'
import { backoffDelayMs, MAX_DELAY_MS } from './backoff.ts'
import { outcomeOf, thrownOutcomeOf } from './outcome.ts'

export interface Failure {
  readonly policy: FailurePolicy
  readonly thrown: unknown
  /** `errorInfo(thrown)`. */
  readonly error: ErrorInfo
  readonly event: EddyEvent
  /** Handler calls so far, the failed one included. */
  readonly attempts: number
  /** How many times the event was taken up, this one included: the backoff's step. */
  readonly deliveries: number
  /** Further tries already made in place in this delivery: 0 after its first call. */
  readonly inPlaceTries: number
  /** Asked before a try in place; false: the event leaves for a later retry. */
  readonly mayTryInPlace?: (() => boolean) | undefined
  readonly firstFailedAtMs: number
  readonly nowMs: number
  readonly lastDelayMs?: number | undefined
  readonly random: () => number
}

/** What to do with a failed event. `warning` tells of a `classify` that threw or answered nonsense: log it. */
export type Decision = { readonly warning?: string } & (
  | {
      readonly kind: 'retry'
      readonly delayMs: number
      readonly dueAtMs: number
      /** The handler, or its downstream, asked for so long. */
      readonly hintMs?: number
    }
  /** Another try in place, at once, if the time left allows it. */
  | { readonly kind: 'retry-now' }
  /** A person's decision: an outcome or a rule. */
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }
  /** Attempts or age are used up: apply `policy.exhausted`. */
  | { readonly kind: 'exhausted'; readonly reason: string }
)

/**
 * Decides over one failed call of a handler. First that speaks: an outcome the handler threw, `classify`, the first
 * rule that matches, the policy's own `retry`. Pure: time and chance come with the argument.
 */
export function decideFailure(failure: Failure): Decision {
  const thrown = thrownOutcomeOf(failure.thrown)
  if (thrown !== undefined) return applyOutcome(failure, thrown)
  const { outcome, warning } = classified(failure)
  const decision = outcome === undefined ? applyRules(failure) : applyOutcome(failure, outcome)
  return warning === undefined ? decision : { ...decision, warning }
}

function classified(failure: Failure): { readonly outcome?: Outcome; readonly warning?: string } {
  const { classify } = failure.policy
  if (classify === undefined) return {}
  let answer: unknown
  try {
    answer = classify(failure.thrown, { event: failure.event, attempt: failure.attempts })
  } catch (error) {
    return { warning: `classify threw ${describeThrown(error)}; the rules decide instead` }
  }
  if (answer === undefined) return {}
  const outcome = outcomeOf(answer)
  if (outcome !== undefined) return { outcome }
  if (answer instanceof Promise) answer.catch(() => {})
  const received = answer instanceof Promise ? 'a promise' : describe(answer)
  return { warning: `classify returned ${received}, not an outcome or undefined; the rules decide instead` }
}

function describeThrown(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : describe(error)
  } catch {
    return 'a value that cannot be read'
  }
}

function applyOutcome(failure: Failure, outcome: Outcome): Decision {
  switch (outcome.kind) {
    case 'dead-letter':
    case 'drop':
      return { kind: outcome.kind, reason: outcome.reason }
    case 'retry-after':
      if (outcome.delayMs < 0) {
        return { kind: 'dead-letter', reason: `retry-after hint of ${outcome.delayMs} ms` }
      }
      // The handler named the delay: it replaces the backoff's, but spends an attempt like any other.
      return retryBy(failure, failure.policy.retry, { delayMs: outcome.delayMs, exact: true })
  }
}

function applyRules(failure: Failure): Decision {
  const hintMs = hintedDelayMs(failure.thrown)
  const hint = hintMs === undefined ? undefined : { delayMs: hintMs, exact: false }
  const rule = failure.policy.rules.find((candidate) => matches(candidate, failure.error))
  if (rule === undefined) return retryBy(failure, failure.policy.retry, hint)
  if ('retry' in rule) return retryBy(failure, rule.retry, hint)
  return { kind: rule.then, reason: `rule for ${describeRule(rule)}` }
}

function matches(rule: FailureRule, error: ErrorInfo): boolean {
  if (rule.error !== undefined && rule.error !== error.type && rule.error !== error.code) return false
  return rule.message === undefined || error.message.includes(rule.message)
}

function describeRule(rule: FailureRule): string {
  const parts = [rule.error, rule.message === undefined ? undefined : `message ${describe(rule.message)}`]
  return parts.filter((part) => part !== undefined).join(', ')
}

interface Hint {
  readonly delayMs: number
  /** Replaces the backoff's delay, rather than standing as its lower bound. */
  readonly exact: boolean
}

function retryBy(failure: Failure, retry: RetryPolicy, hint: Hint | undefined): Decision {
  const { policy, attempts, nowMs } = failure
  if (attempts >= retry.maxAttempts) {
    return { kind: 'exhausted', reason: `${attempts} of ${retry.maxAttempts} attempts failed` }
  }
  const ageMs = nowMs - failure.firstFailedAtMs
  if (policy.maxAgeMs !== undefined && ageMs >= policy.maxAgeMs) {
    return { kind: 'exhausted', reason: `failing for ${ageMs} ms, over maxAgeMs ${policy.maxAgeMs}` }
  }
  const isInPlace = hint === undefined && failure.inPlaceTries < policy.immediate
  if (isInPlace && (failure.mayTryInPlace?.() ?? true)) return { kind: 'retry-now' }
  const backoffMs = backoffDelayMs(retry, failure.deliveries, failure.lastDelayMs, failure.random)
  if (backoffMs === undefined) {
    return { kind: 'exhausted', reason: `the retry list ends after delivery ${failure.deliveries}` }
  }
  const delayMs = hint === undefined ? backoffMs : hinted(hint, backoffMs)
  return {
    kind: 'retry',
    delayMs,
    dueAtMs: nowMs + delayMs,
    ...(hint !== undefined && { hintMs: hint.delayMs }),
  }
}

/** I5: rounded up, so that the event is never due before the hint. */
function hinted(hint: Hint, backoffMs: number): number {
  const hintMs = Math.min(MAX_DELAY_MS, Math.ceil(hint.delayMs))
  return hint.exact ? hintMs : Math.max(hintMs, backoffMs)
}

/**
 * What HTTP clients put on their errors: `retryAfterMs`, or `retryAfter` in seconds, also as the text of the header.
 * Negative and unreadable values say nothing: a client that subtracts a date gets below zero when the wait is over.
 */
function hintedDelayMs(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  try {
    const { retryAfterMs, retryAfter } = thrown as { retryAfterMs?: unknown; retryAfter?: unknown }
    return usableDelay(retryAfterMs, 1) ?? usableDelay(retryAfter, 1_000)
  } catch {
    return undefined
  }
}

function usableDelay(value: unknown, unitMs: number): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number * unitMs : undefined
}
