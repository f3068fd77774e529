import { type Clock, InvalidOptionError, type ReadRequest, type ReadResult } from '@eddy/core'
import type { KinesisParts } from '../kinesis-producer-log.ts'
import { Consumers } from './consumers.ts'
import { ShardSubscription } from './shard-subscription.ts'

const CONSUMER_NAME = /^[a-zA-Z0-9_.-]{1,128}$/

export interface FanOutReaderOptions {
  readonly clock: Clock
  readonly consumerNameOf: ((subscription: string) => string) | undefined
}

/** Reads with enhanced fan-out: one subscription a shard and consumer, begun by the first read. */
export class FanOutReader {
  readonly #parts: KinesisParts
  readonly #options: FanOutReaderOptions
  readonly #consumers: Consumers
  readonly #subscriptions = new Map<string, ShardSubscription>()

  constructor(parts: KinesisParts, options: FanOutReaderOptions) {
    this.#parts = parts
    this.#options = options
    this.#consumers = new Consumers(parts, options.clock)
  }

  /** @throws as `KinesisReader.read`; InvalidOptionError for a name that no consumer may have */
  async read(request: ReadRequest, subscription: string): Promise<ReadResult> {
    const { stream, shardId } = request
    const { clock, consumerNameOf } = this.#options
    const consumer = consumerNameOf?.(subscription) ?? subscription
    if (!CONSUMER_NAME.test(consumer))
      throw new InvalidOptionError('consumer', '1 to 128 characters of a-zA-Z0-9_.-', consumer)
    const key = `${stream} ${shardId} ${consumer}`
    let found = this.#subscriptions.get(key)
    if (found === undefined) {
      const consumers = this.#consumers
      found = new ShardSubscription({ parts: this.#parts, clock, consumers, stream, shardId, consumer })
      this.#subscriptions.set(key, found)
    }
    const result = await found.read(request)
    if (result.next === undefined) this.#subscriptions.delete(key)
    return result
  }

  /** After the stream was deleted. */
  forget(stream: string): void {
    for (const [key, subscription] of this.#subscriptions) {
      if (!key.startsWith(`${stream} `)) continue
      this.#subscriptions.delete(key)
      void subscription.close()
    }
  }

  async close(): Promise<void> {
    const open = [...this.#subscriptions.values()]
    this.#subscriptions.clear()
    await Promise.all(open.map((subscription) => subscription.close()))
  }
}
