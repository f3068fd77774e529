import {
  type AppendEntry,
  type AppendResult,
  type Clock,
  InvalidOptionError,
  type Log,
  type ReadRequest,
  type ReadResult,
  type ShardInfo,
  type StreamInfo,
  StreamNotFoundError,
  type StreamSpec,
} from '@eddy/core'
import { systemClock } from '../time/system-clock.ts'
import { FanOutReader } from './fan-out/fan-out-reader.ts'
import {
  type KinesisParts,
  KinesisProducerLog,
  type KinesisProducerLogOptions,
  partsOf,
} from './kinesis-producer-log.ts'
import { KinesisReader } from './kinesis-reader.ts'
import { listShards } from './list-shards.ts'
import {
  createStream,
  deleteStream,
  listStreamNames,
  type ManagedStreams,
  setRetention,
} from './manage-streams.ts'
import { mergeShards, splitShard } from './reshard.ts'
import { streamInfoOf } from './stream-info.ts'

export interface KinesisLogOptions extends KinesisProducerLogOptions {
  /** Default: the machine's. */
  readonly clock?: Clock
  /**
   * The streams that `listStreams` answers, by their own names. Default: every one of the account and region, where
   * `nameOf` is left out.
   */
  readonly streams?: readonly string[]
  /**
   * What `createStream`, and so a start, makes. Default `never`: streams are there, made by a deployment, and a start
   * neither creates nor changes any.
   */
  readonly createStreams?: 'never' | 'provisioned' | 'on-demand'
  /** How long what Kinesis said of a stream counts, 0 to 3,600,000; default 55,000. Also how late AUTO is noticed. */
  readonly describedForMs?: number
  /** How long a read that found nothing waits at most, 1 to 10,000; default 250: four of a shard's five reads a second. */
  readonly pollMs?: number
  /** The name, in its stream, of the consumer of a subscription with `fanOut`. Default: the subscription's. */
  readonly consumerNameOf?: (subscription: string) => string
}

/**
 * Amazon Kinesis Data Streams as a log, or anything that speaks its API.
 *
 * Other than what the port allows: retention is in whole hours, 24 at the least; copies are stored, which readers drop by
 * the producer's marks; reads bring no explicit hash keys; what retention removed is told, not counted.
 */
export class KinesisLog implements Log {
  readonly keepsKeyOrder = false
  readonly dropsCopies = false
  readonly hasGivenStreams: boolean
  readonly mayIgnoreKeys = true
  readonly hasFanOut = true
  readonly #parts: KinesisParts
  readonly #producer: KinesisProducerLog
  readonly #reader: KinesisReader
  readonly #fanOut: FanOutReader
  readonly #managed: ManagedStreams
  readonly #streams: readonly string[] | undefined
  readonly #describedForMs: number

  /** @throws InvalidOptionError */
  constructor(options: KinesisLogOptions) {
    const { clock = systemClock, createStreams = 'never', describedForMs = 55_000, pollMs = 250 } = options
    if (!(describedForMs >= 0 && describedForMs <= 3_600_000))
      throw new InvalidOptionError('describedForMs', '0 to 3,600,000 milliseconds', describedForMs)
    if (!(pollMs >= 1 && pollMs <= 10_000))
      throw new InvalidOptionError('pollMs', '1 to 10,000 milliseconds', pollMs)
    if (options.nameOf !== undefined && options.streams === undefined)
      throw new InvalidOptionError(
        'streams',
        'the names of the streams, where nameOf gives them others',
        undefined,
      )
    this.#parts = partsOf(options)
    this.#producer = new KinesisProducerLog(options, this.#parts)
    this.#reader = new KinesisReader(this.#parts, { clock, pollMs })
    this.#fanOut = new FanOutReader(this.#parts, { clock, consumerNameOf: options.consumerNameOf })
    this.#managed = {
      parts: this.#parts,
      clock,
      mode: createStreams === 'on-demand' ? 'on-demand' : 'provisioned',
    }
    this.#streams = options.streams
    this.#describedForMs = describedForMs
    this.hasGivenStreams = createStreams === 'never'
  }

  /** @throws what `KinesisProducerLog.append` throws */
  append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    return this.#producer.append(stream, entries)
  }

  /**
   * @throws StreamNotFoundError, ShardNotFoundError, ThrottledError, KinesisUnavailableError, KinesisRefusedError,
   * InvalidOptionError
   */
  read(request: ReadRequest): Promise<ReadResult> {
    // A place behind the end is found by an iterator; a consumer of its own goes on from there.
    return request.consumer === undefined || request.from.at === 'latest'
      ? this.#reader.read(request)
      : this.#fanOut.read(request, request.consumer)
  }

  /** Every shard that Kinesis lists, parents before children. @throws as `describeStream` */
  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    return await listShards(this.#parts, stream)
  }

  /** @throws StreamNotFoundError, ThrottledError, KinesisUnavailableError, KinesisRefusedError */
  async describeStream(name: string): Promise<StreamInfo> {
    return streamInfoOf(name, await this.#parts.summaries.describe(name, this.#describedForMs))
  }

  /** @throws as `describeStream` */
  async listStreams(): Promise<readonly StreamInfo[]> {
    const names = this.#streams ?? (await listStreamNames(this.#parts))
    const infos: StreamInfo[] = []
    for (const name of names.toSorted(byCodeUnit)) {
      try {
        infos.push(await this.describeStream(name))
      } catch (error) {
        // Deleted meanwhile, or not deployed yet.
        if (!(error instanceof StreamNotFoundError)) throw error
      }
    }
    return infos
  }

  /** Waits until it is active. @throws InvalidOptionError, StreamExistsError, and as `describeStream` */
  async createStream(spec: StreamSpec): Promise<StreamInfo> {
    if (this.hasGivenStreams)
      throw new InvalidOptionError(
        'createStreams',
        "'provisioned' or 'on-demand', since streams are made by a deployment otherwise",
        'never',
      )
    return streamInfoOf(spec.name, await createStream(this.#managed, spec))
  }

  /** Waits until it is gone. @throws as `describeStream` */
  async deleteStream(name: string): Promise<void> {
    await deleteStream(this.#managed, name)
    this.#reader.forget(name)
    this.#fanOut.forget(name)
  }

  /** Rounded up to whole hours. @throws InvalidOptionError, and as `describeStream` */
  async setRetention(name: string, retentionMs: number): Promise<StreamInfo> {
    return streamInfoOf(name, await setRetention(this.#managed, name, retentionMs))
  }

  /** @throws InvalidOptionError, ShardNotFoundError, ShardStateError, and as `describeStream` */
  split(stream: string, shardId: string, newStartingHashKey: string): Promise<readonly ShardInfo[]> {
    return splitShard(this.#managed, stream, shardId, newStartingHashKey)
  }

  /** @throws as `split` */
  merge(stream: string, shardId: string, adjacentShardId: string): Promise<ShardInfo> {
    return mergeShards(this.#managed, stream, shardId, adjacentShardId)
  }

  /** Ends the subscriptions of consumers with fan-out, and refuses what is asked from now on. The client is its maker's to destroy. */
  async close(): Promise<void> {
    this.#parts.calls.close()
    await this.#fanOut.close()
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
