import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import { ShardReader } from './shard-reader.ts'

/** The readers of this process: one a shard, whatever the number of subscriptions. */
export class ShardReaders {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #stopping: AbortSignal
  readonly #readers = new Map<string, ShardReader>()
  /** Subscriptions by stream. */
  readonly #subscriptions = new Map<string, number>()

  constructor(engine: Engine, logger: Logger, stopping: AbortSignal) {
    this.#engine = engine
    this.#logger = logger
    this.#stopping = stopping
  }

  /** One more subscription will read the stream. Told before the first of them reads. */
  join(stream: string): void {
    this.#subscriptions.set(stream, (this.#subscriptions.get(stream) ?? 0) + 1)
  }

  /**
   * A stream that was created anew under its old name gets new readers.
   * @param fanOut - name of a consumer that asks for a throughput of its own: where the log has such, it has its own reader
   */
  get(stream: StreamInfo, shard: ShardInfo, fanOut?: string): ShardReader {
    const consumer = this.#engine.log.hasFanOut === true ? fanOut : undefined
    const name = `${stream.streamId}/${shard.shardId}/${consumer ?? ''}`
    let reader = this.#readers.get(name)
    if (reader === undefined) {
      reader = new ShardReader(
        this.#engine,
        this.#logger,
        stream,
        shard,
        this.#stopping,
        () => consumer !== undefined || (this.#subscriptions.get(stream.name) ?? 0) <= 1,
        consumer,
      )
      this.#readers.set(name, reader)
    }
    return reader
  }

  /** A shard that every subscription has read to its end needs no reader any more. */
  drop(streamId: string, shardId: string): void {
    this.#readers.delete(`${streamId}/${shardId}`)
  }

  get readCalls(): number {
    let calls = 0
    for (const { reads } of this.#readers.values()) calls += reads.calls
    return calls
  }

  /** Reads that the limits of their streams refused; each was made again. */
  get throttledReads(): number {
    let calls = 0
    for (const { reads } of this.#readers.values()) calls += reads.throttled
    return calls
  }
}
