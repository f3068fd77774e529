import type { HashKeyRange } from '../model/hash-key.ts'
import type { Engine } from '../ports/engine.ts'
import type { LogRecord } from '../ports/log.ts'
import type { Aggregate } from './aggregate.ts'
import { beginsAggregate } from './aggregate-format.ts'
import { decodeAggregate } from './decode-aggregate.ts'
import { HashRange } from './hash-range.ts'

/** An aggregate among the records that were read. */
export interface Expanded {
  readonly aggregate: Aggregate
  /** Some of it lies outside the shard's range: its producer sends it again, and none of it counts here. */
  readonly isStray: boolean
}

/** Finds the aggregates among the records of one shard. */
export class Expander {
  readonly #engine: Pick<Engine, 'md5' | 'md5Hex'>
  readonly #range: HashRange

  /** @param shard - the one that stores the records: its range counts, whatever became of it since */
  constructor(engine: Pick<Engine, 'md5' | 'md5Hex'>, shard: HashKeyRange) {
    this.#engine = engine
    this.#range = new HashRange(shard, (text) => engine.md5Hex(text))
  }

  /** By sequence number; undefined when there are none: for all other records this is a look at their first byte. */
  expand(records: readonly LogRecord[]): Map<string, Expanded> | undefined {
    let found: Map<string, Expanded> | undefined
    for (const record of records) {
      if (!beginsAggregate(record.data)) continue
      const aggregate = decodeAggregate(record.data, (bytes) => this.#engine.md5(bytes))
      if (aggregate === undefined) continue
      found ??= new Map()
      found.set(record.sequenceNumber, { aggregate, isStray: !this.#range.holdsAllOf(aggregate) })
    }
    return found
  }
}
