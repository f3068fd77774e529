import { EddyError, StorageError } from '@eddy/core'
import { type NextStep, nextStepOf } from '../sdk/next-step.ts'
import { sdkErrorOf } from '../sdk/sdk-error.ts'

const NO_QUEUE = /NonExistentQueue|QueueDoesNotExist/
const NEXT_STEPS: readonly NextStep[] = [
  [NO_QUEUE, "Deploy the application's queues, or check its name, the region and the account."],
]

/** SQS, or the credentials' source, refused a request in a way that sending it again does not change. */
export class SqsRefusedError extends EddyError {
  override readonly code = 'EDDY_SQS_REFUSED'
  override readonly retryable = false

  /** @param what - `SendMessageBatch on queue "orders-prod-retry-billing"` */
  constructor(what: string, problem: string, options?: ErrorOptions) {
    super(
      `SQS refused ${what}: ${problem}${nextStepOf(problem, NEXT_STEPS)}`,
      { request: what, problem },
      options,
    )
  }
}

/**
 * What an error of a request means to the port: a `StorageError` for what may succeed later, else why the service refuses
 * it. What is neither is returned as it is: a bug.
 */
export function sqsError(thrown: unknown, what: string): unknown {
  const { kind, name, problem } = sdkErrorOf(thrown)
  if (kind === 'bug') return thrown
  // Too many messages are in flight, or a purge is under way: it passes.
  const isFull = /OverLimit|PurgeQueueInProgress/.test(name)
  if (kind === 'refused' && !isFull) return new SqsRefusedError(what, problem, { cause: thrown })
  return new StorageError(`${what}: ${problem}`, { request: what }, { cause: thrown })
}

export function isQueueMissing(thrown: unknown): boolean {
  return NO_QUEUE.test(sdkErrorOf(thrown).name)
}
