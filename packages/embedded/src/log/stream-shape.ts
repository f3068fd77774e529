import { type ShardInfo, ShardNotFoundError } from '@eddy/core'
import { equalHashRanges, hashKeyToDecimal } from './hash-key.ts'

/** Sequence numbers start here, so that all have 16 digits and stay exact as numbers. */
export const FIRST_SEQUENCE = 1_000_000_000_000_000

/** What is stored of a shard. */
export interface Shard {
  readonly no: number
  readonly shardId: string
  /** Inclusive, 32 hex digits each. */
  readonly startHex: string
  readonly endHex: string
  readonly parentShardIds: readonly string[]
  readonly depth: number
  readonly startSequence: number
  /** Set when closed. */
  readonly endSequence?: number
  readonly closedAtMs?: number
}

/** The shards of a stream at one moment. Never changed; a split, a merge or a removal makes a new one. */
export class StreamShape {
  /** Parents before children. */
  readonly shards: readonly Shard[]
  readonly nextShardNo: number
  /** The open ones by hash key. */
  readonly open: readonly Shard[]
  readonly #starts: readonly string[]
  readonly #byId: ReadonlyMap<string, Shard>

  constructor(shards: readonly Shard[], nextShardNo: number) {
    this.shards = shards
    this.nextShardNo = nextShardNo
    this.open = shards
      .filter((shard) => shard.endSequence === undefined)
      .sort((a, b) => (a.startHex < b.startHex ? -1 : 1))
    this.#starts = this.open.map((shard) => shard.startHex)
    this.#byId = new Map(shards.map((shard) => [shard.shardId, shard]))
  }

  /** The open shard whose range holds the hash key. */
  shardOf(hashHex: string): Shard {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as string) <= hashHex) low = middle
      else high = middle - 1
    }
    return this.open[low] as Shard
  }

  find(shardId: string): Shard | undefined {
    return this.#byId.get(shardId)
  }

  /** @throws ShardNotFoundError */
  require(stream: string, shardId: string): Shard {
    const shard = this.#byId.get(shardId)
    if (shard === undefined) throw new ShardNotFoundError(stream, shardId)
    return shard
  }
}

export function firstShape(shardCount: number): StreamShape {
  const shards = equalHashRanges(shardCount).map(
    (range, no): Shard => ({
      no,
      shardId: shardIdOf(no),
      ...range,
      parentShardIds: [],
      depth: 0,
      startSequence: FIRST_SEQUENCE,
    }),
  )
  return new StreamShape(shards, shardCount)
}

export function shardIdOf(no: number): string {
  return `shardId-${String(no).padStart(12, '0')}`
}

export function toShardInfo(shard: Shard): ShardInfo {
  return {
    shardId: shard.shardId,
    startingHashKey: hashKeyToDecimal(shard.startHex),
    endingHashKey: hashKeyToDecimal(shard.endHex),
    parentShardIds: shard.parentShardIds,
    depth: shard.depth,
    startingSequenceNumber: String(shard.startSequence),
    ...(shard.endSequence === undefined ? {} : { endingSequenceNumber: String(shard.endSequence) }),
    ...(shard.closedAtMs === undefined ? {} : { closedAtMs: shard.closedAtMs }),
  }
}
