import type { NewEvent } from 'eddy'
import { shardKeys } from '../support/shard-keys.ts'

export const STREAM = 'bench'
export const SHARDS = 10
/** 10,000 in all, of which each writer has its own. Fewer would hold up a writer that may send one of a key at a time. */
const KEYS_A_SHARD = 1_000
/** Of an event without its pad, as it is stored with a mark: what is over 1,000 bytes is not padded further. */
const ENVELOPE_BYTES = 330
const RECORD_BYTES = 1_000

export interface RecordData {
  readonly writer: number
  readonly n: number
  readonly pad: string
}

/** What a writer writes: `records` in all, every one with a number of its own. */
export interface Share {
  readonly writer: number
  readonly writers: number
  readonly records: number
  /** Every other record has one key, in the first shard; the rest goes to the other shards. */
  readonly isHot: boolean
  /** With `isHot`: leave the hot key's records out, to know how long the others need without them. */
  readonly isWithoutHotKey?: boolean
}

const PAD = 'the quick brown fox jumps over the lazy dog. '.repeat(30).slice(0, RECORD_BYTES - ENVELOPE_BYTES)

/** Events one after another: the shards in turn, and in each its keys in turn. No two writers share a key. */
export function* eventsOf({
  writer,
  writers,
  records,
  isHot,
  isWithoutHotKey = false,
}: Share): Generator<NewEvent<RecordData>> {
  const byShard = shardKeys(SHARDS, KEYS_A_SHARD).map((keys) =>
    keys.filter((_, index) => index % writers === writer),
  )
  const shards = isHot ? byShard.slice(1) : byShard
  const hotKey = byShard[0]?.[0] as string
  let even = 0
  for (let n = 0; n < records; n += 1) {
    const isHotTurn = isHot && n % 2 === 1
    if (isHotTurn) {
      if (!isWithoutHotKey) yield { key: hotKey, data: { writer, n, pad: PAD } }
      continue
    }
    const keys = shards[even % shards.length] as readonly string[]
    const key = keys[Math.floor(even / shards.length) % keys.length] as string
    even += 1
    yield { key, data: { writer, n, pad: PAD } }
  }
}
