import { AggregateBuilder } from '../aggregate/encode-aggregate.ts'
import { laneName } from '../fail/lane.ts'
import { hashKeyFromHex, hashKeyToHex, isHashKey } from '../model/hash-key.ts'
import type { AppendEntry } from '../ports/log.ts'
import type { ShardRanges } from './shard-ranges.ts'

/** Data and keys of one append of a log, as PutRecords has it. */
const MAX_ROUND_BYTES = 10 * 1024 * 1024

export interface PackOptions {
  readonly ranges: ShardRanges
  readonly md5Hex: (text: string) => string
  /** Of an aggregate. */
  readonly maxBytes: number
  /** One pack, and nothing overtakes what waits. */
  readonly isStrict: boolean
}

/** Entries that become one record. */
export interface Pack {
  /** In their order. */
  readonly indexes: readonly number[]
  /** Where it is to land. */
  readonly shardId: string | undefined
  /** Of its entries, as 32 hex digits; undefined: it is a single entry, sent as it is. */
  readonly hashes: readonly string[] | undefined
  entry(md5: (bytes: Uint8Array) => Uint8Array): AppendEntry
}

/**
 * Packs what may be sent together: entries of one shard into one aggregate, and no lane into two of them. What has to wait
 * for that is the rest, in its order.
 */
export function packRound(
  entries: readonly AppendEntry[],
  waiting: readonly number[],
  options: PackOptions,
): { readonly packs: readonly Pack[]; readonly rest: readonly number[] } {
  const round = new Round(options)
  const rest = waiting.filter((index) => !round.add(entries[index] as AppendEntry, index))
  return { packs: round.packs, rest }
}

class Round {
  readonly #options: PackOptions
  readonly packs: OpenPack[] = []
  /** The pack that still has room, by shard. */
  readonly #open = new Map<string, OpenPack>()
  /** The pack that a lane is in, or nothing: the lane waits for the next round. */
  readonly #lanes = new Map<string, OpenPack | undefined>()
  #bytes = 0
  #isClosed = false

  constructor(options: PackOptions) {
    this.#options = options
  }

  /** @returns false when the entry has to wait */
  add(entry: AppendEntry, index: number): boolean {
    if (this.#isClosed) return false
    const { partitionKey: key, explicitHashKey } = entry
    const lane = laneName({ key, ...(explicitHashKey !== undefined && { explicitHashKey }) })
    const pack = this.#packFor(entry, lane)
    this.#lanes.set(lane, pack)
    if (pack === undefined) {
      this.#isClosed = this.#options.isStrict
      return false
    }
    this.#bytes += pack.add(entry, index, this.#hashOf(entry) ?? '')
    return true
  }

  #packFor(entry: AppendEntry, lane: string): OpenPack | undefined {
    const isKnown = this.#lanes.has(lane)
    const before = this.#lanes.get(lane)
    if (isKnown && before === undefined) return undefined
    const hash = this.#hashOf(entry)
    const shardId = hash === undefined ? undefined : this.#options.ranges.shardOf(hash)
    const open = shardId === undefined ? undefined : this.#open.get(shardId)
    if (open !== undefined && (!isKnown || before === open) && this.#hasRoom(open, entry)) return open
    // The lane's records so far are in a pack that is full: the others of it go after that one.
    if (isKnown || !this.#mayOpen(entry)) return undefined
    const pack = new OpenPack(shardId)
    this.packs.push(pack)
    if (shardId !== undefined && pack.bytesWith(entry) <= this.#options.maxBytes)
      this.#open.set(shardId, pack)
    return pack
  }

  #hasRoom(pack: OpenPack, entry: AppendEntry): boolean {
    const bytes = pack.bytesWith(entry)
    return bytes <= this.#options.maxBytes && this.#bytes + bytes - pack.bytes <= MAX_ROUND_BYTES
  }

  #mayOpen({ data, partitionKey }: AppendEntry): boolean {
    // The first one is always allowed: the log says what it thinks of it.
    if (this.packs.length === 0) return true
    const most = data.length + partitionKey.length * 3 + 64
    return !this.#options.isStrict && this.#bytes + most <= MAX_ROUND_BYTES
  }

  /** Undefined for what is no hash key: the log will refuse it, and it alone. */
  #hashOf({ partitionKey, explicitHashKey }: AppendEntry): string | undefined {
    if (explicitHashKey === undefined) return this.#options.md5Hex(partitionKey)
    return isHashKey(explicitHashKey) ? hashKeyToHex(explicitHashKey) : undefined
  }
}

class OpenPack implements Pack {
  readonly indexes: number[] = []
  readonly shardId: string | undefined
  readonly #hashes: string[] = []
  readonly #builder = new AggregateBuilder()
  #first: AppendEntry | undefined

  constructor(shardId: string | undefined) {
    this.shardId = shardId
  }

  get hashes(): readonly string[] | undefined {
    return this.indexes.length > 1 ? this.#hashes : undefined
  }

  get bytes(): number {
    return this.#builder.bytes
  }

  bytesWith(entry: AppendEntry): number {
    return this.#builder.bytesWith(entry)
  }

  /** @returns by how many bytes it grew */
  add(entry: AppendEntry, index: number, hash: string): number {
    const before = this.indexes.length === 0 ? 0 : this.bytes
    this.#first ??= entry
    this.indexes.push(index)
    this.#hashes.push(hash)
    this.#builder.add(entry)
    return this.bytes - before
  }

  entry(md5: (bytes: Uint8Array) => Uint8Array): AppendEntry {
    if (this.indexes.length === 1) return this.#first as AppendEntry
    // What places it is the hash key. No two of a round have the same key, by which logs keep order within a call.
    const { partitionKey } = this.#first as AppendEntry
    const explicitHashKey = hashKeyFromHex(this.#hashes[0] as string)
    return { partitionKey, explicitHashKey, data: this.#builder.build(md5) }
  }
}
