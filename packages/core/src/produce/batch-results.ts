import { isEddyError } from '../errors/eddy-error.ts'
import type { AppendOutcome } from '../operate/operations.ts'
import { backoffDelayMs } from '../policies/backoff.ts'
import type { AppendResult } from '../ports/log.ts'
import type { Batch, BatchRecord } from './batch.ts'
import { Lane } from './lane.ts'
import { stoppedInDoubt } from './outcomes.ts'
import type { PendingRecord, WriterCall } from './pending-record.ts'
import type { ShardQueue } from './shard-queue.ts'

export interface SendOptions {
  /** Times one record is sent, the first included. What a paced shard's limits refuse does not count. */
  readonly maxTries: number
  /** From a record's first sending to its last. */
  readonly giveUpAfterMs: number
  readonly initialDelayMs: number
  readonly maxDelayMs: number
}

/** What is to be sent again: lanes, and when. */
export interface Resend {
  readonly lane: Lane
  /** 0: as soon as the shard's pace allows. */
  readonly waitMs: number
}

export interface BatchEnd {
  readonly nowMs: number
  /** One draw for all: what failed together is sent again together, not in hundreds of small calls. */
  readonly chance: number
  readonly options: SendOptions
}

/**
 * Settles what a batch came to. A lane's records that are to be sent again return to its front, in order.
 * @returns the lanes to be sent again, in the order of the batch; the batch's other lanes are free
 */
export function settleResults(
  batch: Batch,
  results: readonly AppendResult[],
  end: BatchEnd,
): readonly Resend[] {
  const again = new Resends(end)
  for (const [position, sent] of batch.records.entries()) {
    const { record } = sent
    const result = results[position] as AppendResult
    if (result.ok) {
      const { shardId, sequenceNumber, duplicate } = result
      record.call.settle(record, { ok: true, id: record.id, shardId, sequenceNumber, duplicate })
    } else if (!result.retryable) {
      const { code, message } = result
      record.call.settle(record, { ok: false, code, retryable: false, message })
    } else {
      // A throttle says that nothing was stored; any other failure does not.
      if (result.code !== 'throttled') record.mayBeStored = true
      again.consider(sent, result)
    }
  }
  return again.finish(batch)
}

/** The log's call failed as a whole. Retryable: any record may have been stored, and is sent with its mark again. */
export function settleRejection(batch: Batch, error: unknown, end: BatchEnd): readonly Resend[] {
  const again = new Resends(end)
  if (isEddyError(error) && error.retryable) {
    for (const sent of batch.records) {
      sent.record.mayBeStored = true
      again.consider(sent, { code: error.code, message: error.message })
    }
  } else refuseAll(batch, error)
  return again.finish(batch)
}

function refuseAll(batch: Batch, error: unknown): void {
  const byCall = new Map<WriterCall, PendingRecord[]>()
  for (const { record } of batch.records) {
    const records = byCall.get(record.call)
    if (records === undefined) byCall.set(record.call, [record])
    else records.push(record)
  }
  for (const [call, records] of byCall) call.refuse(records, error)
}

class Resends {
  readonly #end: BatchEnd
  readonly #again: { readonly sent: BatchRecord; readonly waitMs: number }[] = []

  constructor(end: BatchEnd) {
    this.#end = end
  }

  consider(sent: BatchRecord, failure: { readonly code: string; readonly message: string }): void {
    const { record, queue } = sent
    const isThrottled = failure.code === 'throttled'
    if (isThrottled) record.call.counts.throttled += 1
    if (record.call.isStopped) {
      endStopped(record)
      return
    }
    const isPaced = queue.pacer !== undefined && isThrottled
    if (isPaced) record.tries -= 1
    const waitMs = isPaced ? 0 : this.#delayMs(record.tries)
    const { maxTries, giveUpAfterMs } = this.#end.options
    const isInTime = this.#end.nowMs + waitMs - (record.firstSentMs ?? this.#end.nowMs) <= giveUpAfterMs
    if (record.tries < maxTries && isInTime) this.#again.push({ sent, waitMs })
    else giveUp(record, failure, this.#end.nowMs)
  }

  finish(batch: Batch): readonly Resend[] {
    const returning = new Map<Lane, { records: PendingRecord[]; waitMs: number }>()
    for (const { sent, waitMs } of this.#again) {
      // What has no lane gets one for itself: nothing waits behind it.
      const lane = sent.lane ?? new Lane(undefined, sent.queue)
      const returned = returning.get(lane)
      if (returned === undefined) returning.set(lane, { records: [sent.record], waitMs })
      else {
        returned.records.push(sent.record)
        returned.waitMs = Math.max(returned.waitMs, waitMs)
      }
    }
    const resends: Resend[] = []
    for (const [lane, { records, waitMs }] of returning) {
      lane.waiting.putFirst(records)
      lane.batch = undefined
      resends.push({ lane, waitMs })
    }
    for (const { lane, queue } of batch.records) if (lane?.batch === batch) queue.release(lane)
    return resends
  }

  #delayMs(tries: number): number {
    const { maxTries, initialDelayMs, maxDelayMs } = this.#end.options
    const policy = {
      kind: 'exponential',
      maxAttempts: maxTries,
      initialMs: initialDelayMs,
      factor: 2,
      maxMs: maxDelayMs,
      jitter: 'full',
    } as const
    return backoffDelayMs(policy, tries, undefined, () => this.#end.chance) ?? 0
  }
}

/** The call is over: a record that is known not to be stored is given back, any other has an outcome. */
export function endStopped(record: PendingRecord): void {
  if (record.mayBeStored) record.call.settle(record, stoppedInDoubt())
  else record.call.giveBack(record)
}

function giveUp(
  record: PendingRecord,
  failure: { readonly code: string; readonly message: string },
  nowMs: number,
): void {
  const { tries, mayBeStored, firstSentMs } = record
  const doubt = mayBeStored ? ' (it may have been stored)' : ''
  const effort =
    failure.code === 'throttled' && tries === 0
      ? `${Math.round(nowMs - (firstSentMs ?? nowMs))} ms`
      : `${tries} ${tries === 1 ? 'try' : 'tries'}`
  // Before it is told: nothing of its lane is to follow.
  if (record.lane !== undefined) record.call.closedLanes.add(record.lane)
  const outcome: AppendOutcome = {
    ok: false,
    code: failure.code,
    retryable: true,
    message: `${failure.message}${doubt}; given up after ${effort}`,
    ...(mayBeStored && { mayBeStored }),
  }
  record.call.settle(record, outcome)
}

/** What is to be learned of the pace of each queue. @param results - undefined: the call failed as a whole */
export function paceFeedback(
  batch: Batch,
  results: readonly AppendResult[] | undefined,
): ReadonlyMap<ShardQueue, { accepted: number; throttled: number; worthMs: number }> {
  const counts = new Map<ShardQueue, { accepted: number; throttled: number; worthMs: number }>()
  for (const [position, { record, queue }] of batch.records.entries()) {
    if (queue.pacer === undefined) continue
    let count = counts.get(queue)
    if (count === undefined) {
      count = { accepted: 0, throttled: 0, worthMs: 0 }
      counts.set(queue, count)
    }
    count.worthMs += queue.pacer.worthMs(record.bytes)
    const result = results?.[position]
    if (result?.ok === true) count.accepted += 1
    else if (result?.code === 'throttled') count.throttled += 1
  }
  return counts
}
