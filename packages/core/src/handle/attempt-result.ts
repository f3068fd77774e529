import { SchemaMismatchError } from '../errors/handler-errors.ts'
import type { EddyEvent } from '../model/event.ts'
import type { Attempt, ErrorInfo } from '../model/ledger-item.ts'
import { errorInfo } from '../policies/error-info.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptMeta } from './context.ts'

export type AttemptResult =
  | { readonly kind: 'ok'; readonly attempt: Attempt }
  | {
      readonly kind: 'failed'
      readonly attempt: Attempt
      readonly error: ErrorInfo
      readonly thrown: unknown
      /** Undefined when the bytes are no event. */
      readonly event: EddyEvent | undefined
      /** Set when no later attempt can go better: the record is undecodable or does not match the schema. */
      readonly hopeless?: string
    }
  /** The process is stopping: nothing is known, the event stays unresolved. `hasBegun`: no thread was free in time. */
  | { readonly kind: 'given-back'; readonly hasBegun?: false }

export const GIVEN_BACK: AttemptResult = { kind: 'given-back' }

/** When a call began, by both clocks. */
export interface CallStart {
  readonly atMs: number
  readonly monotonicMs: number
}

export function beginning(clock: Clock): CallStart {
  return { atMs: clock.now(), monotonicMs: clock.monotonicMs() }
}

export function durationSince(start: CallStart, clock: Clock): number {
  return Math.max(0, Math.round(clock.monotonicMs() - start.monotonicMs))
}

export function okResult(meta: AttemptMeta, start: CallStart, durationMs: number): AttemptResult {
  const { attempt, path } = meta
  return { kind: 'ok', attempt: { attempt, path, startedAtMs: start.atMs, durationMs } }
}

export interface FailedCall {
  readonly thrown: unknown
  readonly event: EddyEvent | undefined
  readonly isHopeless: boolean
}

/** @param error - of `thrown`, when it is known already */
export function failedResult(
  meta: AttemptMeta,
  start: CallStart,
  durationMs: number,
  { thrown, event, isHopeless }: FailedCall,
  error: ErrorInfo = errorInfo(thrown),
): AttemptResult {
  const { attempt, path } = meta
  return {
    kind: 'failed',
    attempt: { attempt, path, startedAtMs: start.atMs, durationMs, error },
    error,
    thrown,
    event,
    ...(isHopeless && { hopeless: error.message }),
  }
}

/** Anything may be thrown, also what throws when it is looked at. */
export function isMismatch(thrown: unknown): boolean {
  try {
    return thrown instanceof SchemaMismatchError
  } catch {
    return false
  }
}
