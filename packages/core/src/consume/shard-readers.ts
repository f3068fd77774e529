import type { Logger } from '../observe/logger.ts'
import type { Engine } from '../ports/engine.ts'
import type { ShardInfo, StreamInfo } from '../ports/log.ts'
import { ShardReader } from './shard-reader.ts'

interface Used {
  readonly reader: ShardReader
  users: number
}

/** The readers of this process: one a shard, whatever the number of subscriptions. */
export class ShardReaders {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #stopping: AbortSignal
  readonly #readers = new Map<string, Used>()
  /** Of readers that are gone. */
  #gone = { calls: 0, throttled: 0 }
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
    const consumer = this.#consumerOf(fanOut)
    const name = nameOf(stream, shard, consumer)
    let used = this.#readers.get(name)
    if (used === undefined) {
      const reader = new ShardReader(
        this.#engine,
        this.#logger,
        stream,
        shard,
        this.#stopping,
        () => consumer !== undefined || (this.#subscriptions.get(stream.name) ?? 0) <= 1,
        consumer,
      )
      used = { reader, users: 0 }
      this.#readers.set(name, used)
    }
    used.users += 1
    return used.reader
  }

  /** Given back by whoever got it: a shard that nobody reads here any more needs no reader, and no window. */
  drop(stream: StreamInfo, shard: ShardInfo, fanOut?: string): void {
    const name = nameOf(stream, shard, this.#consumerOf(fanOut))
    const used = this.#readers.get(name)
    if (used === undefined) return
    used.users -= 1
    if (used.users > 0) return
    this.#readers.delete(name)
    const { calls, throttled } = used.reader.reads
    this.#gone = { calls: this.#gone.calls + calls, throttled: this.#gone.throttled + throttled }
  }

  #consumerOf(fanOut: string | undefined): string | undefined {
    return this.#engine.log.hasFanOut === true ? fanOut : undefined
  }

  get readCalls(): number {
    let { calls } = this.#gone
    for (const { reader } of this.#readers.values()) calls += reader.reads.calls
    return calls
  }

  /** Reads that the limits of their streams refused; each was made again. */
  get throttledReads(): number {
    let { throttled } = this.#gone
    for (const { reader } of this.#readers.values()) throttled += reader.reads.throttled
    return throttled
  }
}

function nameOf(stream: StreamInfo, shard: ShardInfo, consumer: string | undefined): string {
  return `${stream.streamId}/${shard.shardId}/${consumer ?? ''}`
}
