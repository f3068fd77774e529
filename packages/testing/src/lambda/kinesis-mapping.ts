import { randomUuid } from '@eddy/core'
import type { KinesisEventRecord } from './kinesis-event.ts'
import {
  type CheckedOptions,
  checkKinesisMapping,
  type KinesisMappingOptions,
} from './kinesis-mapping-options.ts'
import type { SourceShard } from './kinesis-source.ts'
import { ShardPoller } from './shard-poller.ts'
import { untilAnswered } from './until-answered.ts'

/** How often new shards are looked for; how often the service does is not documented. */
const DISCOVERY_MS = 10_000

export interface KinesisMapping {
  /** Records that were given up, in the order in which that happened. */
  readonly discarded: readonly KinesisEventRecord[]
  /** Records that the filter kept from the function. */
  readonly filtered: number
  /** True once every shard is closed and delivered to its end. */
  readonly isAtEnd: boolean
  /** Invokes nothing any more; resolves when what runs has ended. */
  stop(): Promise<void>
}

/**
 * Starts an event source mapping of a Kinesis stream: reads its shards, batches, invokes, retries, discards.
 *
 * Simulated: batch size and window, 6 MB, parallelization by key, bisect, retries, record age, partial responses, filters,
 * on-failure documents, order of split and merge (a child begins when its parents are delivered). Not simulated: tumbling
 * windows, enhanced fan-out, restarts of the mapping itself.
 *
 * @throws RangeError for options that CreateEventSourceMapping refuses
 */
export function startKinesisMapping(options: KinesisMappingOptions): KinesisMapping {
  return new RunningMapping(checkKinesisMapping(options), options.uuid ?? randomUuid(options.clock))
}

class RunningMapping implements KinesisMapping {
  readonly discarded: KinesisEventRecord[] = []
  filtered = 0
  isAtEnd = false
  readonly #options: CheckedOptions
  readonly #uuid: string
  readonly #stopping = new AbortController()
  readonly #started = new Map<string, Promise<void>>()
  readonly #ended = new Set<string>()
  readonly #run: Promise<void>
  #wake: AbortController = new AbortController()

  constructor(options: CheckedOptions, uuid: string) {
    this.#options = options
    this.#uuid = uuid
    this.#run = this.#discover()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run
    await Promise.all(this.#started.values())
  }

  async #discover(): Promise<void> {
    const { clock, source } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const shards = (await untilAnswered(clock, signal, () => source.listShards())) ?? []
      for (const shard of shards) if (this.#mayStart(shard, shards)) this.#start(shard.shardId)
      this.isAtEnd = shards.length > 0 && shards.every((shard) => this.#ended.has(shard.shardId))
      await clock.sleep(DISCOVERY_MS, AbortSignal.any([signal, this.#wake.signal]))
    }
  }

  #mayStart({ shardId, parentShardIds }: SourceShard, shards: readonly SourceShard[]): boolean {
    if (this.#started.has(shardId)) return false
    const isListed = (parent: string): boolean => shards.some((shard) => shard.shardId === parent)
    return parentShardIds.every((parent) => this.#ended.has(parent) || !isListed(parent))
  }

  #start(shardId: string): void {
    const poller = new ShardPoller({
      options: this.#options,
      shardId,
      mappingUuid: this.#uuid,
      stopping: this.#stopping.signal,
      onDiscard: (records) => this.discarded.push(...records),
      onFiltered: () => {
        this.filtered += 1
      },
    })
    const running = poller.run().then((ended) => {
      if (!ended) return
      this.#ended.add(shardId)
      this.#wake.abort()
    })
    this.#started.set(shardId, running)
  }
}
