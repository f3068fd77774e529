import { type Expanded, Expander } from '../aggregate/expander.ts'
import type { UserRecord } from '../aggregate/user-record.ts'
import { Copies } from '../consume/copies.ts'
import type { LiveTask } from '../consume/live-task.ts'
import { RecordSieve } from '../consume/record-sieve.ts'
import { laneName, shardLaneName } from '../fail/lane.ts'
import type { EventMeta } from '../handle/context.ts'
import type { EddyEvent } from '../model/event.ts'
import { positionOf } from '../model/position.ts'
import type { LogRecord, ShardInfo } from '../ports/log.ts'
import { Fenced } from '../runtime/fenced.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import { BatchNote, runsOf } from './batch-note.ts'
import { EventMarkers } from './event-markers.ts'
import type { Invocation } from './invocation.ts'
import { type SetTask, TaskSet } from './task-set.ts'

export interface RecordBatchOptions {
  readonly shard: ShardInfo
  /** Records of one shard, in its order; one at least. */
  readonly records: readonly LogRecord[]
  /** Names the invocation among all. */
  readonly requestId: string
  readonly filter: ((event: EddyEvent) => boolean) | undefined
}

/** A user record of the batch. */
interface Entry {
  /** Its record's place in the batch. */
  readonly index: number
  /** Undefined: it is passed over, or was done with before. */
  readonly task: SetTask | undefined
}

/** How often an invocation says how far it is, and learns whether a later one has the same records. */
const PROGRESS_MS = 1_000

/**
 * One batch of a shard's records, handled as on the live path of a running subscription (I7): lanes by key, holds, the
 * failure ledger. A record counts when it is resolved or in the ledger with its payload (I2); what is left comes again.
 */
export class RecordBatch {
  readonly #invocation: Invocation
  readonly #options: RecordBatchOptions
  readonly #stop = new AbortController()
  readonly #isSharded: boolean

  constructor(invocation: Invocation, options: RecordBatchOptions) {
    this.#invocation = invocation
    this.#options = options
    this.#isSharded = invocation.parts.policy.failure.blocks === 'shard'
  }

  /** @returns the first record that is left, by its place in the batch; undefined: none is */
  async run(): Promise<number | undefined> {
    const { parts, deadlineMs, reading } = this.#invocation
    const { engine, definition, logger, stopping } = parts
    const { records, shard, requestId } = this.#options
    const untilMs = engine.clock.now() + deadlineMs - engine.clock.monotonicMs()
    try {
      const note = await BatchNote.begin({
        engine,
        subscription: definition.name,
        shardId: shard.shardId,
        records,
        epoch: reading.epoch,
        requestId,
        untilMs,
        stopping,
        logger,
      })
      // Long enough that an earlier invocation which still runs is told, and begins nothing more.
      if (note.mayOverlap) await engine.clock.sleep(2 * PROGRESS_MS, stopping)
      return await this.#handle(note)
    } catch (error) {
      // Storage did not answer in time: nothing is known to be done with.
      if (error instanceof Stopped) return 0
      if (!(error instanceof Fenced)) throw error
      logger.warn(
        { subscription: definition.name, shardId: shard.shardId, requestId },
        'a later invocation has the same records: what is not done with is left to it',
      )
      return 0
    }
  }

  async #handle(note: BatchNote): Promise<number | undefined> {
    const { parts, handOver, reading } = this.#invocation
    const { shardId } = this.#options.shard
    const entries = this.#entriesOf(note)
    const tasks = entries.flatMap(({ task }) => task ?? [])
    const lanes = new Set(tasks.map(({ task }) => laneName(task.meta)))
    const { engine, stopping, logger } = parts
    await persist(engine.clock, stopping, logger, 'reading holds', () =>
      parts.holds.loadNamed([...lanes, shardLaneName(shardId)]),
    )
    if (!this.#isSharded) await handOver.letGo(shardId, reading.epoch)
    const set = new TaskSet(this.#invocation, this.#stop)
    const watched = this.#watch(note, entries, set)
    await set.run(tasks)
    const isFenced = await watched()
    if (set.error !== undefined && !(set.error instanceof Fenced))
      parts.logger.error(
        { subscription: parts.definition.name, shardId, reason: String(set.error) },
        'an event could not be brought to its end and comes again',
      )
    const left = entries.find(({ task }) => task !== undefined && task.state !== 'done')?.index
    if (left === undefined) return undefined
    if (!isFenced) await this.#noteEnd(note, entries, left)
    return left
  }

  /** The batch's user records, in order, each with what is to be done with it. */
  #entriesOf(note: BatchNote): readonly Entry[] {
    const { parts } = this.#invocation
    const { records, shard, filter } = this.#options
    const expanded = new Expander(parts.engine, shard).expand(records)
    const sieve = new RecordSieve(parts, shard.shardId, new Copies(), filter)
    const markers = new EventMarkers(parts.engine, parts.definition.ledgerRetentionMs)
    const entries: Entry[] = []
    for (const [index, record] of records.entries()) {
      for (const user of userRecordsOf(record, expanded?.get(record.sequenceNumber))) {
        const passedOver = sieve.repeats(user, entries.length) ?? (sieve.wants(user) ? undefined : 'filtered')
        if (passedOver !== undefined) parts.metrics[passedOver] += 1
        const isTask = passedOver === undefined && !note.resolved.has(entries.length)
        entries.push({ index, task: isTask ? this.#taskOf(user, note, markers) : undefined })
      }
    }
    return entries
  }

  #taskOf(record: UserRecord, note: BatchNote, markers: EventMarkers): SetTask {
    const { parts, pass, deadlineMs, reading } = this.#invocation
    const { shard } = this.#options
    const { sequenceNumber, subSequenceNumber, partitionKey, explicitHashKey, arrivedAtMs, data } = record
    const meta: EventMeta = {
      stream: parts.definition.stream,
      shardId: shard.shardId,
      sequenceNumber,
      subSequenceNumber,
      position: positionOf(pass, shard.depth, sequenceNumber, subSequenceNumber),
      key: partitionKey,
      ...(explicitHashKey !== undefined && { explicitHashKey }),
      arrivedAtMs,
    }
    const task: LiveTask = {
      meta,
      bytes: data,
      reading,
      isSharded: this.#isSharded,
      isReplay: note.isAgain,
      stop: this.#stop.signal,
      deadlineMs,
      marker: note.isCareful
        ? markers.of(
            () => task,
            () => parts.runner.longestCallMs,
          )
        : undefined,
    }
    return { lane: this.#isSharded ? shardLaneName(shard.shardId) : laneName(meta), task, state: 'waiting' }
  }

  /** @returns ends the watch; true: a later invocation has the same records */
  #watch(note: BatchNote, entries: readonly Entry[], set: TaskSet): () => Promise<boolean> {
    const { engine, logger } = this.#invocation.parts
    const over = new AbortController()
    let isFenced = false
    const run = async (): Promise<void> => {
      for (;;) {
        await engine.clock.sleep(PROGRESS_MS, over.signal)
        if (over.signal.aborted) return
        try {
          await note.progress(runsFrom(entries, 0))
        } catch (error) {
          isFenced ||= error instanceof Fenced
          if (isFenced) {
            // What still runs here writes nothing: the later invocation has those events, too.
            this.#invocation.end()
            return set.close()
          }
          logger.warn({ reason: String(error) }, 'how far a batch is was not noted and is tried again')
        }
      }
    }
    const running = run()
    return async () => {
      over.abort()
      await running
      return isFenced || set.error instanceof Fenced
    }
  }

  async #noteEnd(note: BatchNote, entries: readonly Entry[], left: number): Promise<void> {
    try {
      await note.end(left, runsFrom(entries, left))
    } catch (error) {
      // Without it, what is done with is looked up in the ledger or handled again: late, and nothing is lost (I2).
      this.#invocation.parts.logger.warn({ reason: String(error) }, 'the end of a batch was not noted')
    }
  }
}

export function userRecordsOf(record: LogRecord, found: Expanded | undefined): readonly UserRecord[] {
  if (found === undefined) return [record]
  const { aggregate, isStray } = found
  return Array.from({ length: aggregate.count }, (_, place) => aggregate.record(record, place, isStray))
}

/** Of the user records from a record of the batch on. */
function runsFrom(entries: readonly Entry[], from: number): readonly number[] {
  return runsOf(
    entries
      .filter(({ index }) => index >= from)
      .map(({ task }) => task === undefined || task.state === 'done'),
  )
}
