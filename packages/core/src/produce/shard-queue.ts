import { Fifo } from '../runtime/fifo.ts'
import type { Batch } from './batch.ts'
import { Lane } from './lane.ts'
import { behindUnaccepted } from './outcomes.ts'
import type { PendingRecord } from './pending-record.ts'
import type { ShardPacer } from './shard-pacer.ts'

/** What the queues of one writer have in common. */
export interface LaneRules {
  /** By name: the lanes that have a record under way, or waiting behind one. */
  readonly lanes: Map<string, Lane>
  /** A batch may hold several records of a lane: the log refuses the later ones with an earlier one. */
  isManyAtATime(): boolean
}

/**
 * What waits to be sent to one shard (or, where nothing depends on shards, to the stream), oldest first. A record whose lane
 * is under way steps aside into the lane and is not looked at again before the lane is free, so that taking a batch
 * costs what it takes.
 */
export class ShardQueue {
  /** Undefined: of the stream as a whole. */
  readonly shardId: string | undefined
  readonly pacer: ShardPacer | undefined
  readonly #rules: LaneRules
  readonly #fresh: Fifo<PendingRecord> = new Fifo()
  readonly #ready: Fifo<Lane> = new Fifo()

  constructor(shardId: string | undefined, pacer: ShardPacer | undefined, rules: LaneRules) {
    this.shardId = shardId
    this.pacer = pacer
    this.#rules = rules
  }

  /** Records that were not sent yet and wait for no lane. */
  get fresh(): number {
    return this.#fresh.size
  }

  push(record: PendingRecord): void {
    this.#fresh.push(record)
  }

  /** A record that may be the next to go; undefined when all that is left waits for its lane. */
  head(): PendingRecord | undefined {
    return this.#ready.peek()?.waiting.peek() ?? this.#fresh.peek()
  }

  /** Lanes whose records waited longest go first. */
  listFirst(lanes: readonly Lane[]): void {
    this.#ready.putFirst(lanes)
  }

  readyLanes(): readonly Lane[] {
    return this.#ready.list()
  }

  /** Fills the batch as far as the shard's pace allows. */
  take(batch: Batch, nowMs: number): void {
    const isAll = this.#takeReady(batch, nowMs) && this.#takeFresh(batch, nowMs)
    // A batch that was full says nothing of the shard, which goes on in the next one.
    const head = this.head()
    if (isAll || (head !== undefined && batch.fits(head))) this.pacer?.visited(nowMs)
  }

  /** Takes out what the call gave and has no batch yet; what stays keeps its order. */
  withdraw(isWithdrawn: (record: PendingRecord) => boolean): PendingRecord[] {
    return this.#fresh.withdraw(isWithdrawn)
  }

  /** The batch has no records of the lane any more. */
  release(lane: Lane): void {
    lane.batch = undefined
    if (lane.waiting.size > 0) this.listFirst([lane])
    else this.forget(lane)
  }

  forget(lane: Lane): void {
    if (lane.name !== undefined && this.#rules.lanes.get(lane.name) === lane)
      this.#rules.lanes.delete(lane.name)
  }

  /** @returns false when there was no room for all that is ready */
  #takeReady(batch: Batch, nowMs: number): boolean {
    for (let lane = this.#ready.peek(); lane !== undefined; lane = this.#ready.peek()) {
      let hasTaken = false
      for (let record = lane.waiting.peek(); record !== undefined; record = lane.waiting.peek()) {
        if (isClosed(record)) {
          lane.waiting.shift()
          refuseBehind(record)
          continue
        }
        if (hasTaken && !this.#rules.isManyAtATime()) break
        if (!this.#hasRoom(batch, record, nowMs)) {
          if (hasTaken) this.#ready.shift()
          return false
        }
        lane.waiting.shift()
        this.#add(batch, record, lane)
        hasTaken = true
      }
      this.#ready.shift()
      if (!hasTaken) this.forget(lane)
    }
    return true
  }

  #takeFresh(batch: Batch, nowMs: number): boolean {
    for (let record = this.#fresh.peek(); record !== undefined; record = this.#fresh.peek()) {
      if (isClosed(record)) {
        this.#fresh.shift()
        refuseBehind(record)
        continue
      }
      const lane = record.lane === undefined ? undefined : this.#rules.lanes.get(record.lane)
      if (lane !== undefined && !this.#mayJoin(lane, batch)) {
        this.#fresh.shift()
        lane.waiting.push(record)
        continue
      }
      if (!this.#hasRoom(batch, record, nowMs)) return false
      this.#fresh.shift()
      this.#add(batch, record, lane ?? this.#open(record))
    }
    return true
  }

  /** Whether the lane's record may go with the ones of it that this batch has already. */
  #mayJoin(lane: Lane, batch: Batch): boolean {
    return this.#rules.isManyAtATime() && lane.batch === batch && lane.waiting.size === 0
  }

  #open(record: PendingRecord): Lane | undefined {
    if (record.lane === undefined) return undefined
    const lane = new Lane(record.lane, this)
    this.#rules.lanes.set(record.lane, lane)
    return lane
  }

  #add(batch: Batch, record: PendingRecord, lane: Lane | undefined): void {
    if (lane !== undefined) lane.batch = batch
    this.pacer?.take(record.bytes)
    batch.add({ record, lane, queue: this })
  }

  #hasRoom(batch: Batch, record: PendingRecord, nowMs: number): boolean {
    return batch.fits(record) && (this.pacer === undefined || this.pacer.hasRoom(record.bytes, nowMs))
  }
}

function isClosed({ call, lane }: PendingRecord): boolean {
  return call.closedLanes.size > 0 && lane !== undefined && call.closedLanes.has(lane)
}

function refuseBehind(record: PendingRecord): void {
  record.call.settle(record, behindUnaccepted(record.entry.partitionKey))
}
