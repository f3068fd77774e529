import { isEddyError } from '../errors/eddy-error.ts'
import { laneName } from '../fail/lane.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import type { AppendEntry, AppendResult, ShardInfo } from '../ports/log.ts'
import { type Pack, packRound } from './pack-round.ts'
import type { ProducerLog } from './producer-log.ts'
import { ShardRanges } from './shard-ranges.ts'

/** What the KPL makes them: large enough that records cost little beside their bytes, small enough to share a shard. */
export const DEFAULT_AGGREGATE_BYTES: number = 50 * 1024
/** Shards are asked for again at most this often. */
const SHORTEST_REFRESH_MS = 1_000
/** Streams whose shards are remembered (I6). */
const MAX_STREAMS = 1_000

export interface AggregatingOptions {
  /** Of an aggregate, at most; default 50 KiB. A record that is larger goes by itself. */
  readonly maxBytes?: number
  /** Aggregates go one after another, each named as the one after the last. */
  readonly isStrict?: boolean
}

/**
 * A log whose appends become aggregates: entries of one predicted shard share a record, in the format of the KPL.
 *
 * - Order (I3): entries of a lane are in one aggregate, in their order. Those for which it has no room go in a further
 *   append, once the one before them is stored; when it is refused, so are they.
 * - An aggregate that landed in another shard than predicted, outside whose range some of it lies, is passed over by readers:
 *   all of it counts as refused, and is to be sent again.
 * - The log cannot know a copy of what is in an aggregate: readers do, by the producer's marks.
 */
export class AggregatingLog implements ProducerLog {
  readonly keepsKeyOrder = true
  readonly dropsCopies = false
  readonly keepsCallOrder: boolean
  readonly gathers = true
  readonly #log: ProducerLog
  readonly #engine: Pick<Engine, 'md5' | 'md5Hex'>
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #maxBytes: number
  readonly #isStrict: boolean
  readonly #known = new Map<string, { ranges: ShardRanges; loadedMs: number }>()

  constructor(
    log: ProducerLog,
    engine: Pick<Engine, 'md5' | 'md5Hex'>,
    clock: Pick<Clock, 'monotonicMs'>,
    options: AggregatingOptions = {},
  ) {
    this.#log = log
    this.#engine = engine
    this.#clock = clock
    this.#maxBytes = options.maxBytes ?? DEFAULT_AGGREGATE_BYTES
    this.#isStrict = options.isStrict === true
    this.keepsCallOrder = this.#isStrict
  }

  listShards(stream: string): Promise<readonly ShardInfo[]> {
    return this.#log.listShards(stream)
  }

  /** Records within aggregates are not counted by services: their bytes are the limit. */
  async describeStream(name: string): ReturnType<ProducerLog['describeStream']> {
    const { limits } = await this.#log.describeStream(name)
    if (limits === undefined) return {}
    return { limits: { ...limits, writeRecordsPerSecond: limits.writeBytesPerSecond } }
  }

  /** @throws what the log throws of the first append; what it throws of further ones is their entries' result */
  async append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const ranges = await this.#rangesOf(stream)
    const results: AppendResult[] = []
    const refused = new Map<string, AppendResult>()
    let waiting: readonly number[] = entries.map((_, index) => index)
    let orderedAfter = entries[0]?.orderedAfter
    for (let round = 0; waiting.length > 0; round += 1) {
      const { packs, rest } = packRound(entries, waiting, {
        ranges,
        md5Hex: (text) => this.#engine.md5Hex(text),
        maxBytes: this.#maxBytes,
        isStrict: this.#isStrict,
      })
      const answers = await this.#send(stream, packs, orderedAfter, round)
      for (const [place, pack] of packs.entries()) {
        const result = await this.#verified(stream, pack, answers[place] as AppendResult)
        for (const index of pack.indexes) {
          results[index] = result
          if (!result.ok) refused.set(this.#orderOf(entries[index] as AppendEntry), result)
        }
        if (this.#isStrict && result.ok) orderedAfter = result.sequenceNumber
      }
      waiting = this.#stillAllowed(entries, rest, refused, results)
    }
    return results
  }

  /** What follows a refused entry is refused as that was. */
  #stillAllowed(
    entries: readonly AppendEntry[],
    rest: readonly number[],
    refused: ReadonlyMap<string, AppendResult>,
    results: AppendResult[],
  ): readonly number[] {
    return rest.filter((index) => {
      const result = refused.get(this.#orderOf(entries[index] as AppendEntry))
      if (result !== undefined) results[index] = result
      return result === undefined
    })
  }

  /** What must not change places: the entries of a lane, or with strict order all of the call. */
  #orderOf({ partitionKey: key, explicitHashKey }: AppendEntry): string {
    if (this.#isStrict) return ''
    return laneName({ key, ...(explicitHashKey !== undefined && { explicitHashKey }) })
  }

  async #send(
    stream: string,
    packs: readonly Pack[],
    orderedAfter: string | undefined,
    round: number,
  ): Promise<readonly AppendResult[]> {
    const entries = packs.map((pack) => {
      const entry = pack.entry((bytes) => this.#engine.md5(bytes))
      return orderedAfter === undefined ? entry : { ...entry, orderedAfter }
    })
    try {
      return await this.#log.append(stream, entries)
    } catch (error) {
      // Of the first append nothing else is known either. Later, what was stored before must not be called into doubt.
      if (round === 0 || !isEddyError(error)) throw error
      const { retryable, message } = error
      return packs.map(() => ({ ok: false, code: retryable ? 'internal' : 'invalid', retryable, message }))
    }
  }

  async #verified(stream: string, pack: Pack, result: AppendResult): Promise<AppendResult> {
    if (!result.ok || pack.hashes === undefined || result.shardId === pack.shardId) return result
    // Split or merged since: the shards there are now say whether all of it belongs where it is.
    const ranges = await this.#rangesWith(stream, result.shardId)
    if (ranges?.holds(result.shardId, pack.hashes) === true) return result
    return {
      ok: false,
      code: 'internal',
      retryable: true,
      message: `the aggregate landed in ${result.shardId}, where not all of its records belong: it counts nowhere and all of it is sent again`,
    }
  }

  async #rangesOf(stream: string): Promise<ShardRanges> {
    const known = this.#known.get(stream)
    if (known !== undefined) return known.ranges
    return await this.#load(stream)
  }

  /** A shard that is not known is looked for at once; it is, from then on. */
  async #rangesWith(stream: string, shardId: string): Promise<ShardRanges | undefined> {
    const known = this.#known.get(stream)
    const isFresh = known !== undefined && this.#clock.monotonicMs() - known.loadedMs < SHORTEST_REFRESH_MS
    if (isFresh && known.ranges.has(shardId)) return known.ranges
    return await this.#load(stream).catch(() => undefined)
  }

  async #load(stream: string): Promise<ShardRanges> {
    const ranges = new ShardRanges(await this.#log.listShards(stream))
    this.#known.delete(stream)
    this.#known.set(stream, { ranges, loadedMs: this.#clock.monotonicMs() })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_STREAMS) break
      this.#known.delete(oldest)
    }
    return ranges
  }
}
