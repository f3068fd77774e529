import { InvalidOptionError } from '@eddy/core'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { AppDescription, SubscriptionDescription } from '../app/app-description.ts'
import type { WritesTo } from '../roles/role-grants.ts'

/** How Lambda reads a stream or a queue for a subscription; what is left out is said beside it. */
export interface MappingOptions {
  /** Streams: 1 to 10,000, default 100. Queues: 1 to 10,000, default 10; queues with groups at most 10. */
  readonly batchSize?: number
  /** 0 to 300; default 0, and 1 for queues with a `batchSize` above 10. Not for queues with groups. */
  readonly batchingWindowSeconds?: number
  /** Streams: batches of a shard at a time, 1 to 10; default 1. With `blocks: 'shard'` it is 1. */
  readonly parallelizationFactor?: number
  /** Streams: 0 to 10,000; default 100, and 10,000 with `blocks: 'shard'`. */
  readonly maximumRetryAttempts?: number
  /** Streams: 60 to 604,800; default nine tenths of the retention, at most a week. */
  readonly maximumRecordAgeSeconds?: number
  /** Queues: functions at a time, 2 to 1,000; default: no limit. */
  readonly maximumConcurrency?: number
  /** Default true. `false` pauses the subscription where it is. */
  readonly enabled?: boolean
}

export interface SubscriptionOptions extends MappingOptions {
  /** Functions that retry at a time, 2 to 1,000; default 10. */
  readonly retryConcurrency?: number
  /** 128 to 10,240; default 512. */
  readonly memoryMiB?: number
  /** Of the functions, 15 more than the handler's own `timeoutMs` at least, 900 at most. */
  readonly timeoutSeconds?: number
  /** Functions kept for the first attempts; default: what the account has. */
  readonly reservedConcurrency?: number
  /** What its handler appends and sends to; default: all streams and queues of the application. */
  readonly writesTo?: WritesTo
  readonly environment?: Readonly<Record<string, string>>
  /** Of a queue without groups: SNS topics whose messages it handles like those of its queue. */
  readonly topics?: readonly ITopic[]
}

/** Left for Eddy beside the handler's own time: to start, to store what failed, and to answer. */
const MARGIN_SECONDS = 15
const MAX_TIMEOUT_SECONDS = 900

/** Two handlers one after another, so that one slow event does not hand the whole batch back. */
export function timeoutSecondsOf(
  { name, timeoutMs }: SubscriptionDescription,
  { timeoutSeconds }: SubscriptionOptions,
): number {
  const least = Math.ceil(timeoutMs / 1_000) + MARGIN_SECONDS
  if (least > MAX_TIMEOUT_SECONDS) {
    throw new InvalidOptionError(
      `subscribe("${name}").timeoutMs`,
      `at most ${(MAX_TIMEOUT_SECONDS - MARGIN_SECONDS) * 1_000} in a function, which lives for 15 minutes. Give it less time, or run it in a worker`,
      timeoutMs,
    )
  }
  if (timeoutSeconds !== undefined) {
    integer(`subscriptions["${name}"].timeoutSeconds`, timeoutSeconds, least, MAX_TIMEOUT_SECONDS)
    return timeoutSeconds
  }
  return Math.min(MAX_TIMEOUT_SECONDS, Math.max(60, 2 * Math.ceil(timeoutMs / 1_000) + MARGIN_SECONDS))
}

/** @throws InvalidOptionError that names the option */
export function checkSubscriptionOptions(
  app: AppDescription,
  options: Readonly<Record<string, SubscriptionOptions>>,
): void {
  const names = app.subscriptions.map(({ name }) => name)
  for (const [name, given] of Object.entries(options)) {
    const subscription = app.subscriptions.find((candidate) => candidate.name === name)
    if (subscription === undefined) {
      const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
      throw new InvalidOptionError('subscriptions', `subscriptions of the application (${known})`, name)
    }
    checkOne(app, subscription, given)
  }
}

function checkOne(
  app: AppDescription,
  { name, source, blocks }: SubscriptionDescription,
  options: SubscriptionOptions,
): void {
  const path = `subscriptions["${name}"]`
  const isStream = source.kind === 'stream'
  const isFifo = !isStream && app.queues.some((queue) => queue.name === source.name && queue.isFifo)
  const factor = options.parallelizationFactor
  if (blocks === 'shard' && factor !== undefined && factor !== 1) {
    const expected = "1 with blocks: 'shard', which handles one record of a shard at a time"
    throw new InvalidOptionError(`${path}.parallelizationFactor`, expected, factor)
  }
  for (const option of STREAM_ONLY) {
    if (!isStream && options[option] !== undefined)
      throw new InvalidOptionError(`${path}.${option}`, 'nothing: it reads a queue', options[option])
  }
  if (isStream && options.maximumConcurrency !== undefined) {
    const expected = 'nothing: it reads a stream, whose shards bound it'
    throw new InvalidOptionError(`${path}.maximumConcurrency`, expected, options.maximumConcurrency)
  }
  if (isFifo && options.batchingWindowSeconds !== undefined) {
    const expected = 'nothing: its queue keeps groups in order'
    throw new InvalidOptionError(`${path}.batchingWindowSeconds`, expected, options.batchingWindowSeconds)
  }
  if (!isStream && options.batchingWindowSeconds === 0 && (options.batchSize ?? 0) > 10) {
    const expected = '1 to 300 with a batchSize above 10, which Lambda has to wait for'
    throw new InvalidOptionError(`${path}.batchingWindowSeconds`, expected, 0)
  }
  if ((isStream || isFifo) && options.topics !== undefined) {
    const why = isStream ? 'it reads a stream' : 'topics have no order, and its queue keeps groups in order'
    throw new InvalidOptionError(`${path}.topics`, `nothing: ${why}`, `${options.topics.length} topics`)
  }
  const ranges = { ...RANGES, batchSize: [1, isFifo ? 10 : 10_000] as const }
  for (const [option, [low, high]] of Object.entries(ranges)) {
    const value = options[option as keyof typeof ranges]
    if (value !== undefined) integer(`${path}.${option}`, value, low, high)
  }
  checkWrites(path, app, options.writesTo ?? {})
}

const STREAM_ONLY = ['parallelizationFactor', 'maximumRetryAttempts', 'maximumRecordAgeSeconds'] as const

const RANGES = {
  batchSize: [1, 10_000],
  batchingWindowSeconds: [0, 300],
  parallelizationFactor: [1, 10],
  maximumRetryAttempts: [0, 10_000],
  maximumRecordAgeSeconds: [60, 604_800],
  maximumConcurrency: [2, 1_000],
  retryConcurrency: [2, 1_000],
  memoryMiB: [128, 10_240],
  reservedConcurrency: [1, 100_000],
} as const

function checkWrites(path: string, app: AppDescription, { streams = [], queues = [] }: WritesTo): void {
  const check = (option: string, names: readonly string[], known: readonly { readonly name: string }[]) => {
    for (const name of names) {
      if (known.some((one) => one.name === name)) continue
      const listed = known.map((one) => one.name).join(', ')
      throw new InvalidOptionError(`${path}.writesTo.${option}`, `names of the application (${listed})`, name)
    }
  }
  check('streams', streams, app.streams)
  check('queues', queues, app.queues)
}

function integer(path: string, value: unknown, low: number, high: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low && value <= high) return
  throw new InvalidOptionError(path, `an integer from ${low} to ${high}`, value)
}
