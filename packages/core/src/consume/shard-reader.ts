import { Expander } from '../aggregate/expander.ts'
import { logPosition, type ReadPosition } from '../aggregate/read-position.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import { ReadWindow, type Slice } from './read-window.ts'
import { ShardReads } from './shard-reads.ts'

/** Handed out at a time. */
const MAX_TAKEN_RECORDS = 1_000
const HEAD_WAIT_MS = 10_000
/**
 * Rests of history reads whose aggregates held more than was asked for: 4 MiB each, or one record, and what the
 * aggregates take beside that (I6).
 */
const MAX_HISTORIES = 4

/**
 * The one reader of a shard in this process. It fetches at the head once for all subscriptions, and keeps a window of
 * recent records; a subscription that fell behind the window reads history by itself until it has caught up.
 */
export class ShardReader {
  readonly #reads: ShardReads
  readonly #stopping: AbortSignal
  readonly #isAlone: () => boolean
  readonly #expander: Expander
  readonly #histories: ReadWindow[] = []
  #window: ReadWindow | undefined
  #fetching: Promise<void> | undefined

  /**
   * @param isAlone - whether one subscription alone reads here
   * @param consumer - that the log gives a throughput of its own
   */
  constructor(
    engine: Pick<Engine, 'log' | 'clock' | 'md5' | 'md5Hex'>,
    logger: Logger,
    stream: StreamInfo,
    shard: ShardInfo,
    stopping: AbortSignal,
    isAlone: () => boolean,
    consumer?: string,
  ) {
    this.#reads = new ShardReads(engine, logger, stream, shard.shardId, stopping, consumer)
    this.#stopping = stopping
    this.#isAlone = isAlone
    this.#expander = new Expander(engine, shard)
  }

  /** Calls of `Log.read`, for metrics, and how many of them the stream's limits refused. */
  get reads(): Pick<ShardReads, 'calls' | 'throttled'> {
    return this.#reads
  }

  /**
   * Up to `maxRecords` from the position on; waits for the first record at the head.
   * @param priority - among those that read history
   * @throws Stopped when the reader or `signal` stops first
   */
  async take(from: ReadPosition, maxRecords: number, signal: AbortSignal, priority = 0): Promise<Slice> {
    for (;;) {
      if (signal.aborted || this.#stopping.aborted) throw new Stopped()
      const limit = Math.min(maxRecords, MAX_TAKEN_RECORDS)
      if (this.#window === undefined) {
        await this.#openWindow(from, signal)
        continue
      }
      const index = this.#window.indexOf(from)
      if (index === undefined) {
        const history = await this.#readHistory(from, limit, priority)
        // Within an aggregate even a read that brings nothing goes on: past its end, to a place that the log knows.
        const hasMoved = history.expiredRecords > 0 || from.at === 'at_sub_sequence_number'
        if (history.records.length > 0 || history.next === undefined || hasMoved) return history
        // At the head, under another name than the window's: what comes next comes through the window.
        await this.#fetch(signal)
        continue
      }
      const taken = this.#window.slice(from, index, limit)
      if (taken !== undefined) {
        // For one subscription alone there is nothing to keep.
        if (this.#isAlone()) this.#window.forget(taken.end)
        return taken.slice
      }
      await this.#fetch(signal)
    }
  }

  async #openWindow(from: ReadPosition, signal: AbortSignal): Promise<void> {
    await this.#once(signal, async () => {
      const start = logPosition(from)
      const result = await this.#reads.read(start, this.#reads.maxRecords, 0)
      this.#window ??= new ReadWindow(this.#expander, start, result)
    })
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    await this.#once(signal, async () => {
      const window = this.#window as ReadWindow
      const { next } = window
      if (next === undefined) return
      const result = await this.#reads.read(next, this.#reads.maxRecords, HEAD_WAIT_MS)
      // Retention was faster than everybody here: a window begins anew after the gap and tells of it (I2).
      if (result.expiredRecords > 0) this.#window = new ReadWindow(this.#expander, next, result)
      else window.add(result)
    })
  }

  async #readHistory(from: ReadPosition, limit: number, priority: number): Promise<Slice> {
    for (const [place, history] of this.#histories.entries()) {
      const index = history.indexOf(from)
      const taken = index === undefined ? undefined : history.slice(from, index, limit)
      if (taken === undefined) continue
      this.#histories.splice(place, 1)
      return this.#keepRest(history, taken.slice)
    }
    const start = logPosition(from)
    const result = await this.#reads.read(start, limit, 0, { isHead: false, priority })
    const history = new ReadWindow(this.#expander, start, result)
    if (!history.hasAggregates && start === from) return result
    const taken = history.slice(from, 0, limit)
    return taken === undefined ? result : this.#keepRest(history, taken.slice)
  }

  /** What an aggregate holds beyond what was asked for is not read again. */
  #keepRest(history: ReadWindow, slice: Slice): Slice {
    if (slice.next === undefined || history.next === slice.next) return slice
    this.#histories.push(history)
    if (this.#histories.length > MAX_HISTORIES) this.#histories.shift()
    return slice
  }

  /** Whoever comes while a fetch is under way waits for the same one. */
  async #once(signal: AbortSignal, fetch: () => Promise<void>): Promise<void> {
    this.#fetching ??= fetch().finally(() => {
      this.#fetching = undefined
    })
    await orAborted(this.#fetching, signal)
  }
}

async function orAborted(job: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Stopped()
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => reject(new Stopped())
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([job, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
