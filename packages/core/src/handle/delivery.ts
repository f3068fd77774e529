import type { EddyEvent } from '../model/event.ts'
import type { FailurePolicy } from '../model/failure.ts'
import type { Attempt, AttemptPath, ErrorInfo, LedgerItem } from '../model/ledger-item.ts'
import { type Decision, decideFailure } from '../policies/decide.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptResult } from './attempt-result.ts'
import type { EventMeta } from './context.ts'
import type { HandlerRunner } from './handler-runner.ts'

/** What came before this delivery; nothing on the live path. */
export type DeliveryStart = Pick<LedgerItem, 'attempts' | 'deliveries' | 'lastDelayMs' | 'budgetFrom'> & {
  readonly firstFailedAtMs: number | undefined
}

export const FIRST_DELIVERY: DeliveryStart = { attempts: 0, deliveries: 0, firstFailedAtMs: undefined }

export type FinalDecision = Exclude<Decision, { readonly kind: 'retry-now' }>

export type DeliveryResult =
  | {
      readonly kind: 'ok'
      readonly attempts: number
      readonly tries: readonly Attempt[]
      readonly lastError: ErrorInfo | undefined
    }
  | {
      readonly kind: 'failed'
      readonly attempts: number
      readonly tries: readonly Attempt[]
      readonly lastError: ErrorInfo
      readonly decision: FinalDecision
    }
  /** The process stops, or no thread was free for the call in time. */
  | { readonly kind: 'given-back'; readonly hasBegun?: false }
  /** Somebody else has the event. */
  | { readonly kind: 'lost' }

export interface DeliveryOptions {
  readonly path: AttemptPath
  readonly outOfOrder: boolean
  /** Called before each call of the handler with its attempt number; false: somebody else has the event. */
  readonly claim?: (attempt: number) => Promise<boolean>
  /** What a call was claimed for, read before each; default: it was not claimed. */
  readonly longestCallMs?: () => number
  /** False when another try in place would run into a deadline (rule 9 of the hold protocol). */
  readonly hasTimeLeft?: () => boolean
  /** Asked before a try in place: it takes what protects the downstream into account. */
  readonly mayTryInPlace?: () => boolean
  readonly onWarning?: (warning: string) => void
}

/** Looked at when something is to be decided: a long call is decided on by the policy at its end. */
export interface DeliveryPolicy {
  readonly failure: FailurePolicy
  readonly version: number
}

/** Takes an event up once: one call of the handler, and `immediate` further ones in place while it fails. */
export async function deliver(
  runner: HandlerRunner,
  policy: DeliveryPolicy,
  clock: Clock,
  meta: EventMeta,
  bytes: Uint8Array,
  start: DeliveryStart,
  options: DeliveryOptions,
): Promise<DeliveryResult> {
  const tries: Attempt[] = []
  let lastError: ErrorInfo | undefined
  for (let inPlaceTries = 0; ; inPlaceTries += 1) {
    const attempts = start.attempts + inPlaceTries + 1
    if (options.claim !== undefined && !(await options.claim(attempts))) return { kind: 'lost' }
    const result = await runner.run(meta, bytes, {
      attempt: attempts,
      path: options.path,
      outOfOrder: options.outOfOrder,
      ...(options.longestCallMs !== undefined && { longestCallMs: options.longestCallMs() }),
    })
    if (result.kind === 'given-back') return result
    const { failure, version } = policy
    tries.push(version === 0 ? result.attempt : { ...result.attempt, policyVersion: version })
    if (result.kind === 'ok') return { kind: 'ok', attempts, tries, lastError }
    lastError = result.error
    const hasTimeLeft = options.hasTimeLeft?.() ?? true
    const decision = decideAfter(
      failure,
      clock,
      result,
      start,
      attempts,
      hasTimeLeft ? inPlaceTries : failure.immediate,
      options.mayTryInPlace,
    )
    if (decision.warning !== undefined) options.onWarning?.(decision.warning)
    if (decision.kind !== 'retry-now') return { kind: 'failed', attempts, tries, lastError, decision }
  }
}

/** What a failed call means for its event. */
export function decideAfter(
  policy: FailurePolicy,
  clock: Clock,
  result: Extract<AttemptResult, { kind: 'failed' }>,
  start: DeliveryStart,
  attempts: number,
  inPlaceTries: number,
  mayTryInPlace: (() => boolean) | undefined,
): Decision {
  if (result.hopeless !== undefined) return { kind: 'dead-letter', reason: result.hopeless }
  const nowMs = clock.now()
  return decideFailure({
    policy,
    thrown: result.thrown,
    error: result.error,
    event: result.event as EddyEvent,
    attempts: attempts - (start.budgetFrom?.attempts ?? 0),
    deliveries: start.deliveries + 1,
    inPlaceTries,
    mayTryInPlace,
    firstFailedAtMs: start.budgetFrom?.sinceMs ?? start.firstFailedAtMs ?? nowMs,
    nowMs,
    lastDelayMs: start.lastDelayMs,
    random: () => clock.random(),
  })
}
