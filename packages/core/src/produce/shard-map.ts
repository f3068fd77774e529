import { hashKeyToHex } from '../model/hash-key.ts'
import type { ShardInfo } from '../ports/log.ts'

export interface OpenShard {
  readonly shardId: string
  readonly parentShardIds: readonly string[]
  /** The range's end as 32 hex digits, which compare as the numbers do. */
  readonly endHex: string
}

/** Predicts where records go: the open shards by their hash ranges. A prediction; the log's answer says where one went. */
export class ShardMap {
  readonly open: readonly OpenShard[]
  readonly #md5Hex: (text: string) => string

  constructor(shards: readonly ShardInfo[], md5Hex: (text: string) => string) {
    this.#md5Hex = md5Hex
    this.open = shards
      .filter((shard) => shard.endingSequenceNumber === undefined)
      .map(({ shardId, parentShardIds, endingHashKey }) => ({
        shardId,
        parentShardIds,
        endHex: hashKeyToHex(endingHashKey),
      }))
      .sort((a, b) => (a.endHex < b.endHex ? -1 : 1))
  }

  /** The first shard that ends at or after the record's hash key. Undefined only without any open shard. */
  find(key: string, explicitHashKey: string | undefined): OpenShard | undefined {
    const hex = explicitHashKey === undefined ? this.#md5Hex(key) : hexOf(explicitHashKey)
    let low = 0
    let high = this.open.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.open[middle] as OpenShard).endHex < hex) low = middle + 1
      else high = middle
    }
    return this.open[low]
  }

  has(shardId: string): boolean {
    return this.open.some((shard) => shard.shardId === shardId)
  }
}

/** Of what may not be a hash key: the log will refuse it, wherever it is sent. */
function hexOf(explicitHashKey: string): string {
  return /^\d{1,39}$/.test(explicitHashKey) ? BigInt(explicitHashKey).toString(16).padStart(32, '0') : ''
}
