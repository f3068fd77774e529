import {
  type AppendEntry,
  type AppendResult,
  type Clock,
  EngineClosedError,
  InvalidOptionError,
  type LimitsChange,
  type Log,
  type ReadEachRequest,
  type ReadEachResult,
  type ReadRequest,
  type ReadResult,
  type RecordBytes,
  type ShardInfo,
  type StartPosition,
  type StreamInfo,
  type StreamSpec,
  withLimits,
} from '@eddy/core'
import type { GroupCommitter } from '../store/group-commit.ts'
import { AppendRecords } from './append-records.ts'
import { requireHashKey } from './hash-key.ts'
import type { LogStore } from './log-store.ts'
import { ProducerRuns } from './producer-runs.ts'
import { countRecords, readEachRecord, readRecords } from './read-records.ts'
import type { RemovedStreams } from './removed-streams.ts'
import { mergeShards, splitShard } from './reshard.ts'
import type { StreamRegistry } from './stream-registry.ts'
import { firstShape, toShardInfo } from './stream-shape.ts'
import { checkRetention, checkStreamSpec } from './stream-spec.ts'

const MAX_ENTRIES = 500

export interface EmbeddedLogParts {
  readonly registry: StreamRegistry
  readonly removed: RemovedStreams
  readonly committer: GroupCommitter
  readonly clock: Clock
  /** Aborts when the engine closes: waiting readers return. */
  readonly closing: AbortSignal
}

interface Writer {
  readonly producers: ProducerRuns
  readonly appender: AppendRecords
}

/** The `Log` port over LMDB. */
export class EmbeddedLog implements Log {
  readonly keepsKeyOrder = true
  readonly dropsCopies = true
  readonly #parts: EmbeddedLogParts
  readonly #writers = new Map<LogStore, Writer>()

  constructor(parts: EmbeddedLogParts) {
    this.#parts = parts
  }

  async createStream(spec: StreamSpec): Promise<StreamInfo> {
    checkStreamSpec(spec)
    const { registry, committer, clock } = this.#parts
    const { name, shardCount, retentionMs, durability, limits, faults } = spec
    const createdAtMs = clock.now()
    return committer.submit(4_096, (scope) => {
      const streamId = `${name}-${createdAtMs.toString(36)}-${Math.floor(clock.random() * 2 ** 48).toString(36)}`
      const info: StreamInfo = {
        name,
        shardCount,
        retentionMs,
        durability,
        ...(limits !== undefined && { limits }),
        ...(faults !== undefined && { faults }),
        streamId,
        createdAtMs,
      }
      return registry.create(scope, info, firstShape(shardCount)).info
    })
  }

  async deleteStream(name: string): Promise<void> {
    const { registry, removed } = this.#parts
    const stream = registry.require(name)
    await registry.change(stream, (scope) => {
      if (registry.require(name) !== stream) return
      registry.remove(scope, stream)
      removed.add(scope, stream.no, stream.info.durability)
    })
  }

  async setRetention(name: string, retentionMs: number): Promise<StreamInfo> {
    checkRetention(retentionMs)
    return this.#changeInfo(name, (info) => ({ ...info, retentionMs }))
  }

  /** Stored here; enforced around this log (`limitedLog`). */
  async setLimits(name: string, change: LimitsChange): Promise<StreamInfo> {
    return this.#changeInfo(name, (info) => withLimits(info, change))
  }

  async listStreams(): Promise<readonly StreamInfo[]> {
    return this.#parts.registry.all().map((stream) => stream.info)
  }

  async describeStream(name: string): Promise<StreamInfo> {
    return this.#parts.registry.require(name).info
  }

  async listShards(name: string): Promise<readonly ShardInfo[]> {
    return this.#parts.registry.require(name).committedShape.shards.map(toShardInfo)
  }

  async append(name: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const stream = this.#parts.registry.require(name)
    if (entries.length > MAX_ENTRIES) {
      throw new InvalidOptionError('entries', `at most ${MAX_ENTRIES}`, entries.length)
    }
    return this.#writerOf(stream.store).appender.append(stream, entries)
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    const { registry, clock, closing } = this.#parts
    if (closing.aborted) throw new EngineClosedError()
    return readRecords(registry.require(request.stream), request, clock, closing)
  }

  async readEach(request: ReadEachRequest, take: (record: RecordBytes) => void): Promise<ReadEachResult> {
    const { registry, clock, closing } = this.#parts
    if (closing.aborted) throw new EngineClosedError()
    return readEachRecord(registry.require(request.stream), request, take, clock)
  }

  async countRecords(name: string, shardId: string, from: StartPosition): Promise<number> {
    return countRecords(this.#parts.registry.require(name), shardId, from)
  }

  async nextSequenceNumber(name: string, shardId: string): Promise<string> {
    const stream = this.#parts.registry.require(name)
    return String(stream.shardState(stream.committedShape.require(name, shardId)).committedNext)
  }

  async split(name: string, shardId: string, newStartingHashKey: string): Promise<readonly ShardInfo[]> {
    const startHex = requireHashKey('newStartingHashKey', newStartingHashKey)
    const { registry, clock } = this.#parts
    const stream = registry.require(name)
    return registry.change(stream, (scope) => {
      registry.require(name)
      return splitShard(scope, registry, stream, shardId, startHex, clock.now())
    })
  }

  async merge(name: string, shardId: string, adjacentShardId: string): Promise<ShardInfo> {
    const { registry, clock } = this.#parts
    const stream = registry.require(name)
    return registry.change(stream, (scope) => {
      registry.require(name)
      return mergeShards(scope, registry, stream, shardId, adjacentShardId, clock.now())
    })
  }

  /** Removes what producers sent too long ago to be recognised; true when there is more. */
  async pruneProducers(): Promise<boolean> {
    let hasMore = false
    for (const { producers } of this.#writers.values()) hasMore = (await producers.prune()) || hasMore
    return hasMore
  }

  stats(): { appendedRecords: number; appendedBytes: number } {
    let appendedRecords = 0
    let appendedBytes = 0
    for (const { appender } of this.#writers.values()) {
      appendedRecords += appender.appendedRecords
      appendedBytes += appender.appendedBytes
    }
    return { appendedRecords, appendedBytes }
  }

  #changeInfo(name: string, change: (info: StreamInfo) => StreamInfo): Promise<StreamInfo> {
    const { registry } = this.#parts
    const stream = registry.require(name)
    return registry.change(stream, (scope) => {
      registry.require(name)
      const before = stream.info
      stream.info = change(before)
      scope.onRolledBack(() => {
        stream.info = before
      })
      registry.save(scope, stream)
      return stream.info
    })
  }

  #writerOf(store: LogStore): Writer {
    let writer = this.#writers.get(store)
    if (writer === undefined) {
      const producers = new ProducerRuns(store, this.#parts.clock)
      writer = { producers, appender: new AppendRecords(store, producers, this.#parts.clock) }
      this.#writers.set(store, writer)
    }
    return writer
  }
}
