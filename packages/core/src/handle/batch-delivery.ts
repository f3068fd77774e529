import type { Attempt, ErrorInfo } from '../model/ledger-item.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventMeta } from './context.ts'
import { type DeliveryPolicy, type DeliveryResult, decideAfter, FIRST_DELIVERY } from './delivery.ts'
import type { HandlerRunner } from './handler-runner.ts'

/** An event that a batch takes up. */
export interface BatchedEvent {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** Events of a lane stand next to each other, in order. */
  readonly lane: number
}

/** `again`: an earlier event of its lane failed. What was done with this one does not count; it is to be taken up anew. */
export type BatchedResult = DeliveryResult | { readonly kind: 'again' }

export interface BatchDeliveryOptions {
  /** Told as soon as it is known: one lane's tries in place keep no other lane waiting (I4). */
  readonly onResult: (index: number, result: BatchedResult) => void
  /** Asked before an event is tried in place. */
  readonly mayTryInPlace: () => boolean
  readonly onWarning: (index: number, warning: string) => void
}

/** An event that is not decided over yet. */
interface Open {
  readonly index: number
  readonly event: BatchedEvent
  readonly tries: Attempt[]
  lastError: ErrorInfo | undefined
}

/**
 * Takes new events up together: one call of the handler, and `immediate` further ones in place with what failed. Each
 * event is decided over by itself, by the same rules as one that is handled alone.
 */
export async function deliverBatch(
  runner: HandlerRunner,
  policy: DeliveryPolicy,
  clock: Clock,
  events: readonly BatchedEvent[],
  { onResult, mayTryInPlace, onWarning }: BatchDeliveryOptions,
): Promise<void> {
  let open: readonly Open[] = events.map((event, index) => ({
    index,
    event,
    tries: [],
    lastError: undefined,
  }))
  for (let inPlaceTries = 0; open.length > 0; inPlaceTries += 1) {
    const attempt = { attempt: inPlaceTries + 1, path: 'live', outOfOrder: false } as const
    const results = await runner.runBatch(
      open.map(({ event }) => ({ ...event, attempt })),
      policy.failure.blocks !== 'nothing',
    )
    const { failure, version } = policy
    const again: Open[] = []
    for (const [place, entry] of open.entries()) {
      const result = results[place]
      if (result === undefined || result.kind === 'given-back') onResult(entry.index, { kind: 'given-back' })
      else if (result.kind === 'not-counted') onResult(entry.index, { kind: 'again' })
      else {
        const { index, tries } = entry
        tries.push(version === 0 ? result.attempt : { ...result.attempt, policyVersion: version })
        if (result.kind === 'ok') {
          onResult(index, { kind: 'ok', attempts: attempt.attempt, tries, lastError: entry.lastError })
          continue
        }
        entry.lastError = result.error
        const decision = decideAfter(
          failure,
          clock,
          result,
          FIRST_DELIVERY,
          attempt.attempt,
          inPlaceTries,
          mayTryInPlace,
        )
        if (decision.warning !== undefined) onWarning(index, decision.warning)
        if (decision.kind === 'retry-now') again.push(entry)
        else
          onResult(index, {
            kind: 'failed',
            attempts: attempt.attempt,
            tries,
            lastError: result.error,
            decision,
          })
      }
    }
    open = again
  }
}
