import { SchedulerError } from './scheduler-error.ts'

/** What CreateSchedule and UpdateSchedule take, as far as anything here depends on it. */
export interface ScheduleInput {
  readonly Name: string
  readonly GroupName?: string
  readonly ClientToken?: string
  readonly ScheduleExpression: string
  readonly ScheduleExpressionTimezone?: string
  readonly State?: 'ENABLED' | 'DISABLED'
  readonly ActionAfterCompletion?: 'NONE' | 'DELETE'
  readonly FlexibleTimeWindow: { readonly Mode: 'OFF' | 'FLEXIBLE'; readonly MaximumWindowInMinutes?: number }
  readonly Target: {
    readonly Arn: string
    readonly RoleArn: string
    readonly Input?: string
    readonly RetryPolicy?: {
      readonly MaximumEventAgeInSeconds?: number
      readonly MaximumRetryAttempts?: number
    }
    readonly DeadLetterConfig?: { readonly Arn?: string }
    readonly SqsParameters?: { readonly MessageGroupId?: string }
  }
}

export interface Schedule {
  readonly input: ScheduleInput
  readonly groupName: string
  readonly arn: string
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  /** Epoch milliseconds of its one time. */
  readonly atMs: number
  readonly isDone: boolean
}

const AT = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/
/** "Input … 256 KB" (quotas page of the guide). */
const MAX_INPUT_BYTES = 262_144

/**
 * When a one-time schedule is to be, epoch milliseconds. Rules of the guide ("Schedule types", "Flexible time windows") that
 * the model does not state; a time that is over is refused, as users of the service report.
 *
 * @throws SchedulerError ValidationException; also for what the stand-in does not play: rate, cron, other time zones
 */
export function timeOf(input: ScheduleInput, nowMs: number): number {
  const { ScheduleExpression: expression, ScheduleExpressionTimezone: zone = 'UTC' } = input
  const refused = (why: string): SchedulerError => new SchedulerError('ValidationException', why)
  const [, text] = AT.exec(expression) ?? []
  const atMs = text === undefined ? Number.NaN : Date.parse(`${text}Z`)
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 19) !== text)
    throw refused(`Invalid Schedule Expression ${expression}. The stand-in plays one-time schedules alone.`)
  if (zone !== 'UTC') throw refused(`Invalid timezone ${zone}. The stand-in plays UTC alone.`)
  if (atMs <= nowMs) throw refused(`Invalid Schedule Expression ${expression}: it is in the past.`)
  const { Mode: mode, MaximumWindowInMinutes: window } = input.FlexibleTimeWindow
  if ((mode === 'FLEXIBLE') !== (window !== undefined))
    throw refused('MaximumWindowInMinutes goes with the mode FLEXIBLE, and with no other.')
  if (Buffer.byteLength(input.Target.Input ?? '') > MAX_INPUT_BYTES)
    throw refused(`Input is over ${MAX_INPUT_BYTES} bytes.`)
  return atMs
}
