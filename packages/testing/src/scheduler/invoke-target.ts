import type { Clock } from '@eddy/core'
import type { Schedule } from './schedule.ts'

/** What a schedule does when its time has come. */
export interface Invocation {
  /** Of a queue, for a target of SQS. */
  readonly arn: string
  readonly roleArn: string
  readonly input: string
  readonly messageGroupId?: string
}

export interface DeadLetter {
  /** Of the queue. */
  readonly arn: string
  readonly body: string
  /** Message attributes, all of type String. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface TargetPorts {
  readonly clock: Clock
  /** Rejects when the target could not be invoked. */
  readonly invoke: (invocation: Invocation) => Promise<void>
  readonly deadLetter: (letter: DeadLetter) => Promise<void>
}

const DAY_SECONDS = 86_400
const MAX_ATTEMPTS = 185
const FIRST_WAIT_MS = 1_000
const MAX_WAIT_MS = 600_000

/**
 * Invokes the target, again with growing waits while it fails, until the retry policy ends that; then the dead-letter queue
 * gets the input with what happened (guide, "Configuring a dead-letter queue").
 */
export async function invokeTarget(
  { clock, invoke, deadLetter }: TargetPorts,
  schedule: Schedule,
  executionId: string,
  stopping: AbortSignal,
): Promise<void> {
  const { Arn: arn, RoleArn: roleArn, RetryPolicy, DeadLetterConfig, SqsParameters } = schedule.input.Target
  const maxRetries = RetryPolicy?.MaximumRetryAttempts ?? MAX_ATTEMPTS
  const maxAgeMs = (RetryPolicy?.MaximumEventAgeInSeconds ?? DAY_SECONDS) * 1_000
  const fromMs = clock.monotonicMs()
  const group = SqsParameters?.MessageGroupId
  let waitMs = FIRST_WAIT_MS
  for (let retries = 0; !stopping.aborted; retries += 1) {
    const input = filledIn(schedule, executionId, retries + 1)
    try {
      return await invoke({ arn, roleArn, input, ...(group !== undefined && { messageGroupId: group }) })
    } catch (error) {
      const isTooOld = clock.monotonicMs() - fromMs + waitMs > maxAgeMs
      if (retries >= maxRetries || isTooOld) {
        const condition = retries >= maxRetries ? 'MaximumRetryAttempts' : 'MaximumEventAgeInSeconds'
        if (DeadLetterConfig?.Arn === undefined) return
        return await deadLetter({
          arn: DeadLetterConfig.Arn,
          body: input,
          attributes: {
            ...{ ERROR_CODE: errorName(error), ERROR_MESSAGE: String(error), EXECUTION_ID: executionId },
            ...{ EXHAUSTED_RETRY_CONDITION: condition, IS_PAYLOAD_TRUNCATED: 'false' },
            ...{ RETRY_ATTEMPTS: String(retries), SCHEDULED_TIME: timeText(schedule) },
            ...{ SCHEDULE_ARN: schedule.arn, TARGET_ARN: arn },
          },
        })
      }
    }
    await clock.sleep(waitMs, stopping)
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
  }
}

/** "Adding context attributes in EventBridge Scheduler" (guide). */
function filledIn(schedule: Schedule, executionId: string, attempt: number): string {
  return (schedule.input.Target.Input ?? '{}')
    .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
    .replaceAll('<aws.scheduler.scheduled-time>', timeText(schedule))
    .replaceAll('<aws.scheduler.execution-id>', executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(attempt))
}

function timeText({ atMs }: Schedule): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'Error'
}
