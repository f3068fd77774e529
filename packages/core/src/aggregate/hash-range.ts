import { type HashKeyRange, hashKeyToHex } from '../model/hash-key.ts'
import type { Aggregate } from './aggregate.ts'

const LOWEST = '0'.repeat(32)
const HIGHEST = 'f'.repeat(32)

/**
 * The range of a shard, for the check of the KCL: when any user record of an aggregate lies outside the range of the
 * shard that stores it, none of it counts. Its producer predicted a shard that was split or merged meanwhile, learns from
 * the answer where the record landed, and sends all of it again.
 */
export class HashRange {
  readonly #md5Hex: (text: string) => string
  readonly #from: string
  readonly #to: string

  constructor(range: HashKeyRange, md5Hex: (text: string) => string) {
    this.#from = hashKeyToHex(range.startingHashKey)
    this.#to = hashKeyToHex(range.endingHashKey)
    this.#md5Hex = md5Hex
  }

  holdsAllOf(aggregate: Aggregate): boolean {
    if (this.#from === LOWEST && this.#to === HIGHEST) return true
    for (const by of aggregate.placedBy()) {
      const hash = 'partitionKey' in by ? this.#md5Hex(by.partitionKey) : hashKeyToHex(by.explicitHashKey)
      // Hex digits of one length and case compare as the numbers do.
      if (hash < this.#from || hash > this.#to) return false
    }
    return true
  }
}
