import { EddyError, StorageError } from '@eddy/core'
import { type NextStep, nextStepOf } from '../sdk/next-step.ts'
import { sdkErrorOf } from '../sdk/sdk-error.ts'

const NEXT_STEPS: readonly NextStep[] = [
  [
    /^ResourceNotFoundException/,
    'Create the table, or check its name (EDDY_NAME), the region and the account.',
  ],
]

/** DynamoDB, or the credentials' source, refused a request in a way that sending it again does not change. */
export class DynamoDbRefusedError extends EddyError {
  override readonly code = 'EDDY_DYNAMODB_REFUSED'
  override readonly retryable = false

  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `DynamoDB refused ${what}: ${problem}${nextStepOf(problem, NEXT_STEPS)}`,
      { request: what, problem },
      options,
    )
  }
}

interface Reason {
  readonly reason?: string
  readonly resource?: string
}

/** The service writes the one or the other, by the kind of the error. */
interface WithReasons {
  readonly ThrottlingReasons?: readonly Reason[]
  readonly throttlingReasons?: readonly Reason[]
}

/**
 * What an error of a request means to the port: a `StorageError` for what may succeed later (a throttle with its reasons, no
 * answer, an error of the service), else why the service refuses it. What is neither is returned as it is: a bug.
 */
export function dynamoDbError(thrown: unknown, what: string): unknown {
  const { kind, problem } = sdkErrorOf(thrown)
  if (kind === 'bug') return thrown
  if (kind === 'refused') return new DynamoDbRefusedError(what, problem, { cause: thrown })
  const { ThrottlingReasons, throttlingReasons } = thrown as WithReasons
  const reasons = ThrottlingReasons ?? throttlingReasons ?? []
  const told = reasons.map(({ reason, resource }) => `${reason ?? 'no reason'} of ${resource ?? 'unknown'}`)
  const details = told.length === 0 ? { request: what } : { request: what, reasons: told.join(', ') }
  return new StorageError(`${what}: ${problem}${told.length === 0 ? '' : ` (${told.join(', ')})`}`, details, {
    cause: thrown,
  })
}
