import type { ServiceLimits } from '../model/service-limits.ts'
import type { Clock } from '../ports/clock.ts'
import type { ProducerLog } from './producer-log.ts'
import { type OpenShard, ShardMap } from './shard-map.ts'
import { ShardPacer, type WriteRate } from './shard-pacer.ts'

/** After a record landed elsewhere than predicted: the shards are asked for again at most this often. */
const SHORTEST_REFRESH_MS = 1_000
/** Limits may be changed while a producer runs: it asks again while it sends. */
const REFRESH_MS = 60_000

export interface PlanParts {
  readonly log: ProducerLog
  readonly clock: Clock
  readonly stream: string
  readonly md5Hex: (text: string) => string
}

/**
 * What a producer knows of a stream: its limits, its open shards, and a pace for each of them. One for all calls of a
 * producer, so that they share the pace.
 */
export class StreamPlan {
  readonly stream: string
  readonly #parts: PlanParts
  readonly #listeners = new Set<() => void>()
  #limits: ServiceLimits | undefined
  #map: ShardMap | undefined
  #pacers = new Map<string, ShardPacer>()
  #isKnown = false
  #loadedMs = 0
  #loading: Promise<void> | undefined

  constructor(parts: PlanParts) {
    this.stream = parts.stream
    this.#parts = parts
  }

  get limits(): ServiceLimits | undefined {
    return this.#limits
  }

  /** The open shards; undefined when nobody needs them. */
  get map(): ShardMap | undefined {
    return this.#map
  }

  /** Whether it is known what records need: shards only where they are paced, numbered or in strict order. */
  isKnown(needsShards: boolean): boolean {
    return this.#isKnown && (this.#map !== undefined || !(needsShards || this.#limits !== undefined))
  }

  /** Undefined: the shard is not paced. */
  pacer(shardId: string): ShardPacer | undefined {
    return this.#pacers.get(shardId)
  }

  pacers(): ReadonlyMap<string, ShardPacer> {
    return this.#pacers
  }

  /** Calls `listener` after each change of limits or open shards; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Asks the log. Callers that overlap share one asking. @throws what the log throws */
  async load(needsShards: boolean): Promise<void> {
    while (this.#loading !== undefined) await this.#loading
    if (this.isKnown(needsShards)) return
    await this.#ask(needsShards)
  }

  /** Looks again, unless it was just done. A log that does not answer is asked again when the next record tells so. */
  refresh(nowMs: number): void {
    if (this.#loading !== undefined || nowMs - this.#loadedMs < SHORTEST_REFRESH_MS) return
    this.#loadedMs = nowMs
    this.#ask(this.#map !== undefined).catch(() => undefined)
  }

  /** Called while records are sent. */
  refreshNowAndThen(nowMs: number): void {
    if (this.#limits !== undefined && nowMs - this.#loadedMs >= REFRESH_MS) this.refresh(nowMs)
  }

  #ask(needsShards: boolean): Promise<void> {
    this.#loading = this.#learn(needsShards).finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #learn(needsShards: boolean): Promise<void> {
    const { log, clock, stream, md5Hex } = this.#parts
    const { limits } = await log.describeStream(stream)
    const wantsShards = needsShards || limits !== undefined
    const map = wantsShards ? new ShardMap(await log.listShards(stream), md5Hex) : undefined
    const nowMs = clock.monotonicMs()
    this.#loadedMs = nowMs
    // Between the closing of a shard and the opening of its children a list may show neither: the old one is as good.
    const isUsable = map === undefined || map.open.length > 0
    if (!isUsable) return
    const isSame = this.#isKnown && sameShards(map, this.#map) && isSameRate(limits, this.#limits)
    this.#isKnown = true
    this.#limits = limits
    if (isSame) return
    this.#map = map
    this.#pacers = this.#newPacers(nowMs)
    for (const listener of [...this.#listeners]) listener()
  }

  /** Shards that stay keep their pace; a child begins with its parents' share, which says how much others write. */
  #newPacers(nowMs: number): Map<string, ShardPacer> {
    const pacers = new Map<string, ShardPacer>()
    if (this.#limits === undefined || this.#map === undefined) return pacers
    const rate = rateOf(this.#limits)
    const { clock } = this.#parts
    const shareOf = (parent: string): number => this.#pacers.get(parent)?.share(nowMs) ?? 0
    for (const { shardId, parentShardIds } of this.#map.open) {
      const known = this.#pacers.get(shardId)
      if (known !== undefined) known.rate = rate
      const parentShare = Math.max(0, ...parentShardIds.map(shareOf))
      const share = parentShare > 0 ? parentShare : 1
      pacers.set(shardId, known ?? new ShardPacer(rate, { nowMs, random: () => clock.random(), share }))
    }
    return pacers
  }
}

function rateOf(limits: ServiceLimits): WriteRate {
  return {
    recordsPerSecond: limits.writeRecordsPerSecond,
    bytesPerSecond: limits.writeBytesPerSecond,
  }
}

function sameShards(a: ShardMap | undefined, b: ShardMap | undefined): boolean {
  const namesOf = (map: ShardMap | undefined): string =>
    map === undefined ? '' : map.open.map((shard: OpenShard) => `${shard.shardId}:${shard.endHex}`).join(' ')
  return namesOf(a) === namesOf(b)
}

function isSameRate(a: ServiceLimits | undefined, b: ServiceLimits | undefined): boolean {
  return (
    a?.writeRecordsPerSecond === b?.writeRecordsPerSecond && a?.writeBytesPerSecond === b?.writeBytesPerSecond
  )
}
