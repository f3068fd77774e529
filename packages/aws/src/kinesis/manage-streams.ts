import {
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  IncreaseStreamRetentionPeriodCommand,
  type KinesisClient,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis'
import {
  type Clock,
  InvalidOptionError,
  isEddyError,
  StreamExistsError,
  StreamNotFoundError,
  type StreamSpec,
} from '@eddy/core'
import { sdkErrorOf } from '../sdk/sdk-error.ts'
import { nameOfError } from './kinesis-calls.ts'
import { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'
import type { KinesisParts } from './kinesis-producer-log.ts'
import { type StreamSummary, streamErrorOf } from './stream-summaries.ts'

const HOUR_MS = 3_600_000
const MIN_HOURS = 24
const MAX_HOURS = 8_760
const MAX_SHARDS = 1_024
const NAME = /^[a-zA-Z0-9_.-]{1,128}$/
/** Kinesis needs seconds, for large streams minutes. */
const MAX_CHANGE_MS = 600_000
const FIRST_LOOK_MS = 10
const MAX_LOOK_MS = 2_000
const STREAMS_A_PAGE = 100
const MAX_PAGES = 1_000

export interface ManagedStreams {
  readonly parts: KinesisParts
  readonly clock: Clock
  readonly mode: 'provisioned' | 'on-demand'
}

/**
 * Creates the stream and waits until it is active.
 * @throws InvalidOptionError, StreamExistsError, and what `kinesisErrorOf` makes
 */
export async function createStream(managed: ManagedStreams, spec: StreamSpec): Promise<StreamSummary> {
  const { parts, mode } = managed
  const { name, shardCount, retentionMs } = spec
  if (!NAME.test(name)) throw new InvalidOptionError('name', '1 to 128 characters of a-zA-Z0-9_.-', name)
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > MAX_SHARDS)
    throw new InvalidOptionError('shardCount', `1 to ${MAX_SHARDS}`, shardCount)
  const hours = hoursOf(retentionMs)
  const command = new CreateStreamCommand({
    StreamName: parts.nameOf(name),
    ...(mode === 'on-demand'
      ? { StreamModeDetails: { StreamMode: 'ON_DEMAND' } }
      : { ShardCount: shardCount }),
  })
  try {
    await parts.calls.send((client, abortSignal) => client.send(command, { abortSignal }))
  } catch (error) {
    if (nameOfError(error) === 'ResourceInUseException') throw new StreamExistsError(name)
    throw changeErrorOf(error, name, 'CreateStream')
  }
  const created = await untilActive(managed, name)
  return hours === MIN_HOURS ? created : await setRetention(managed, name, retentionMs)
}

/** Waits until it is gone. Its consumers go with it. @throws StreamNotFoundError, and what `kinesisErrorOf` makes */
export async function deleteStream(managed: ManagedStreams, name: string): Promise<void> {
  const { parts } = managed
  const command = new DeleteStreamCommand({ StreamName: parts.nameOf(name), EnforceConsumerDeletion: true })
  await change(managed, name, 'DeleteStream', (client, abortSignal) => client.send(command, { abortSignal }))
  await until(managed, name, 'the end of the stream', async () => {
    parts.summaries.forget(name)
    try {
      await parts.summaries.describe(name, 0)
      return undefined
    } catch (error) {
      if (error instanceof StreamNotFoundError) return true
      throw error
    }
  })
  parts.summaries.forget(name)
}

/** Retention in whole hours, as Kinesis counts it. @throws InvalidOptionError, StreamNotFoundError, and what `kinesisErrorOf` makes */
export async function setRetention(
  managed: ManagedStreams,
  name: string,
  retentionMs: number,
): Promise<StreamSummary> {
  const { parts } = managed
  const before = await parts.summaries.describe(name, 0)
  const hours = hoursOf(retentionMs)
  const now = before.RetentionPeriodHours ?? MIN_HOURS
  if (hours === now) return before
  const input = { StreamName: parts.nameOf(name), RetentionPeriodHours: hours }
  const what = `${hours > now ? 'Increase' : 'Decrease'}StreamRetentionPeriod`
  await change(managed, name, what, (client, abortSignal) =>
    hours > now
      ? client.send(new IncreaseStreamRetentionPeriodCommand(input), { abortSignal })
      : client.send(new DecreaseStreamRetentionPeriodCommand(input), { abortSignal }),
  )
  return await untilActive(managed, name)
}

/** Every stream of the account and region, by its name on Kinesis. @throws what `kinesisErrorOf` makes */
export async function listStreamNames({ calls }: KinesisParts): Promise<readonly string[]> {
  const names: string[] = []
  let token: string | undefined
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const last = names.at(-1)
    const answer = await calls.ask('ListStreams', (client, abortSignal) =>
      client.send(
        new ListStreamsCommand({
          Limit: STREAMS_A_PAGE,
          // Older implementations know the name alone, and the service takes either.
          ...(token !== undefined
            ? { NextToken: token }
            : last !== undefined && { ExclusiveStartStreamName: last }),
        }),
        { abortSignal },
      ),
    )
    names.push(...(answer.StreamNames ?? []))
    token = answer.NextToken
    if (answer.HasMoreStreams !== true) break
  }
  return names
}

/**
 * Asks for a change, again as long as another one is under way. @returns its answer
 * @throws StreamNotFoundError, KinesisUnavailableError after ten minutes, and what `kinesisErrorOf` makes
 */
export async function change<T>(
  managed: ManagedStreams,
  stream: string,
  what: string,
  call: (client: KinesisClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { calls, summaries } = managed.parts
  const answered = await until(managed, stream, what, async () => {
    try {
      return { answer: await calls.send(call) }
    } catch (error) {
      if (nameOfError(error) === 'ResourceInUseException') return undefined
      throw changeErrorOf(error, stream, what)
    }
  })
  summaries.forget(stream)
  return answered.answer
}

/** @throws StreamNotFoundError, KinesisUnavailableError after ten minutes, and what `kinesisErrorOf` makes */
export async function untilActive(managed: ManagedStreams, stream: string): Promise<StreamSummary> {
  return await until(managed, stream, 'the stream to be active', async () => {
    const summary = await managed.parts.summaries.describe(stream, 0)
    return summary.StreamStatus === 'ACTIVE' ? summary : undefined
  })
}

/** A limit of the account's resources is none that passes, as a rate does. */
function changeErrorOf(error: unknown, stream: string, what: string): unknown {
  const request = `${what} on stream "${stream}"`
  const { name, problem } = sdkErrorOf(error)
  if (name === 'LimitExceededException' && !/rate exceeded/i.test(problem))
    return new KinesisRefusedError(request, problem, { cause: error })
  return streamErrorOf(error, stream, request)
}

async function until<T>(
  { clock }: ManagedStreams,
  stream: string,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + MAX_CHANGE_MS
  let waitMs = FIRST_LOOK_MS
  while (clock.monotonicMs() < deadlineMs) {
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      // It is known by the next look: nothing here may be told as failed that goes on by itself.
      if (!isEddyError(error) || !error.retryable) throw error
    }
    await clock.sleep(waitMs)
    waitMs = Math.min(MAX_LOOK_MS, waitMs * 2)
  }
  throw new KinesisUnavailableError(
    `${what}, stream "${stream}"`,
    `not within ${MAX_CHANGE_MS / 60_000} minutes`,
  )
}

function hoursOf(retentionMs: number): number {
  const hours = Math.ceil(retentionMs / HOUR_MS)
  if (hours >= MIN_HOURS && hours <= MAX_HOURS) return hours
  throw new InvalidOptionError('retentionMs', '24 hours to 365 days, as Kinesis keeps records', retentionMs)
}
