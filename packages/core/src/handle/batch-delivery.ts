import type { Attempt, ErrorInfo } from '../model/ledger-item.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptResult } from './attempt-result.ts'
import type { BatchEntry } from './batch-call.ts'
import { type DeliveryPolicy, type DeliveryResult, decideAfter, FIRST_DELIVERY } from './delivery.ts'
import type { HandlerRunner } from './handler-runner.ts'

/** `again`: an earlier event of its lane failed. What was done with this one does not count; it is to be taken up anew. */
export type BatchedResult = DeliveryResult | { readonly kind: 'again' }

export interface BatchDeliveryOptions<E> {
  /** Told as soon as it is known: one lane's tries in place keep no other lane waiting (I4). */
  readonly onResult: (entry: E, result: BatchedResult) => void
  /** Asked before an event is tried in place. */
  readonly mayTryInPlace: () => boolean
  /** Asked once before those are tried together: how the others went may have changed the answer. */
  readonly mayCallAgain: (events: number) => boolean
  readonly onWarning: (entry: E, warning: string) => void
}

/** What an event that is tried in place has behind it. */
interface Past {
  readonly tries: Attempt[]
  readonly lastError: ErrorInfo
}

const AGAIN: BatchedResult = { kind: 'again' }
const GIVEN_BACK: BatchedResult = { kind: 'given-back' }

/**
 * Takes new events up together: one call of the handler, and `immediate` further ones in place with what failed. Each
 * event is decided over by itself, by the same rules as one that is handled alone.
 */
export async function deliverBatch<E extends BatchEntry>(
  runner: HandlerRunner,
  policy: DeliveryPolicy,
  clock: Clock,
  entries: readonly E[],
  options: BatchDeliveryOptions<E>,
): Promise<void> {
  const { onResult } = options
  let open = entries
  let pasts: readonly (Past | undefined)[] = []
  for (let attempts = 1; open.length > 0; attempts += 1) {
    const attempt = { attempt: attempts, path: 'live', outOfOrder: false } as const
    const results = await runner.runBatch(open, attempt, policy.failure.blocks !== 'nothing')
    const { version } = policy
    const failures: Failure<E>[] = []
    for (const [place, entry] of open.entries()) {
      const result = results[place]
      if (result === undefined || result.kind === 'given-back') onResult(entry, GIVEN_BACK)
      else if (result.kind === 'not-counted') onResult(entry, AGAIN)
      else {
        const past = pasts[place]
        const tries = past?.tries ?? []
        tries.push(version === 0 ? result.attempt : { ...result.attempt, policyVersion: version })
        if (result.kind === 'failed') failures.push({ entry, result, tries })
        else onResult(entry, { kind: 'ok', attempts, tries, lastError: past?.lastError })
      }
    }
    const again = decideAll(failures, attempts, policy, clock, options)
    open = again.map(({ entry }) => entry)
    pasts = again.map(({ tries, result }) => ({ tries, lastError: result.error }))
  }
}

interface Failure<E> {
  readonly entry: E
  readonly result: Extract<AttemptResult, { kind: 'failed' }>
  readonly tries: Attempt[]
}

/** @returns those that are tried again at once */
function decideAll<E>(
  failures: readonly Failure<E>[],
  attempts: number,
  { failure: policy }: DeliveryPolicy,
  clock: Clock,
  { onResult, onWarning, mayTryInPlace, mayCallAgain }: BatchDeliveryOptions<E>,
): readonly Failure<E>[] {
  const decide = ({ entry, result, tries }: Failure<E>, inPlaceTries: number): boolean => {
    const decision = decideAfter(policy, clock, result, FIRST_DELIVERY, attempts, inPlaceTries, mayTryInPlace)
    if (decision.warning !== undefined) onWarning(entry, decision.warning)
    if (decision.kind === 'retry-now') return false
    onResult(entry, { kind: 'failed', attempts, tries, lastError: result.error, decision })
    return true
  }
  const again = failures.filter((failure) => !decide(failure, attempts - 1))
  if (again.length === 0 || mayCallAgain(again.length)) return again
  for (const failure of again) decide(failure, policy.immediate)
  return []
}
