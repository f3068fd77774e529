import { utf8Bytes } from '../limits/utf8-bytes.ts'
import { compareSequence } from '../model/position.ts'
import type { Clock } from '../ports/clock.ts'
import type { AppendEntry, AppendResult } from '../ports/log.ts'
import { Fifo } from '../runtime/fifo.ts'
import { Batch, MAX_BATCH_BYTES } from './batch.ts'
import {
  type BatchEnd,
  endStopped,
  paceFeedback,
  type SendOptions,
  settleRejection,
  settleResults,
} from './batch-results.ts'
import { Gathering } from './gathering.ts'
import type { Lane } from './lane.ts'
import type { Marker } from './marker.ts'
import type { NewRecord, PendingRecord, WriterCall } from './pending-record.ts'
import { PlanLoader } from './plan-loader.ts'
import type { Ordering } from './produce-options.ts'
import type { ProducerLog } from './producer-log.ts'
import { ResendTimes } from './resend-times.ts'
import { ShardQueue } from './shard-queue.ts'
import type { StreamPlan } from './stream-plan.ts'
import { WakeUp } from './wake-up.ts'

/**
 * With `strict` a call holds one record: more of them may be under way. So with a pace, which bounds what is under way to each
 * shard, and takes from a shard in small pieces.
 */
const MORE_IN_FLIGHT = 64

export interface WriterOptions extends SendOptions {
  /** Calls of the log under way at a time. */
  readonly maxInFlight: number
  /** Records of one call. */
  readonly maxBatchRecords: number
}

export interface WriterParts {
  readonly log: ProducerLog
  readonly clock: Clock
  readonly plan: StreamPlan
  readonly ordering: Ordering
  readonly options: WriterOptions
  readonly marker: Marker
}

/**
 * Sends the records of all calls to one stream, in batches, several at a time.
 *
 * - I3: at most one batch has records of a lane; what of it failed returns to the lane's front before the lane is free.
 * - Every record that was given comes back to its call once: settled, given back, or refused.
 * - I6: it holds what its calls gave it, and those have their limits; batches under way are at most `maxInFlight`.
 * - Where the stream has limits, each shard is taken from as its pace allows. Else nothing is predicted and nothing waits.
 */
export class StreamWriter {
  readonly #parts: WriterParts
  readonly #needsShards: boolean
  readonly #lanes = new Map<string, Lane>()
  readonly #queues = new Map<string, ShardQueue>()
  /** What came before the stream's limits and shards were known. */
  readonly #early: Fifo<PendingRecord> = new Fifo()
  readonly #later: ResendTimes = new ResendTimes()
  readonly #wakeUp: WakeUp
  /** The last sequence number that this writer was told of, by shard; for `strict` alone. */
  readonly #lastSequence = new Map<string, string>()
  readonly #gathering: Gathering
  readonly #planLoader: PlanLoader
  #order = 0
  #inFlight = 0
  #firstQueue = 0
  #isPumpDue = false
  #isOutdated = false

  constructor(parts: WriterParts) {
    const { log, plan, ordering, options, clock } = parts
    this.#parts = parts
    this.#gathering = new Gathering(log.gathers === true)
    this.#needsShards = ordering === 'strict' || !log.dropsCopies
    this.#wakeUp = new WakeUp(clock, () => this.#pump())
    this.#planLoader = new PlanLoader({
      plan,
      clock,
      options,
      needsShards: this.#needsShards,
      onKnown: () => this.#pump(),
      onWait: (atMs) => this.#wakeUp.at(atMs),
      onRefused: (error) => this.#refuseEarly(error),
    })
    plan.onChange(() => {
      this.#isOutdated = true
      this.#schedulePump()
    })
  }

  /** Nothing is under way, and nothing waits. */
  get isIdle(): boolean {
    if (this.#inFlight > 0 || this.#early.size > 0 || this.#lanes.size > 0 || !this.#later.isEmpty)
      return false
    return [...this.#queues.values()].every((queue) => queue.head() === undefined)
  }

  /** Takes a record over; it is sent in the same turn of the loop at the earliest. */
  submit(record: NewRecord, call: WriterCall, index: number): PendingRecord {
    const { id, lane, entry, isOwnMark } = record
    const pending: PendingRecord = {
      call,
      index,
      id,
      lane: this.#parts.ordering === 'none' ? undefined : lane,
      entry,
      bytes: entry.data.length + utf8Bytes(entry.partitionKey),
      isOwnMark,
      isMarked: false,
      order: this.#order,
      tries: 0,
      firstSentMs: undefined,
      mayBeStored: false,
    }
    this.#order += 1
    // Nothing overtakes what came before the shards were known, until that has its place.
    if (this.#early.size > 0 || !this.#parts.plan.isKnown(this.#needsShards)) this.#early.push(pending)
    else this.#place(pending)
    this.#schedulePump()
    return pending
  }

  /** Ends what the call has waiting; what is under way ends with its batch. The call must be stopped. */
  withdraw(call: WriterCall): void {
    const isOfCall = (record: PendingRecord): boolean => record.call === call
    // Not as arguments of one push: a buffer holds more records than a call takes.
    const withdrawn = [this.#early.withdraw(isOfCall)]
    for (const queue of this.#queues.values()) withdrawn.push(queue.withdraw(isOfCall))
    for (const lane of this.#lanesAtRest()) withdrawn.push(lane.waiting.withdraw(isOfCall))
    for (const record of withdrawn.flat().sort((a, b) => a.order - b.order)) endStopped(record)
    this.#schedulePump()
  }

  get #maxInFlight(): number {
    const { ordering, plan, options } = this.#parts
    if (ordering !== 'strict' && plan.limits === undefined) return options.maxInFlight
    return Math.max(options.maxInFlight, MORE_IN_FLIGHT)
  }

  #lanesAtRest(): Set<Lane> {
    const lanes = new Set([...this.#lanes.values(), ...this.#later.lanes()])
    for (const queue of this.#queues.values()) for (const lane of queue.readyLanes()) lanes.add(lane)
    return lanes
  }

  #place(record: PendingRecord): void {
    const { plan, ordering, log, marker } = this.#parts
    const { partitionKey, explicitHashKey } = record.entry
    const usesShards = this.#needsShards || plan.limits !== undefined
    const shard = usesShards ? plan.map?.find(partitionKey, explicitHashKey) : undefined
    if (shard !== undefined && ordering === 'strict') {
      record.lane = shard.shardId
      const { closedLanes } = record.call
      // Nothing overtakes what was given up in the shard that this one came from.
      if (closedLanes.size > 0 && shard.parentShardIds.some((parent) => closedLanes.has(parent)))
        closedLanes.add(shard.shardId)
    }
    if (shard !== undefined && !log.dropsCopies) marker.mark(record, shard.shardId)
    this.#queueOf(shard?.shardId).push(record)
  }

  #queueOf(shardId = ''): ShardQueue {
    const known = this.#queues.get(shardId)
    if (known !== undefined) return known
    const { plan, ordering, log } = this.#parts
    const queue = new ShardQueue(shardId === '' ? undefined : shardId, plan.pacer(shardId), {
      lanes: this.#lanes,
      isManyAtATime: () => (ordering === 'key' ? log.keepsKeyOrder : log.keepsCallOrder === true),
    })
    this.#queues.set(shardId, queue)
    return queue
  }

  /** Once for all that is given in this turn: calls that are made together share their batches. */
  #schedulePump(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    void Promise.resolve().then(() => this.#pump())
  }

  #pump(): void {
    this.#isPumpDue = false
    const { plan, clock } = this.#parts
    if (!plan.isKnown(this.#needsShards)) {
      if (this.#early.size > 0) this.#planLoader.ask()
      else this.#wakeUp.cancel()
      return
    }
    if (this.#isOutdated || this.#early.size > 0) this.#placeAll()
    // The shards changed: what is under way ends before anything is placed anew, so that no lane is in two places.
    if (this.#isOutdated) return
    const nowMs = clock.monotonicMs()
    this.#later.listDue(nowMs)
    while (this.#inFlight < this.#maxInFlight) {
      const batch = this.#nextBatch(nowMs)
      if (batch === undefined) break
      void this.#send(batch)
    }
    const nextMs = this.#nextTimeMs(nowMs)
    if (nextMs === undefined) this.#wakeUp.cancel()
    else this.#wakeUp.at(nextMs)
  }

  #refuseEarly(error: unknown): void {
    const refused = this.#early.withdraw(() => true)
    for (const call of new Set(refused.map((record) => record.call)))
      call.refuse(
        refused.filter((record) => record.call === call),
        error,
      )
  }

  #placeAll(): void {
    if (this.#isOutdated) {
      if (this.#inFlight > 0) return
      const all: PendingRecord[][] = []
      for (const queue of this.#queues.values()) all.push(queue.withdraw(() => true))
      for (const lane of this.#lanesAtRest()) all.push(lane.waiting.withdraw(() => true))
      this.#queues.clear()
      this.#lanes.clear()
      this.#later.clear()
      this.#isOutdated = false
      for (const record of all.flat().sort((a, b) => a.order - b.order)) this.#place(record)
    }
    for (let record = this.#early.shift(); record !== undefined; record = this.#early.shift())
      this.#place(record)
  }

  #nextBatch(nowMs: number): Batch | undefined {
    const queues = [...this.#queues.values()]
    const isDue = queues.some((queue) => {
      const head = queue.head()
      if (head === undefined || this.#gathering.waits(queue)) return false
      return queue.pacer === undefined || queue.pacer.dueAtMs(head.bytes, nowMs) <= nowMs
    })
    if (!isDue) return undefined
    const { log, plan, ordering, options } = this.#parts
    const { limits } = plan
    const isStrict = ordering === 'strict'
    const isSingle = isStrict && log.keepsCallOrder !== true
    const most = limits?.maxEntries ?? options.maxBatchRecords
    const maxEntries = isSingle ? 1 : Math.min(options.maxBatchRecords, most)
    const maxBytes = Math.min(MAX_BATCH_BYTES, limits?.maxRequestBytes ?? MAX_BATCH_BYTES)
    const batch = new Batch(maxEntries, maxBytes)
    // Another one begins each time: no shard is always the one for which there is no room.
    this.#firstQueue += 1
    for (let step = 0; step < queues.length; step += 1) {
      const queue = queues[(this.#firstQueue + step) % queues.length] as ShardQueue
      const head = queue.head()
      if (head === undefined || this.#gathering.waits(queue) || !batch.fits(head)) continue
      if (queue.pacer === undefined || queue.pacer.mayVisit(head.bytes, nowMs)) queue.take(batch, nowMs)
      // Order is that of one shard.
      if (isStrict && !batch.isEmpty) break
    }
    return batch.isEmpty ? undefined : batch
  }

  async #send(batch: Batch): Promise<void> {
    const { log, clock, plan, options } = this.#parts
    const sentMs = clock.monotonicMs()
    const calls = batch.begin(sentMs)
    this.#inFlight += 1
    this.#gathering.begins(batch)
    plan.refreshNowAndThen(sentMs)
    let answer: { readonly results: readonly AppendResult[] } | { readonly error: unknown }
    try {
      const results = await log.append(plan.stream, this.#entriesOf(batch))
      if (results.length !== batch.records.length)
        throw new Error(`the log answered ${results.length} results to ${batch.records.length} entries`)
      answer = { results }
    } catch (error) {
      answer = { error }
    }
    this.#inFlight -= 1
    this.#gathering.ended(batch)
    const end: BatchEnd = { nowMs: clock.monotonicMs(), chance: clock.random(), options }
    const results = 'results' in answer ? answer.results : undefined
    for (const [{ pacer }, counts] of paceFeedback(batch, results))
      pacer?.learn({ sentMs, ...counts }, end.nowMs)
    if ('results' in answer) {
      this.#learnFrom(batch, answer.results, end.nowMs)
      this.#later.add(settleResults(batch, answer.results, end), end.nowMs)
    } else this.#later.add(settleRejection(batch, answer.error, end), end.nowMs)
    for (const call of calls) call.batchEnded?.()
    this.#pump()
  }

  #entriesOf({ records }: Batch): readonly AppendEntry[] {
    if (this.#parts.ordering !== 'strict') return records.map(({ record }) => record.entry)
    return records.map(({ record, queue }) => {
      const orderedAfter = this.#lastSequence.get(queue.shardId ?? '')
      return orderedAfter === undefined ? record.entry : { ...record.entry, orderedAfter }
    })
  }

  #learnFrom(batch: Batch, results: readonly AppendResult[], nowMs: number): void {
    const { plan, ordering } = this.#parts
    let isSurprising = false
    for (const [position, { queue }] of batch.records.entries()) {
      const result = results[position] as AppendResult
      if (!result.ok) isSurprising ||= result.code === 'throttled' && queue.pacer === undefined
      else if (queue.shardId !== undefined) {
        isSurprising ||= result.shardId !== queue.shardId
        if (ordering === 'strict') this.#noteSequence(result.shardId, result.sequenceNumber)
      }
    }
    if (isSurprising) plan.refresh(nowMs)
  }

  /** A copy is answered with the number of the first one, which may be older than the last. */
  #noteSequence(shardId: string, sequenceNumber: string): void {
    const last = this.#lastSequence.get(shardId)
    if (last === undefined || compareSequence(last, sequenceNumber) < 0)
      this.#lastSequence.set(shardId, sequenceNumber)
  }

  /** When something can be done that cannot be done now, if no answer comes before. */
  #nextTimeMs(nowMs: number): number | undefined {
    let nextMs = this.#later.nextMs ?? Number.POSITIVE_INFINITY
    if (this.#inFlight < this.#maxInFlight) {
      for (const queue of this.#queues.values()) {
        const head = queue.head()
        if (head !== undefined && queue.pacer !== undefined && !this.#gathering.waits(queue))
          nextMs = Math.min(nextMs, queue.pacer.dueAtMs(head.bytes, nowMs))
      }
    }
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs
  }
}
