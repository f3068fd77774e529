import type { AwsStructure } from '../aws-service.ts'
import { type FoundStream, findStream, requireActive, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument } from './kinesis-errors.ts'

const HOUR_MS = 3_600_000
const MIN_HOURS = 24
/** The comment on StreamDescription still says 168, which is stale. */
const MAX_HOURS = 8_760

export interface RetentionInput extends StreamRef {
  readonly RetentionPeriodHours: number
}

export async function increaseRetention(
  context: KinesisContext,
  input: RetentionInput,
): Promise<AwsStructure> {
  const stream = await checked(context, input)
  const { name, info, notes } = stream
  const retentionMs = input.RetentionPeriodHours * HOUR_MS
  if (retentionMs < info.retentionMs)
    throw invalidArgument(
      `Requested retention period (${input.RetentionPeriodHours} hours) for stream ${name} can not be shorter than ` +
        `existing retention period (${hours(stream)} hours). Use DecreaseRetentionPeriod API.`,
    )
  // What has expired by now stays so, also where the log has not removed it yet.
  await context.book.write(name, { ...notes, expiredBeforeMs: horizonMs(stream, context.engine.clock.now()) })
  await context.engine.log.setRetention(name, retentionMs)
  return {}
}

export async function decreaseRetention(
  context: KinesisContext,
  input: RetentionInput,
): Promise<AwsStructure> {
  const stream = await checked(context, input)
  const { name, info } = stream
  const retentionMs = input.RetentionPeriodHours * HOUR_MS
  if (retentionMs > info.retentionMs)
    throw invalidArgument(
      `Requested retention period (${input.RetentionPeriodHours} hours) for stream ${name} can not be longer than ` +
        `existing retention period (${hours(stream)} hours). Use IncreaseRetentionPeriod API.`,
    )
  await context.engine.log.setRetention(name, retentionMs)
  return {}
}

/** Records that arrived before this time are not handed out. */
export function horizonMs({ info, notes }: FoundStream, nowMs: number): number {
  return Math.max(nowMs - info.retentionMs, notes.expiredBeforeMs ?? 0)
}

async function checked(context: KinesisContext, input: RetentionInput): Promise<FoundStream> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const asked = input.RetentionPeriodHours
  if (asked < MIN_HOURS)
    throw invalidArgument(
      `Minimum allowed retention period is ${MIN_HOURS} hours. Requested retention period (${asked} hours) is too short.`,
    )
  if (asked > MAX_HOURS)
    throw invalidArgument(
      `Maximum allowed retention period is ${MAX_HOURS} hours. Requested retention period (${asked} hours) is too long.`,
    )
  return stream
}

function hours({ info }: FoundStream): number {
  return Math.ceil(info.retentionMs / HOUR_MS)
}
