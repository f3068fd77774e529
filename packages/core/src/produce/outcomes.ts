import { isEddyError } from '../errors/eddy-error.ts'
import { PublishError } from '../errors/request-errors.ts'
import type { AppendOutcome } from '../operate/operations.ts'

/** The outcome of a record that an error kept from being stored. */
export function outcomeOfError(error: unknown, stream: string): AppendOutcome {
  const known = isEddyError(error)
    ? error
    : new PublishError(`${stream}: ${error instanceof Error ? error.message : String(error)}`, { stream })
  return { ok: false, code: known.code, retryable: known.retryable, message: known.message }
}

/** The outcome of an event that must not overtake an earlier one of its key. */
export function behindUnaccepted(key: string): AppendOutcome {
  return {
    ok: false,
    code: 'EDDY_PUBLISH',
    retryable: true,
    message: `events were not appended: an earlier event of key ${JSON.stringify(key)} was not accepted. Send both again, in order.`,
  }
}

/** The outcome of a record that is sent no more though it may be stored: its call is over. */
export function stoppedInDoubt(): AppendOutcome {
  return {
    ok: false,
    code: 'EDDY_PUBLISH',
    retryable: true,
    message: 'events were not appended: the call ended before the answer came; it may have been stored',
    mayBeStored: true,
  }
}
