import type { ProduceReport } from '../produce/produce-options.ts'
import { EddyError } from './eddy-error.ts'

/**
 * A call of `produce` that an error ended on the way. What was settled until then is known, and the remainder
 * can be produced again.
 */
export class ProduceError extends EddyError {
  override readonly code = 'EDDY_PRODUCE'
  override readonly retryable = false
  readonly report: Omit<ProduceReport<unknown>, 'end'>

  /** @param what - what failed: the source, onOutcome, the log */
  constructor(what: string, cause: unknown, report: Omit<ProduceReport<unknown>, 'end'>) {
    const { read, accepted, failed } = report
    const problem = cause instanceof Error ? cause.message : String(cause)
    super(
      `${what} failed: ${problem}. ${read} read, ${accepted} accepted, ${failed} failed; report.remainder has what was not sent.`,
      { read, accepted, failed },
      { cause },
    )
    this.report = report
  }
}
