import { EddyError } from '@eddy/core'
import { type NextStep, nextStepOf } from '../sdk/next-step.ts'

/** Kinesis, or the credentials' source, refused a request in a way that sending it again does not change. */
export class KinesisRefusedError extends EddyError {
  override readonly code = 'EDDY_KINESIS_REFUSED'
  override readonly retryable = false

  /** @param what - `PutRecords on stream "orders"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `Kinesis refused ${what}: ${problem}${nextStepOf(problem, NEXT_STEPS)}`,
      { request: what, problem },
      options,
    )
  }
}

/** Kinesis gave no answer that tells the outcome: what was sent may have been stored. */
export class KinesisUnavailableError extends EddyError {
  override readonly code = 'EDDY_KINESIS_UNAVAILABLE'
  override readonly retryable = true

  /** @param what - `PutRecords on stream "orders"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `no outcome of ${what} from Kinesis: ${problem}${nextStepOf(problem, NEXT_STEPS)}`,
      { request: what, problem },
      options,
    )
  }
}

const NEXT_STEPS: readonly NextStep[] = [
  [/^ResourceNotFoundException/, 'Create the stream, or check its name, the region and the account.'],
]
