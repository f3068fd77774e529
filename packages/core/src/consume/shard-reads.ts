import { isEddyError } from '../errors/eddy-error.ts'
import { retryAfterMsOf } from '../errors/stream-errors.ts'
import type { ServiceLimits } from '../model/service-limits.ts'
import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { ReadResult, StartPosition, StreamInfo } from '../ports/log.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import { HEAD, ReadPace, type ReadRank } from './read-pace.ts'

const MAX_READ_RECORDS = 1_000
/** Where the calls are counted, each brings more. */
const MAX_PACED_RECORDS = 4_000
const MAX_READ_BYTES = 4 * 1024 * 1024
const FIRST_ERROR_WAIT_MS = 50
const MAX_ERROR_WAIT_MS = 5_000
/** Limits of a stream may change: they are asked for again after this long. */
const LIMITS_KNOWN_MS = 10_000

/** The reads of one shard: repeated until they are answered, and paced where the stream has limits. */
export class ShardReads {
  readonly #engine: Pick<Engine, 'log' | 'clock'>
  readonly #logger: Logger
  readonly #stream: string
  readonly #shardId: string
  readonly #stopping: AbortSignal
  /** Its throughput is its own: nothing is paced. */
  readonly #consumer: string | undefined
  /** Set for a stream with limits. */
  #pace: ReadPace | undefined
  #limitsKnownAtMs = 0
  /** Calls of `Log.read`, for metrics. */
  calls = 0
  /** Of these, those that the stream's limits refused. */
  throttled = 0

  constructor(
    engine: Pick<Engine, 'log' | 'clock'>,
    logger: Logger,
    { name, limits }: StreamInfo,
    shardId: string,
    stopping: AbortSignal,
    consumer?: string,
  ) {
    this.#consumer = consumer
    this.#engine = engine
    this.#logger = logger
    this.#stream = name
    this.#shardId = shardId
    this.#stopping = stopping
    this.#setPace(limits)
  }

  /** What a read asks for when nobody has a reason to ask for less. */
  get maxRecords(): number {
    return this.#pace === undefined ? MAX_READ_RECORDS : MAX_PACED_RECORDS
  }

  /** @throws Stopped; errors that no repetition can mend */
  async read(
    from: StartPosition,
    maxRecords: number,
    waitMs: number,
    rank: ReadRank = HEAD,
  ): Promise<ReadResult> {
    let errorWaitMs = FIRST_ERROR_WAIT_MS
    let refusals = 0
    if (this.#pace !== undefined) await this.#turn(rank)
    for (;;) {
      if (this.#stopping.aborted) throw new Stopped()
      try {
        return await this.#readOnce(from, maxRecords, waitMs)
      } catch (error) {
        if (this.#stopping.aborted) throw new Stopped()
        if (!isEddyError(error) || !error.retryable) throw error
        const retryAfterMs = retryAfterMsOf(error)
        if (retryAfterMs !== undefined) {
          refusals += 1
          await this.#giveWay(retryAfterMs, refusals)
          continue
        }
        this.#logger.warn(
          { stream: this.#stream, shardId: this.#shardId, reason: error.message },
          'a read failed and is repeated',
        )
        await this.#engine.clock.sleep(errorWaitMs, this.#stopping)
        errorWaitMs = Math.min(MAX_ERROR_WAIT_MS, errorWaitMs * 2)
      }
    }
  }

  async #readOnce(from: StartPosition, maxRecords: number, waitMs: number): Promise<ReadResult> {
    this.calls += 1
    const result = await this.#engine.log.read({
      stream: this.#stream,
      shardId: this.#shardId,
      from,
      maxRecords,
      maxBytes: Math.min(MAX_READ_BYTES, this.#pace?.maxReadBytes ?? MAX_READ_BYTES),
      waitMs,
      signal: this.#stopping,
      ...(this.#consumer !== undefined && { consumer: this.#consumer }),
    })
    this.#pace?.answered(bytesOf(result), this.#engine.clock.monotonicMs())
    return result
  }

  /** A throttled read is no failure: others read the shard too. */
  async #giveWay(retryAfterMs: number, refusals: number): Promise<void> {
    const { clock } = this.#engine
    this.throttled += 1
    // Limits that were set since: this reader knows of none yet.
    if (this.#pace === undefined) await this.#lookAtLimits()
    const waitMs = this.#pace?.throttled(retryAfterMs, refusals, clock.random()) ?? retryAfterMs
    await clock.sleep(waitMs, this.#stopping)
  }

  async #turn(rank: ReadRank): Promise<void> {
    const { clock } = this.#engine
    if (clock.monotonicMs() - this.#limitsKnownAtMs > LIMITS_KNOWN_MS) await this.#lookAtLimits()
    await this.#pace?.turn(clock, this.#stopping, rank)
  }

  async #lookAtLimits(): Promise<void> {
    try {
      this.#setPace((await this.#engine.log.describeStream(this.#stream)).limits)
    } catch (error) {
      // The read that follows meets the same and tells of it; what was known stays.
      if (!isEddyError(error)) throw error
      this.#limitsKnownAtMs = this.#engine.clock.monotonicMs()
    }
  }

  #setPace(limits: ServiceLimits | undefined): void {
    this.#limitsKnownAtMs = this.#engine.clock.monotonicMs()
    if (limits === undefined || this.#consumer !== undefined) this.#pace = undefined
    else if (JSON.stringify(limits) !== JSON.stringify(this.#pace?.limits)) this.#pace = new ReadPace(limits)
  }
}

function bytesOf({ records }: ReadResult): number {
  let bytes = 0
  for (const record of records) bytes += record.data.length
  return bytes
}
