import type { KinesisSource, KinesisSourceRecord, ShardPage, SourceShard } from '@eddy/testing/lambda'

interface MemoryShard extends SourceShard {
  readonly records: KinesisSourceRecord[]
  closed: boolean
}

/** A stream in memory: what a mapping reads. */
export class MemoryStream implements KinesisSource {
  readonly #shards = new Map<string, MemoryShard>()
  #sequence = 1_000
  reads = 0

  open(shardId: string, parentShardIds: readonly string[] = []): void {
    this.#shards.set(shardId, { shardId, parentShardIds, records: [], closed: false })
  }

  close(shardId: string): void {
    this.#require(shardId).closed = true
  }

  /** Text as UTF-8, anything else as JSON. */
  put(shardId: string, partitionKey: string, data: unknown, approximateArrivalMs: number): string {
    const sequenceNumber = String(this.#sequence++)
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    this.#require(shardId).records.push({
      sequenceNumber,
      partitionKey,
      data: Buffer.from(text),
      approximateArrivalMs,
    })
    return sequenceNumber
  }

  async listShards(): Promise<readonly SourceShard[]> {
    return [...this.#shards.values()]
  }

  async start(shardId: string, position: { readonly at: string }): Promise<string> {
    return position.at === 'LATEST' ? String(this.#require(shardId).records.length) : '0'
  }

  async read(shardId: string, from: string, limit: number): Promise<ShardPage> {
    this.reads += 1
    const shard = this.#require(shardId)
    const records = shard.records.slice(Number(from), Number(from) + limit)
    const next = Number(from) + records.length
    return { records, next: shard.closed && next === shard.records.length ? undefined : String(next) }
  }

  #require(shardId: string): MemoryShard {
    const shard = this.#shards.get(shardId)
    if (shard === undefined) throw new Error(`no shard ${shardId}`)
    return shard
  }
}
