import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  type SchedulerClient,
} from '@aws-sdk/client-scheduler'
import { type Clock, StorageError } from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { inParallel } from '../sqs/in-parallel.ts'
import type { LongDelayedMessage, LongDelayOutcome, LongDelays } from '../sqs/long-delays.ts'

export interface SchedulesOptions {
  /** With `maxAttempts: 1`: whoever sends tries again, and nobody else. */
  readonly client: SchedulerClient
  readonly clock: Clock
  /** `scheduleGroupOf(resources)`; it is deployed. */
  readonly groupName: string
  /** Role that the service takes on to send to the queues. */
  readonly roleArn: string
  /** Of a standard queue, for what the service could not send in a day. Default: none. */
  readonly deadLetterArn?: string
}

/** The service sends within the minute that it is told: so much before the due time, and a minute of grain. */
const LEAD_MS = 60_000
const MINUTE_MS = 60_000
/** The service's largest input. */
const MAX_TEXT_BYTES = 262_144
const PAGE = 100
const MAX_PAGES = 10
const COUNT_KEPT_MS = 30_000
/** Pages of a purge: a million schedules. */
const MAX_CANCEL_PAGES = 10_000

/**
 * Delays of more than SQS' 15 minutes, by one-time schedules of EventBridge Scheduler. Each sends its message once, one to
 * two minutes before it is due, and is deleted by the service then. The receiver waits for the rest.
 */
export class Schedules implements LongDelays {
  readonly maxTextBytes: number = MAX_TEXT_BYTES
  readonly #options: SchedulesOptions
  readonly #counts = new Map<string, { readonly atMs: number; count: number }>()

  constructor(options: SchedulesOptions) {
    this.#options = options
  }

  async send(message: LongDelayedMessage): Promise<LongDelayOutcome> {
    try {
      await this.#options.client.send(new CreateScheduleCommand(this.#inputOf(message)))
      this.#counted(message.name, 1)
      return { ok: true }
    } catch (error) {
      if (sdkErrorOf(error).name === 'ConflictException') return await this.#isThere(message.name, error)
      return failureOf(error)
    }
  }

  async cancel(namePrefix: string): Promise<number> {
    let cancelled = 0
    let after: string | undefined
    for (let page = 0; page < MAX_CANCEL_PAGES; page += 1) {
      const { names, next } = await this.#page(namePrefix, after)
      const gone = await inParallel(names, (name) => this.#delete(name))
      const deleted = gone.filter((isGone) => isGone).length
      cancelled += deleted
      // A page may be short, and not the last.
      if (next === undefined) break
      // Deleted ones are in no list any more: the first page again, but where it held only what was gone already.
      after = deleted === 0 ? next : undefined
    }
    this.#counts.delete(namePrefix)
    return cancelled
  }

  async count(namePrefix: string): Promise<number> {
    const { clock } = this.#options
    const known = this.#counts.get(namePrefix)
    if (known !== undefined && clock.monotonicMs() - known.atMs < COUNT_KEPT_MS) return known.count
    let count = 0
    let after: string | undefined
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const page = await this.#page(namePrefix, after)
      count += page.names.length
      after = page.next
      if (after === undefined) break
    }
    this.#counts.set(namePrefix, { atMs: clock.monotonicMs(), count })
    return count
  }

  /** Its name makes it one, and no token of ours: the service might take what is made anew for what was deleted. */
  #inputOf({
    name,
    dueAtMs,
    queueArn,
    text,
    messageGroupId,
  }: LongDelayedMessage): CreateScheduleCommandInput {
    const { groupName, roleArn, deadLetterArn } = this.#options
    return {
      Name: name,
      GroupName: groupName,
      ScheduleExpression: `at(${minuteBefore(dueAtMs)})`,
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: {
        Arn: queueArn,
        RoleArn: roleArn,
        Input: text,
        RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 },
        ...(deadLetterArn !== undefined && { DeadLetterConfig: { Arn: deadLetterArn } }),
        ...(messageGroupId !== undefined && { SqsParameters: { MessageGroupId: messageGroupId } }),
      },
    }
  }

  /** A conflict is the same schedule, or the group that is being deleted. */
  async #isThere(name: string, conflict: unknown): Promise<LongDelayOutcome> {
    try {
      await this.#options.client.send(
        new GetScheduleCommand({ Name: name, GroupName: this.#options.groupName }),
      )
      return { ok: true }
    } catch {
      return { ok: false, retryable: true, message: sdkErrorOf(conflict).problem }
    }
  }

  async #page(
    namePrefix: string,
    after: string | undefined,
  ): Promise<{ readonly names: readonly string[]; readonly next: string | undefined }> {
    try {
      const { Schedules: found = [], NextToken: next } = await this.#options.client.send(
        new ListSchedulesCommand({
          GroupName: this.#options.groupName,
          NamePrefix: namePrefix,
          MaxResults: PAGE,
          ...(after !== undefined && { NextToken: after }),
        }),
      )
      return { names: found.flatMap(({ Name: name }) => name ?? []), next }
    } catch (error) {
      throw schedulerError(error, `ListSchedules of group "${this.#options.groupName}"`)
    }
  }

  /** @returns false for one that is gone already */
  async #delete(name: string): Promise<boolean> {
    const { client, groupName } = this.#options
    try {
      await client.send(new DeleteScheduleCommand({ Name: name, GroupName: groupName }))
      this.#counted(name, -1)
      return true
    } catch (error) {
      if (sdkErrorOf(error).name === 'ResourceNotFoundException') return false
      throw schedulerError(error, `DeleteSchedule "${name}"`)
    }
  }

  #counted(name: string, change: number): void {
    for (const [prefix, known] of this.#counts) if (name.startsWith(prefix)) known.count += change
  }
}

/** The whole minute that is between one and two minutes before, in UTC: `2026-11-22T05:39:00`. */
function minuteBefore(dueAtMs: number): string {
  const atMs = Math.floor((dueAtMs - LEAD_MS) / MINUTE_MS) * MINUTE_MS
  return new Date(atMs).toISOString().slice(0, 19)
}

function failureOf(thrown: unknown): LongDelayOutcome {
  const { name, kind, problem } = sdkErrorOf(thrown)
  if (kind === 'bug') throw thrown
  // A quota is one of schedules that are there: there are fewer as they come due.
  const retryable = kind !== 'refused' || name === 'ServiceQuotaExceededException'
  return { ok: false, retryable, message: `EventBridge Scheduler: ${problem}` }
}

/** The queue's own answers do without: what fails here is tried again by whoever asked. */
function schedulerError(thrown: unknown, what: string): unknown {
  const { kind, problem } = sdkErrorOf(thrown)
  return kind === 'bug'
    ? thrown
    : new StorageError(`${what}: ${problem}`, { request: what }, { cause: thrown })
}
