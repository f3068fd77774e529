import { ShardNotFoundError } from '../errors/stream-errors.ts'
import type { Log, ShardInfo } from '../ports/log.ts'

/** Shards of one stream, listed when one is asked for that was not known. What is asked of them never changes. */
export class KnownShards {
  readonly #log: Pick<Log, 'listShards'>
  readonly #stream: string
  #shards: ReadonlyMap<string, ShardInfo> = new Map()

  constructor(log: Pick<Log, 'listShards'>, stream: string) {
    this.#log = log
    this.#stream = stream
  }

  /** @throws ShardNotFoundError */
  async get(shardId: string): Promise<ShardInfo> {
    const known = this.#shards.get(shardId)
    if (known !== undefined) return known
    const listed = await this.#log.listShards(this.#stream)
    this.#shards = new Map(listed.map((shard) => [shard.shardId, shard]))
    const shard = this.#shards.get(shardId)
    if (shard === undefined) throw new ShardNotFoundError(this.#stream, shardId)
    return shard
  }
}
