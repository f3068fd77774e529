import type { UserRecord } from '../aggregate/user-record.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import { readMark } from '../produce/producer-marks.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'
import type { Copies } from './copies.ts'

/** Says which records of a shard a subscription passes over: what was or will be here another time, and what it filters out. */
export class RecordSieve {
  readonly #parts: Pick<SubscriptionParts, 'definition' | 'logger'>
  readonly #shardId: string
  readonly #copies: Copies
  readonly #filter: ((event: EddyEvent) => boolean) | undefined

  constructor(
    parts: Pick<SubscriptionParts, 'definition' | 'logger'>,
    shardId: string,
    copies: Copies,
    filter: ((event: EddyEvent) => boolean) | undefined,
  ) {
    this.#parts = parts
    this.#shardId = shardId
    this.#copies = copies
    this.#filter = filter
  }

  /**
   * To be asked for every record in the shard's order, for those too that were resolved before.
   * @param ordinal - of the record; see `Copies`
   */
  repeats(record: UserRecord, ordinal: number): 'strays' | 'copies' | undefined {
    if (record.isStray === true && this.#parts.definition.strays === 'drop') {
      if (record.subSequenceNumber === 0) this.#tellOfStray(record)
      // None of it was ever here: what is sent again in its place must not be taken for a copy.
      return 'strays'
    }
    const mark = readMark(record.data)
    if (mark === undefined) return undefined
    return this.#copies.isCopy(mark, ordinal, record.arrivedAtMs) ? 'copies' : undefined
  }

  /** A record that is no event is never filtered away: it is dead-lettered with the reason. */
  wants(record: UserRecord): boolean {
    if (this.#filter === undefined) return true
    try {
      return this.#filter(decodeEvent(record.data))
    } catch {
      return true
    }
  }

  #tellOfStray({ sequenceNumber }: UserRecord): void {
    const { logger, definition } = this.#parts
    logger.warn(
      { subscription: definition.name, shardId: this.#shardId, sequenceNumber },
      "an aggregate is passed over: some of its records lie outside its shard's hash range, so its producer sends all of them again",
    )
  }
}
