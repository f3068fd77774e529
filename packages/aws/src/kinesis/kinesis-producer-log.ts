import {
  type KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
} from '@aws-sdk/client-kinesis'
import {
  type AppendEntry,
  type AppendResult,
  InvalidOptionError,
  isEddyError,
  KINESIS_LIMITS,
  type ProducerLog,
  type ShardInfo,
  type StreamInfo,
} from '@eddy/core'
import { failed, refusalOf, resultOfEntry, stored } from './append-results.ts'
import { classifyError } from './classify-error.ts'
import { KinesisCalls, nameOfError } from './kinesis-calls.ts'
import { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'
import { listShards } from './list-shards.ts'
import { StreamSummaries, streamErrorOf } from './stream-summaries.ts'

export interface KinesisProducerLogOptions {
  /** With `maxAttempts: 1`: what failed is sent again by the producer, which knows about order, and by nobody else. */
  readonly client: KinesisClient
  /** Until a request's answer is there, 100 to 300,000; default 15,000. After that its outcome counts as unknown. */
  readonly requestTimeoutMs?: number
  /**
   * Also append to streams that place records by themselves (`RecordDistributionStrategy: AUTO`), where no order is kept,
   * not even a key's: all of them, or those that the function says, by their own names. Default: they are refused.
   */
  readonly allowAutoDistribution?: boolean | ((stream: string) => boolean)
  /** The name on Kinesis of a stream. Default: its own. */
  readonly nameOf?: (stream: string) => string
}

/** What the parts of a log share. */
export interface KinesisParts {
  readonly calls: KinesisCalls
  readonly summaries: StreamSummaries
  readonly nameOf: (stream: string) => string
}

/** The default of a stream's largest record; UpdateMaxRecordSize raises it. */
const DEFAULT_MAX_RECORD_BYTES: number = 1024 * 1024
const MAX_ENTRIES = 500

/** Of DescribeStreamSummary alone. */
const FORBIDDEN_OR_UNKNOWN = new Set([
  'AccessDeniedException',
  'UnknownOperationException',
  'NotImplementedException',
  'InvalidAction',
])

/**
 * What a producer needs of a log, on Amazon Kinesis Data Streams or anything that speaks its API. It needs no other right
 * than kinesis:PutRecords (kinesis:PutRecord for strict order): what it may not ask, it goes without.
 */
export class KinesisProducerLog implements ProducerLog {
  readonly keepsKeyOrder = false
  readonly dropsCopies = false
  readonly #parts: KinesisParts
  readonly #allowsAuto: (stream: string) => boolean
  /** Streams that Kinesis does not describe to us: an append does not ask again each time. */
  readonly #untold = new Set<string>()

  /** @throws InvalidOptionError */
  constructor(options: KinesisProducerLogOptions, parts: KinesisParts = partsOf(options)) {
    this.#parts = parts
    const { allowAutoDistribution: allowed = false } = options
    this.#allowsAuto = typeof allowed === 'function' ? allowed : () => allowed
  }

  /**
   * PutRecords; an entry with `orderedAfter` is a PutRecord with SequenceNumberForOrdering.
   * @throws KinesisUnavailableError when any entry may have been stored; StreamNotFoundError and KinesisRefusedError when
   * none was; InvalidOptionError for more than 500 entries and for a client that sends requests again by itself
   */
  async append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    if (entries.length > MAX_ENTRIES)
      throw new InvalidOptionError('entries', `at most ${MAX_ENTRIES}`, entries.length)
    const maxRecordBytes = await this.#maxRecordBytes(stream, Number.POSITIVE_INFINITY)
    const results = entries.map((entry) => refusalOf(entry, maxRecordBytes))
    const open = entries.filter((_, index) => results[index] === undefined)
    if (open.length === 0) return results as readonly AppendResult[]
    const sent = await this.#put(stream, open)
    let next = 0
    return results.map((result) => {
      if (result !== undefined) return result
      next += 1
      return sent[next - 1] as AppendResult
    })
  }

  /**
   * Every shard that Kinesis lists, parents before children. Looks at how the stream places records first, since that
   * may change at any time.
   * @throws StreamNotFoundError, ThrottledError, KinesisUnavailableError, KinesisRefusedError, InvalidOptionError
   */
  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    await this.#maxRecordBytes(stream, 0)
    return await listShards(this.#parts, stream)
  }

  /** The service's figures for a shard, and what the stream allows a record. @throws as `listShards` */
  async describeStream(stream: string): Promise<Pick<StreamInfo, 'limits'>> {
    return { limits: { ...KINESIS_LIMITS, maxRecordBytes: await this.#maxRecordBytes(stream, 0) } }
  }

  async #put(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const first = entries[0] as AppendEntry
    const isOrdered = entries.length === 1 && first.orderedAfter !== undefined
    const what = `${isOrdered ? 'PutRecord' : 'PutRecords'} on stream "${stream}"`
    try {
      return await (isOrdered ? this.#putOne(stream, first) : this.#putMany(stream, entries, what))
    } catch (error) {
      if (nameOfError(error) === 'ResourceNotFoundException') throw streamErrorOf(error, stream, what)
      const refusal = classifyError(error, what)
      if (refusal === undefined) throw error
      if (refusal.kind === 'error') throw refusal.error
      return entries.map(() => failed(refusal.kind, refusal.message))
    }
  }

  async #putOne(stream: string, entry: AppendEntry): Promise<readonly AppendResult[]> {
    const command = new PutRecordCommand({
      StreamName: this.#parts.nameOf(stream),
      ...requestEntry(entry),
      SequenceNumberForOrdering: entry.orderedAfter,
    })
    const { ShardId, SequenceNumber } = await this.#parts.calls.send((client, abortSignal) =>
      client.send(command, { abortSignal }),
    )
    return [stored(ShardId as string, SequenceNumber as string)]
  }

  async #putMany(
    stream: string,
    entries: readonly AppendEntry[],
    what: string,
  ): Promise<readonly AppendResult[]> {
    const command = new PutRecordsCommand({
      StreamName: this.#parts.nameOf(stream),
      Records: entries.map(requestEntry),
    })
    const { Records = [] } = await this.#parts.calls.send((client, abortSignal) =>
      client.send(command, { abortSignal }),
    )
    if (Records.length === entries.length) return Records.map(resultOfEntry)
    throw new KinesisUnavailableError(what, `${Records.length} results to ${entries.length} records`)
  }

  /**
   * What the stream allows a record. Where Kinesis does not say it (a policy forbids to ask, an emulator does not know the
   * question, there is no answer just now), what was known before counts, and at first the default.
   * @throws KinesisRefusedError for a stream that ignores keys
   */
  async #maxRecordBytes(stream: string, maxAgeMs: number): Promise<number> {
    const { summaries } = this.#parts
    let summary = summaries.known(stream)
    try {
      if (maxAgeMs === 0 || !this.#untold.has(stream)) summary = await summaries.describe(stream, maxAgeMs)
    } catch (error) {
      if (!isEddyError(error)) throw error
      if (isUnknownQuestion(error)) this.#untold.add(stream)
      else if (!error.retryable) throw error
    }
    if (summary?.RecordDistributionStrategy === 'AUTO' && !this.#allowsAuto(stream))
      throw placesByItself(stream)
    const maxKiB = summary?.MaxRecordSizeInKiB
    return maxKiB === undefined ? DEFAULT_MAX_RECORD_BYTES : maxKiB * 1024
  }
}

/** @throws InvalidOptionError */
export function partsOf({
  client,
  requestTimeoutMs = 15_000,
  nameOf = (stream) => stream,
}: Pick<KinesisProducerLogOptions, 'client' | 'requestTimeoutMs' | 'nameOf'>): KinesisParts {
  const calls = new KinesisCalls(client, requestTimeoutMs)
  return { calls, nameOf, summaries: new StreamSummaries(calls, nameOf) }
}

function requestEntry({ partitionKey, explicitHashKey, data }: AppendEntry): PutRecordsRequestEntry {
  return {
    PartitionKey: partitionKey,
    Data: data,
    ...(explicitHashKey !== undefined && { ExplicitHashKey: explicitHashKey }),
  }
}

/** Not: no stream, no credentials, a wrong signature, which whatever is asked next meets too. */
function isUnknownQuestion(error: Error): boolean {
  const name = nameOfError(error.cause)
  return name !== undefined && FORBIDDEN_OR_UNKNOWN.has(name)
}

function placesByItself(stream: string): KinesisRefusedError {
  return new KinesisRefusedError(
    `to keep order on stream "${stream}"`,
    "its RecordDistributionStrategy is AUTO, which places records without regard to their keys. Change it to USER_PARTITION_KEY, or give up the order of its keys with allowAutoDistribution; an application does where every subscription of the stream has blocks: 'nothing'",
  )
}
