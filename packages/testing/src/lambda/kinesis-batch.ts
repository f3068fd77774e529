import { randomUuid } from '@eddy/core'
import { reportedFailures } from './batch-item-failures.ts'
import { growingWaitMs } from './growing-wait.ts'
import type { InvocationResult } from './invocation.ts'
import type { KinesisEventRecord } from './kinesis-event.ts'
import type { CheckedOptions } from './kinesis-mapping-options.ts'
import { type DiscardedBatch, sendDiscarded } from './on-failure.ts'

/** What batches of one shard have in common. */
export interface BatchScope {
  readonly options: CheckedOptions
  readonly shardId: string
  readonly mappingUuid: string
  /** Aborts when the mapping is stopped: nothing is invoked any more. */
  readonly stopping: AbortSignal
  readonly onDiscard: (records: readonly KinesisEventRecord[]) => void
}

/** A batch or what is left of one, and what it has used up. */
interface Part {
  readonly records: readonly KinesisEventRecord[]
  /** Retries so far; splits do not count, nor do throttles. */
  readonly retries: number
  readonly invokeCount: number
  readonly lastResult: InvocationResult | undefined
}

/**
 * Delivers one batch until all of it was handled or discarded; resolves early when the mapping stops.
 *
 * Rules (Lambda developer guide, "Using Lambda to process records from Kinesis Data Streams" and the pages below it):
 * a failed batch is retried as it is, before anything later of its lane; with BisectBatchOnFunctionError it is split
 * in two and the parts go one after another; a split uses up no retry; with ReportBatchItemFailures the lowest
 * identifier is the checkpoint, and everything from it on is retried; a record older than MaximumRecordAge is
 * discarded; throttles use up no retry.
 */
export async function deliverBatch(scope: BatchScope, records: readonly KinesisEventRecord[]): Promise<void> {
  // The first in the list is the earliest: parts of a split keep their order.
  const parts: Part[] = [{ records, retries: 0, invokeCount: 0, lastResult: undefined }]
  for (let tries = 1; parts.length > 0 && !scope.stopping.aborted; ) {
    const part = await discardOld(scope, parts.shift() as Part)
    if (part === undefined) continue
    const { clock, invoke } = scope.options
    const result = await invoke({ Records: part.records })
    if (scope.stopping.aborted) return
    const next = afterInvocation(scope, part, result)
    if (next.discard !== undefined) await discard(scope, next.discard, 'RetryAttemptsExhausted')
    parts.unshift(...next.parts)
    if (next.isRetry) {
      await clock.sleep(growingWaitMs(tries), scope.stopping)
      tries += 1
    } else tries = 1
  }
}

interface Next {
  /** What is to be delivered now, in order. */
  readonly parts: readonly Part[]
  readonly isRetry: boolean
  readonly discard?: Part
}

const DONE: Next = { parts: [], isRetry: false }

function afterInvocation(scope: BatchScope, part: Part, result: InvocationResult): Next {
  const { reportBatchItemFailures, bisectBatchOnFunctionError } = scope.options
  if (!result.ok && result.kind === 'throttled') return { parts: [part], isRetry: true }
  const tried: Part = { ...part, invokeCount: part.invokeCount + 1, lastResult: result }
  if (!result.ok) return afterFailure(scope, tried, bisectBatchOnFunctionError)
  if (!reportBatchItemFailures) return DONE
  const reported = reportedFailures(result.payload)
  if (reported.outcome === 'success') return DONE
  if (reported.outcome === 'failure') return afterFailure(scope, tried, bisectBatchOnFunctionError)
  const lowest = lowestIndex(part.records, reported.identifiers)
  // An identifier that is not of this batch says nothing about where to go on: a complete failure.
  if (lowest === undefined) return afterFailure(scope, tried, bisectBatchOnFunctionError)
  const rest: Part = { ...tried, records: part.records.slice(lowest) }
  // Split at the returned sequence: the part before it is done, and a split uses up no retry.
  if (bisectBatchOnFunctionError && lowest > 0) return { parts: [rest], isRetry: true }
  return afterFailure(scope, rest, bisectBatchOnFunctionError)
}

function afterFailure(scope: BatchScope, part: Part, bisect: boolean): Next {
  const { maximumRetryAttempts } = scope.options
  if (bisect && part.records.length > 1) {
    const middle = Math.ceil(part.records.length / 2)
    const first = { ...part, records: part.records.slice(0, middle) }
    const second = { ...part, records: part.records.slice(middle) }
    return { parts: [first, second], isRetry: true }
  }
  if (maximumRetryAttempts !== -1 && part.retries >= maximumRetryAttempts) {
    return { parts: [], isRetry: false, discard: part }
  }
  return { parts: [{ ...part, retries: part.retries + 1 }], isRetry: true }
}

/** Sequence numbers are compared by place in the batch, which is in their order. */
function lowestIndex(
  records: readonly KinesisEventRecord[],
  identifiers: readonly string[],
): number | undefined {
  const wanted = new Set(identifiers)
  const index = records.findIndex((record) => wanted.has(record.kinesis.sequenceNumber))
  return index < 0 ? undefined : index
}

/** What is left of the part once its records that are too old are gone. Arrival does not fall within a shard's batch. */
async function discardOld(scope: BatchScope, part: Part): Promise<Part | undefined> {
  const { clock, maximumRecordAgeMs } = scope.options
  if (maximumRecordAgeMs === -1) return part
  const oldestMs = clock.now() - maximumRecordAgeMs
  const isOld = (record: KinesisEventRecord): boolean =>
    record.kinesis.approximateArrivalTimestamp * 1_000 < oldestMs
  const old = part.records.filter(isOld)
  if (old.length === 0) return part
  await discard(scope, { ...part, records: old }, 'RecordAgeExceeded')
  const records = part.records.filter((record) => !isOld(record))
  return records.length === 0 ? undefined : { ...part, records }
}

async function discard(scope: BatchScope, part: Part, condition: DiscardedBatch['condition']): Promise<void> {
  const { options, shardId, mappingUuid, onDiscard } = scope
  onDiscard(part.records)
  if (options.onFailure === undefined) return
  await sendDiscarded(options.onFailure, {
    mappingUuid,
    shardId,
    streamArn: options.streamArn,
    functionArn: options.functionArn,
    condition,
    invokeCount: part.invokeCount,
    result: part.lastResult,
    records: part.records,
    nowMs: options.clock.now(),
    objectUuid: randomUuid(options.clock),
  })
}
