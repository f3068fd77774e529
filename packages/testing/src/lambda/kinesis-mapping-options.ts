import type { Clock } from '@eddy/core'
import type { FilterCriteria } from './filter-criteria.ts'
import type { Invoke } from './invocation.ts'
import type { KinesisSource, StartingPosition } from './kinesis-source.ts'
import type { OnFailureDestination } from './on-failure.ts'
import { within } from './within.ts'

export interface KinesisMappingOptions {
  readonly clock: Clock
  readonly source: KinesisSource
  readonly streamArn: string
  readonly functionArn: string
  readonly invoke: Invoke
  /** 1 to 10,000; default 100. */
  readonly batchSize?: number
  /** 0 to 300,000 ms in whole seconds; default 0. */
  readonly maximumBatchingWindowMs?: number
  /** 1 to 10; default 1. Records of one partition key stay in one lane. */
  readonly parallelizationFactor?: number
  /** -1 (until the record expires) to 10,000; default -1. */
  readonly maximumRetryAttempts?: number
  /** -1 (none), or 60,000 to 604,800,000 ms; default -1. */
  readonly maximumRecordAgeMs?: number
  readonly bisectBatchOnFunctionError?: boolean
  /** `functionResponseTypes: ['ReportBatchItemFailures']`. */
  readonly reportBatchItemFailures?: boolean
  readonly startingPosition?: StartingPosition
  readonly filterCriteria?: FilterCriteria
  readonly onFailure?: OnFailureDestination
  /** Of the mapping; part of the names of S3 objects. Default: by the clock's chance. */
  readonly uuid?: string
}

export interface CheckedOptions
  extends Required<Omit<KinesisMappingOptions, 'filterCriteria' | 'onFailure' | 'uuid'>> {
  readonly filterCriteria: FilterCriteria | undefined
  readonly onFailure: OnFailureDestination | undefined
}

/**
 * Fills in the defaults and refuses what CreateEventSourceMapping refuses: the ranges are those of the service model
 * (client-lambda, CreateEventSourceMappingRequest).
 * @throws RangeError
 */
export function checkKinesisMapping(options: KinesisMappingOptions): CheckedOptions {
  const {
    batchSize = 100,
    maximumBatchingWindowMs = 0,
    parallelizationFactor = 1,
    maximumRetryAttempts = -1,
    maximumRecordAgeMs = -1,
    bisectBatchOnFunctionError = false,
    reportBatchItemFailures = false,
    startingPosition = { at: 'TRIM_HORIZON' },
    filterCriteria,
    onFailure,
  } = options
  within('batchSize', batchSize, 1, 10_000)
  within('maximumBatchingWindowMs', maximumBatchingWindowMs, 0, 300_000)
  within('parallelizationFactor', parallelizationFactor, 1, 10)
  within('maximumRetryAttempts', maximumRetryAttempts, -1, 10_000)
  if (maximumRecordAgeMs !== -1) within('maximumRecordAgeMs', maximumRecordAgeMs, 60_000, 604_800_000)
  const { clock, source, streamArn, functionArn, invoke } = options
  return {
    clock,
    source,
    streamArn,
    functionArn,
    invoke,
    batchSize,
    maximumBatchingWindowMs,
    parallelizationFactor,
    maximumRetryAttempts,
    maximumRecordAgeMs,
    bisectBatchOnFunctionError,
    reportBatchItemFailures,
    startingPosition,
    filterCriteria,
    onFailure,
  }
}
