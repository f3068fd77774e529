import {
  type AppendEntry,
  type AppendResult,
  equalShardRanges,
  hashKeyFromHex,
  KINESIS_LIMITS,
  type Log,
  limitedLog,
  type ProducerLog,
  type ServiceLimits,
  ShardBudgets,
  type ShardInfo,
  StorageError,
  type StreamInfo,
  shardRangeContains,
} from '@eddy/core'
import { Prng } from '../../../src/clock/prng.ts'
import type { VirtualClock } from '../../../src/clock/virtual-clock.ts'
import { md5Hex } from '../../../src/sim/store/stream-store.ts'

export interface PacedStreamOptions {
  readonly clock: VirtualClock
  readonly seed: number
  readonly shards: number
  /** One way, drawn for each call. */
  readonly latencyMs?: { readonly minMs: number; readonly maxMs: number }
  readonly limits?: Partial<ServiceLimits>
  /** Of calls whose entries are stored, and whose answer is lost. */
  readonly lostAnswers?: number
  readonly keepsKeyOrder?: boolean
}

/**
 * A stream with the limits of a service at the other end of a network. Keeps of each record that it was stored, and
 * not its bytes: half a million are no matter.
 */
export class PacedStream {
  readonly name = 'orders'
  readonly entries = { sent: 0, throttled: 0 }
  calls = 0
  copies = 0
  orderViolations = 0
  storedAt: { readonly [shardId: string]: number } = {}
  readonly #options: PacedStreamOptions
  readonly #dice: Prng
  readonly #limited: Log
  readonly #shards: ShardInfo[]
  readonly #stored = new Map<string, Set<number>>()
  readonly #lastOfKey = new Map<string, number>()
  readonly #places = new Map<string, string>()
  #sequence = 0

  constructor(options: PacedStreamOptions) {
    this.#options = options
    this.#dice = new Prng(options.seed)
    this.#shards = equalShardRanges(options.shards).map((range, index) => shard(index, range, [], 0))
    const info: StreamInfo = {
      name: this.name,
      shardCount: options.shards,
      retentionMs: 86_400_000,
      durability: 'fsync',
      streamId: 'orders-1',
      createdAtMs: 0,
      limits: { ...KINESIS_LIMITS, ...options.limits },
    }
    const inner = {
      keepsKeyOrder: options.keepsKeyOrder ?? true,
      dropsCopies: true,
      describeStream: async () => info,
      listShards: async () => [...this.#shards],
      append: async (_stream: string, entries: readonly AppendEntry[]) =>
        entries.map((entry) => this.#store(entry)),
    }
    this.#limited = limitedLog({
      log: inner as unknown as Log,
      clock: options.clock,
      find: () => info,
      shardIdOf: (_stream, entry) => this.#shardOf(entry),
      budgets: new ShardBudgets(),
    })
  }

  get storedCount(): number {
    let count = 0
    for (const sequences of this.#stored.values()) count += sequences.size
    return count
  }

  /** As seen by a writer on the other side of the network. */
  connect(): ProducerLog {
    const {
      clock,
      latencyMs = { minMs: 2, maxMs: 15 },
      lostAnswers = 0,
      keepsKeyOrder = true,
    } = this.#options
    const travel = (): Promise<void> => clock.sleep(this.#dice.between(latencyMs))
    return {
      keepsKeyOrder,
      dropsCopies: true,
      describeStream: async (name) => {
        await travel()
        return await this.#limited.describeStream(name)
      },
      listShards: async (name) => {
        await travel()
        return await this.#limited.listShards(name)
      },
      append: async (name, entries) => {
        await travel()
        this.calls += 1
        this.entries.sent += entries.length
        const results = await this.#limited.append(name, entries)
        for (const result of results)
          if (!result.ok && result.code === 'throttled') this.entries.throttled += 1
        await travel()
        if (this.#dice.chance(lostAnswers)) throw new StorageError('the answer was lost')
        return results
      },
    }
  }

  #store(entry: AppendEntry): AppendResult {
    const { producerId = '', producerSequence = 0, partitionKey } = entry
    let sequences = this.#stored.get(producerId)
    if (sequences === undefined) {
      sequences = new Set()
      this.#stored.set(producerId, sequences)
    }
    const shardId = this.#shardOf(entry)
    const duplicate = sequences.has(producerSequence)
    if (duplicate) this.copies += 1
    else {
      sequences.add(producerSequence)
      const lane = `${producerId}/${partitionKey}`
      if ((this.#lastOfKey.get(lane) ?? -1) > producerSequence) this.orderViolations += 1
      this.#lastOfKey.set(lane, producerSequence)
      this.#sequence += 1
    }
    return { ok: true, shardId, sequenceNumber: String(this.#sequence), duplicate }
  }

  #shardOf({ partitionKey }: AppendEntry): string {
    let shardId = this.#places.get(partitionKey)
    if (shardId === undefined) {
      const hashKey = hashKeyFromHex(md5Hex(partitionKey))
      shardId = (this.#shards.find((one) => shardRangeContains(one, hashKey)) as ShardInfo).shardId
      this.#places.set(partitionKey, shardId)
    }
    return shardId
  }
}

function shard(
  index: number,
  range: Pick<ShardInfo, 'startingHashKey' | 'endingHashKey'>,
  parentShardIds: readonly string[],
  depth: number,
): ShardInfo {
  const shardId = `shardId-${String(index).padStart(12, '0')}`
  return { shardId, ...range, parentShardIds, depth, startingSequenceNumber: '1' }
}
