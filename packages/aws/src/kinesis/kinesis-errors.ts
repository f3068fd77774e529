import { EddyError } from '@eddy/core'

/** Kinesis, or the credentials' source, refused a request in a way that sending it again does not change. */
export class KinesisRefusedError extends EddyError {
  override readonly code = 'EDDY_KINESIS_REFUSED'
  override readonly retryable = false

  /** @param what - `PutRecords on stream "orders"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(`Kinesis refused ${what}: ${problem}${nextStepOf(problem)}`, { request: what, problem }, options)
  }
}

/** Kinesis gave no answer that tells the outcome: what was sent may have been stored. */
export class KinesisUnavailableError extends EddyError {
  override readonly code = 'EDDY_KINESIS_UNAVAILABLE'
  override readonly retryable = true

  /** @param what - `PutRecords on stream "orders"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `no outcome of ${what} from Kinesis: ${problem}${nextStepOf(problem)}`,
      { request: what, problem },
      options,
    )
  }
}

const NEXT_STEPS: readonly (readonly [problem: RegExp, step: string])[] = [
  [
    /^CredentialsProviderError|^TokenProviderError/,
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.',
  ],
  [/^ResourceNotFoundException/, 'Create the stream, or check its name, the region and the account.'],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN/, 'Is something listening there? Check the address of the endpoint.'],
]

/** For what a first attempt meets; of the rest Kinesis' own words say more. */
function nextStepOf(problem: string): string {
  const step = NEXT_STEPS.find(([pattern]) => pattern.test(problem))?.[1]
  return step === undefined ? '' : `${/[.!?]$/.test(problem) ? '' : '.'} ${step}`
}
