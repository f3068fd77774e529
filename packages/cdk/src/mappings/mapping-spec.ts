import type { SubscriptionDescription } from '../app/app-description.ts'
import type { MappingOptions } from '../options/subscription-options.ts'

/** An event source mapping as both CloudFormation and CreateEventSourceMapping take it. */
export interface MappingSpec {
  readonly FunctionName: string
  readonly EventSourceArn: string
  readonly Enabled: boolean
  readonly BatchSize: number
  readonly FunctionResponseTypes: readonly ['ReportBatchItemFailures']
  readonly MaximumBatchingWindowInSeconds?: number
  readonly StartingPosition?: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP'
  /** Epoch seconds. */
  readonly StartingPositionTimestamp?: number
  readonly ParallelizationFactor?: number
  readonly MaximumRetryAttempts?: number
  readonly MaximumRecordAgeInSeconds?: number
  readonly BisectBatchOnFunctionError?: boolean
  readonly DestinationConfig?: { readonly OnFailure: { readonly Destination: string } }
  readonly ScalingConfig?: { readonly MaximumConcurrency: number }
}

/** The most that the service takes, a week. */
const MAX_RECORD_AGE_SECONDS = 604_800
/** What is left of retention when a record is given up: the rescue still reads it. */
const AGE_SHARE = 0.9
/** A batch comes again for as long as it has something unresolved; each time counts. */
const RETRY_ATTEMPTS = { nothing: 100, key: 100, shard: 10_000 } as const
const STREAM_BATCH = 100
const QUEUE_BATCH = 10
const RETRY_CONCURRENCY = 10

export interface Mapped {
  readonly functionName: string
  readonly sourceArn: string
}

/** Records of a stream for a subscription. Every limit is finite: no record can stop a shard for good. */
export function streamMapping(
  { functionName, sourceArn }: Mapped,
  subscription: SubscriptionDescription,
  { bucketArn, retentionHours }: { readonly bucketArn: string; readonly retentionHours: number },
  options: MappingOptions,
): MappingSpec {
  const { blocks, from } = subscription
  return {
    FunctionName: functionName,
    EventSourceArn: sourceArn,
    Enabled: options.enabled ?? true,
    BatchSize: options.batchSize ?? STREAM_BATCH,
    MaximumBatchingWindowInSeconds: options.batchingWindowSeconds ?? 0,
    ...startOf(from),
    ParallelizationFactor: options.parallelizationFactor ?? 1,
    MaximumRetryAttempts: options.maximumRetryAttempts ?? RETRY_ATTEMPTS[blocks],
    MaximumRecordAgeInSeconds: recordAgeSeconds(retentionHours, options),
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    DestinationConfig: { OnFailure: { Destination: bucketArn } },
  }
}

/** After it a record is given up, to the rescue. */
export function recordAgeSeconds(
  retentionHours: number,
  { maximumRecordAgeSeconds }: Pick<MappingOptions, 'maximumRecordAgeSeconds'>,
): number {
  const age = Math.floor(retentionHours * 3_600 * AGE_SHARE)
  return maximumRecordAgeSeconds ?? Math.min(age, MAX_RECORD_AGE_SECONDS)
}

/** Lambda takes more than ten messages at a time only when it may wait for them. */
export function queueWindowSeconds({
  batchSize = QUEUE_BATCH,
  batchingWindowSeconds,
}: Pick<MappingOptions, 'batchSize' | 'batchingWindowSeconds'>): number | undefined {
  return batchingWindowSeconds ?? (batchSize > QUEUE_BATCH ? 1 : undefined)
}

/** Messages of a queue source. */
export function queueMapping({ functionName, sourceArn }: Mapped, options: MappingOptions): MappingSpec {
  const { batchSize, enabled, maximumConcurrency } = options
  const windowSeconds = queueWindowSeconds(options)
  return {
    FunctionName: functionName,
    EventSourceArn: sourceArn,
    Enabled: enabled ?? true,
    BatchSize: batchSize ?? QUEUE_BATCH,
    ...(windowSeconds !== undefined && { MaximumBatchingWindowInSeconds: windowSeconds }),
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ...(maximumConcurrency !== undefined && { ScalingConfig: { MaximumConcurrency: maximumConcurrency } }),
  }
}

/** Tokens of a retry queue: bounded, so that a burst of retries cannot drown what the handler calls. */
export function retryMapping(
  { functionName, sourceArn }: Mapped,
  { retryConcurrency }: { readonly retryConcurrency?: number },
): MappingSpec {
  return {
    FunctionName: functionName,
    EventSourceArn: sourceArn,
    Enabled: true,
    BatchSize: QUEUE_BATCH,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: retryConcurrency ?? RETRY_CONCURRENCY },
  }
}

function startOf(
  from: SubscriptionDescription['from'],
): Pick<MappingSpec, 'StartingPosition' | 'StartingPositionTimestamp'> {
  if (from === 'trim_horizon') return { StartingPosition: 'TRIM_HORIZON' }
  if (from === 'latest') return { StartingPosition: 'LATEST' }
  return { StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: Math.floor(from.timestampMs / 1_000) }
}
