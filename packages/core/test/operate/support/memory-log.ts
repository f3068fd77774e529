import { StreamExistsError, StreamNotFoundError } from '../../../src/errors/stream-errors.ts'
import { equalShardRanges } from '../../../src/model/hash-key.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type {
  AppendEntry,
  AppendResult,
  Log,
  ReadResult,
  ShardInfo,
  StreamInfo,
  StreamSpec,
} from '../../../src/ports/log.ts'

export interface AppendCall {
  readonly stream: string
  readonly entries: readonly AppendEntry[]
  readonly atMs: number
}

/** Answers what an append meets: a result for an entry, or undefined to store it. Throws to fail the call. */
export type AppendScript = (call: AppendCall, entry: AppendEntry, index: number) => AppendResult | undefined

/** Streams, shards and appended records in memory; appends fail as scripted and copies are dropped by mark. */
export class MemoryLog implements Log {
  keepsKeyOrder = true
  dropsCopies = true
  readonly calls: AppendCall[] = []
  /** What is stored, in order. */
  readonly stored: AppendEntry[] = []
  script: AppendScript = () => undefined
  /** Runs after the entries are stored: throw to lose the answer. */
  afterAppend: (call: AppendCall) => void | Promise<void> = () => undefined
  readonly #streams = new Map<string, { info: StreamInfo; shards: ShardInfo[] }>()
  readonly #marks = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async createStream(spec: StreamSpec): Promise<StreamInfo> {
    if (this.#streams.has(spec.name)) throw new StreamExistsError(spec.name)
    const info = { ...spec, streamId: `id-${spec.name}`, createdAtMs: this.#clock.now() }
    const shards = equalShardRanges(spec.shardCount).map((range, index) => shard(index, range, [], 0))
    this.#streams.set(spec.name, { info, shards })
    return info
  }

  async deleteStream(name: string): Promise<void> {
    this.#require(name)
    this.#streams.delete(name)
  }

  async setRetention(name: string, retentionMs: number): Promise<StreamInfo> {
    const stream = this.#require(name)
    stream.info = { ...stream.info, retentionMs }
    return stream.info
  }

  async listStreams(): Promise<readonly StreamInfo[]> {
    return [...this.#streams.values()].map((stream) => stream.info)
  }

  async describeStream(name: string): Promise<StreamInfo> {
    return this.#require(name).info
  }

  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    return [...this.#require(stream).shards]
  }

  async append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const call = { stream, entries, atMs: this.#clock.monotonicMs() }
    this.calls.push(call)
    const results = entries.map((entry, index) => this.script(call, entry, index) ?? this.#store(entry))
    await this.afterAppend(call)
    return results
  }

  async read(): Promise<ReadResult> {
    return { records: [], next: undefined, millisBehindLatest: 0, expiredRecords: 0 }
  }

  async split(stream: string, shardId: string, newStartingHashKey: string): Promise<readonly ShardInfo[]> {
    const parent = this.#close(stream, shardId)
    const below = (BigInt(newStartingHashKey) - 1n).toString()
    return [
      this.#open(stream, { ...parent, endingHashKey: below }, [parent]),
      this.#open(stream, { ...parent, startingHashKey: newStartingHashKey }, [parent]),
    ]
  }

  async merge(stream: string, shardId: string, adjacentShardId: string): Promise<ShardInfo> {
    const parents = [this.#close(stream, shardId), this.#close(stream, adjacentShardId)]
    parents.sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
    const [low, high] = parents as [ShardInfo, ShardInfo]
    return this.#open(
      stream,
      { startingHashKey: low.startingHashKey, endingHashKey: high.endingHashKey },
      parents,
    )
  }

  #store(entry: AppendEntry): AppendResult {
    const mark = `${entry.producerId}/${entry.producerSequence}`
    const known = this.#marks.get(mark)
    if (known === undefined) {
      this.stored.push(entry)
      this.#marks.set(mark, this.stored.length)
    }
    const sequenceNumber = String(known ?? this.stored.length)
    return { ok: true, shardId: 'shardId-000000000000', sequenceNumber, duplicate: known !== undefined }
  }

  #require(name: string): { info: StreamInfo; shards: ShardInfo[] } {
    const stream = this.#streams.get(name)
    if (stream === undefined) throw new StreamNotFoundError(name)
    return stream
  }

  #close(stream: string, shardId: string): ShardInfo {
    const { shards } = this.#require(stream)
    const index = shards.findIndex((candidate) => candidate.shardId === shardId)
    const closed = { ...(shards[index] as ShardInfo), endingSequenceNumber: '9' }
    shards[index] = closed
    return closed
  }

  #open(stream: string, range: Range, parents: readonly ShardInfo[]): ShardInfo {
    const { shards } = this.#require(stream)
    const opened = shard(
      shards.length,
      range,
      parents.map((parent) => parent.shardId),
      1,
    )
    shards.push(opened)
    return opened
  }
}

type Range = Pick<ShardInfo, 'startingHashKey' | 'endingHashKey'>

function shard(index: number, range: Range, parentShardIds: readonly string[], depth: number): ShardInfo {
  return {
    shardId: `shardId-${String(index).padStart(12, '0')}`,
    startingHashKey: range.startingHashKey,
    endingHashKey: range.endingHashKey,
    parentShardIds,
    depth,
    startingSequenceNumber: '1',
  }
}
