import { hashKeyToHex } from '../model/hash-key.ts'
import type { ShardInfo } from '../ports/log.ts'

interface Range {
  readonly shardId: string
  /** Both as 32 hex digits, which compare as the numbers do. */
  readonly from: string
  readonly to: string
}

/** The hash ranges of a stream's shards, open and closed, as they were listed. */
export class ShardRanges {
  readonly #all = new Map<string, Range>()
  readonly #open: readonly Range[]

  constructor(shards: readonly ShardInfo[]) {
    const open: Range[] = []
    for (const { shardId, startingHashKey, endingHashKey, endingSequenceNumber } of shards) {
      const range = { shardId, from: hashKeyToHex(startingHashKey), to: hashKeyToHex(endingHashKey) }
      this.#all.set(shardId, range)
      if (endingSequenceNumber === undefined) open.push(range)
    }
    this.#open = open.sort((a, b) => (a.to < b.to ? -1 : 1))
  }

  /** The open shard of a hash; undefined when none was listed, as between a shard's closing and its children's opening. */
  shardOf(hash: string): string | undefined {
    let low = 0
    let high = this.#open.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#open[middle] as Range).to < hash) low = middle + 1
      else high = middle
    }
    const found = this.#open[low]
    return found !== undefined && found.from <= hash && hash <= found.to ? found.shardId : undefined
  }

  has(shardId: string): boolean {
    return this.#all.has(shardId)
  }

  /** False for a shard that is not known, too. */
  holds(shardId: string, hashes: readonly string[]): boolean {
    const range = this.#all.get(shardId)
    return range !== undefined && hashes.every((hash) => range.from <= hash && hash <= range.to)
  }
}
