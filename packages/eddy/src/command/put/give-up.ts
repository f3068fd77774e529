import { type AppendOutcome, EddyError } from '@eddy/core'

/** Nobody answered: of no line is anything known. */
const NO_ANSWER: ReadonlySet<string> = new Set(['EDDY_CONNECTION', 'EDDY_KINESIS_UNAVAILABLE'])

type Refusal = AppendOutcome & { readonly ok: false }

/** Where lines are put to takes nothing any more: what the last of them was told. */
export class PutGaveUpError extends EddyError {
  override readonly code: `EDDY_${string}`
  override readonly retryable = true

  constructor({ code, message }: Refusal) {
    super(message)
    this.code = code.startsWith('EDDY_') ? (code as `EDDY_${string}`) : 'EDDY_PUBLISH'
  }
}

/**
 * True for a line that was given up although nothing is wrong with it, and nothing is known of it: what comes next would
 * fare no better. One that is only throttled is not of that kind: other shards have room.
 */
export function endsThePut(outcome: AppendOutcome): outcome is Refusal {
  if (outcome.ok || !outcome.retryable) return false
  return outcome.mayBeStored === true || NO_ANSWER.has(outcome.code)
}
