import type { DeliveryResult } from '../handle/delivery.ts'

/** How one delivery of an event went, as far as it says something of the handler's downstream. */
export type HandlerOutcome =
  | { readonly ok: true; readonly position: string }
  | {
      readonly ok: false
      readonly position: string
      readonly errorType: string
      readonly message: string
      /** The downstream asked for so long. */
      readonly retryAfterMs?: number
    }

/**
 * Undefined for what says nothing of the downstream: a record that is no event or does not match the schema, an event
 * that the handler, a rule or `classify` has dropped or dead-lettered, one that was given back. What took the process
 * down is never seen here.
 */
export function handlerOutcome(result: DeliveryResult, position: string): HandlerOutcome | undefined {
  if (result.kind === 'ok') return { ok: true, position }
  if (result.kind !== 'failed') return undefined
  const { decision, lastError } = result
  if (decision.kind === 'drop' || decision.kind === 'dead-letter') return undefined
  return {
    ok: false,
    position,
    errorType: lastError.type,
    message: lastError.message.slice(0, 300),
    ...(decision.kind === 'retry' && decision.hintMs !== undefined && { retryAfterMs: decision.hintMs }),
  }
}
