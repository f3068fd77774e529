import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
  type Shard,
  type StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis'
import {
  type AppendEntry,
  type AppendResult,
  InvalidOptionError,
  KINESIS_LIMITS,
  type ProducerLog,
  type ShardInfo,
  type StreamInfo,
} from '@eddy/core'
import { failed, refusalOf, resultOfEntry, stored } from './append-results.ts'
import { classifyError } from './classify-error.ts'
import { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'
import { shardInfos } from './shard-infos.ts'

export interface KinesisLogOptions {
  /** With `maxAttempts: 1`: what failed is sent again by the producer, which knows about order, and by nobody else. */
  readonly client: KinesisClient
  /** Until a request's answer is there, 100 to 300,000; default 15,000. After that its outcome counts as unknown. */
  readonly requestTimeoutMs?: number
  /**
   * Also append to streams that place records by themselves (`RecordDistributionStrategy: AUTO`), where no order is kept,
   * not even a key's. Default: they are refused.
   */
  readonly allowAutoDistribution?: boolean
}

/** The default of a stream's largest record; UpdateMaxRecordSize raises it. */
const DEFAULT_MAX_RECORD_BYTES: number = 1024 * 1024
/** A stream has at most 10,000 open shards; with those that still hold records, more than this is no stream (I6). */
const MAX_SHARD_PAGES = 100
const SHARDS_A_PAGE = 1_000

/** Of DescribeStreamSummary alone. */
const FORBIDDEN_OR_UNKNOWN = new Set([
  'AccessDeniedException',
  'UnknownOperationException',
  'NotImplementedException',
  'InvalidAction',
])

type StreamFacts = Readonly<{ maxRecordBytes: number }>

/** What a producer needs of a log, on Amazon Kinesis Data Streams or anything that speaks its API. */
export class KinesisLog implements ProducerLog {
  readonly keepsKeyOrder = false
  readonly dropsCopies = false
  readonly #client: KinesisClient
  readonly #requestTimeoutMs: number
  readonly #allowAuto: boolean
  readonly #facts = new Map<string, StreamFacts>()
  #sendsOnce = false

  /** @throws InvalidOptionError */
  constructor({ client, requestTimeoutMs = 15_000, allowAutoDistribution = false }: KinesisLogOptions) {
    if (!(requestTimeoutMs >= 100 && requestTimeoutMs <= 300_000))
      throw new InvalidOptionError('requestTimeoutMs', '100 to 300,000 milliseconds', requestTimeoutMs)
    this.#client = client
    this.#requestTimeoutMs = requestTimeoutMs
    this.#allowAuto = allowAutoDistribution
  }

  /**
   * PutRecords; an entry with `orderedAfter` is a PutRecord with SequenceNumberForOrdering.
   * @throws KinesisUnavailableError when any entry may have been stored; KinesisRefusedError when none was; InvalidOptionError
   * for a client that sends requests again by itself
   */
  async append(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const { maxRecordBytes } = this.#facts.get(stream) ?? (await this.#learn(stream))
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
   * @throws KinesisUnavailableError, KinesisRefusedError, InvalidOptionError
   */
  async listShards(stream: string): Promise<readonly ShardInfo[]> {
    await this.#learn(stream)
    const what = `ListShards on stream "${stream}"`
    const shards: Shard[] = []
    let token: string | undefined
    for (let page = 0; page < MAX_SHARD_PAGES; page += 1) {
      const from = token === undefined ? { StreamName: stream } : { NextToken: token }
      const answer = await this.#request(what, (abortSignal) =>
        this.#client.send(new ListShardsCommand({ ...from, MaxResults: SHARDS_A_PAGE }), { abortSignal }),
      )
      shards.push(...(answer.Shards ?? []))
      token = answer.NextToken
      if (token === undefined) return shardInfos(shards)
    }
    throw new KinesisRefusedError(what, `more than ${MAX_SHARD_PAGES * SHARDS_A_PAGE} shards`)
  }

  /** The service's figures for a shard, and what the stream allows a record. @throws as `listShards` */
  async describeStream(stream: string): Promise<Pick<StreamInfo, 'limits'>> {
    const { maxRecordBytes } = await this.#learn(stream)
    return { limits: { ...KINESIS_LIMITS, maxRecordBytes } }
  }

  async #put(stream: string, entries: readonly AppendEntry[]): Promise<readonly AppendResult[]> {
    const first = entries[0] as AppendEntry
    const isOrdered = entries.length === 1 && first.orderedAfter !== undefined
    const what = `${isOrdered ? 'PutRecord' : 'PutRecords'} on stream "${stream}"`
    try {
      return await this.#timed((signal) =>
        isOrdered ? this.#putOne(stream, first, signal) : this.#putMany(stream, entries, what, signal),
      )
    } catch (error) {
      const refusal = classifyError(error, what)
      if (refusal === undefined) throw error
      if (refusal.kind === 'error') throw refusal.error
      return entries.map(() => failed(refusal.kind, refusal.message))
    }
  }

  async #putOne(stream: string, entry: AppendEntry, signal: AbortSignal): Promise<readonly AppendResult[]> {
    const { ShardId, SequenceNumber } = await this.#client.send(
      new PutRecordCommand({
        StreamName: stream,
        ...requestEntry(entry),
        SequenceNumberForOrdering: entry.orderedAfter,
      }),
      { abortSignal: signal },
    )
    return [stored(ShardId as string, SequenceNumber as string)]
  }

  async #putMany(
    stream: string,
    entries: readonly AppendEntry[],
    what: string,
    signal: AbortSignal,
  ): Promise<readonly AppendResult[]> {
    const { Records = [] } = await this.#client.send(
      new PutRecordsCommand({ StreamName: stream, Records: entries.map(requestEntry) }),
      { abortSignal: signal },
    )
    if (Records.length === entries.length) return Records.map(resultOfEntry)
    throw new KinesisUnavailableError(what, `${Records.length} results to ${entries.length} records`)
  }

  /**
   * What Kinesis says of the stream. Where it does not say it (a policy forbids to ask, an emulator does not know the
   * question, there is no answer just now), what was known before counts, and at first the defaults.
   */
  async #learn(stream: string): Promise<StreamFacts> {
    await this.#refuseRetrying()
    const what = `DescribeStreamSummary on stream "${stream}"`
    const known = this.#facts.get(stream) ?? { maxRecordBytes: DEFAULT_MAX_RECORD_BYTES }
    let summary: StreamDescriptionSummary | undefined
    try {
      const command = new DescribeStreamSummaryCommand({ StreamName: stream })
      const answer = await this.#timed((abortSignal) => this.#client.send(command, { abortSignal }))
      summary = answer.StreamDescriptionSummary
    } catch (error) {
      const refusal = classifyError(error, what)
      if (refusal === undefined) throw error
      if (refusal.kind === 'error' && !refusal.error.retryable && !isUnknownQuestion(error))
        throw refusal.error
      return known
    }
    if (summary?.RecordDistributionStrategy === 'AUTO' && !this.#allowAuto) throw placesByItself(stream)
    const maxKiB = summary?.MaxRecordSizeInKiB
    const facts = maxKiB === undefined ? known : { maxRecordBytes: maxKiB * 1024 }
    this.#facts.set(stream, facts)
    return facts
  }

  /** @throws KinesisUnavailableError also for a throttle: nothing that was asked for is known */
  async #request<T>(what: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#timed(send)
    } catch (error) {
      const refusal = classifyError(error, what)
      if (refusal === undefined) throw error
      throw refusal.kind === 'error' ? refusal.error : new KinesisUnavailableError(what, refusal.message)
    }
  }

  async #timed<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), this.#requestTimeoutMs)
    try {
      return await send(timeout.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Two layers that both send again would send as many times as their product, and out of order. */
  async #refuseRetrying(): Promise<void> {
    if (this.#sendsOnce) return
    const attempts = await this.#client.config.maxAttempts()
    if (attempts !== 1)
      throw new InvalidOptionError(
        'client',
        'a KinesisClient with maxAttempts: 1',
        `maxAttempts: ${attempts}`,
      )
    this.#sendsOnce = true
  }
}

function requestEntry({ partitionKey, explicitHashKey, data }: AppendEntry): PutRecordsRequestEntry {
  return {
    PartitionKey: partitionKey,
    Data: data,
    ...(explicitHashKey !== undefined && { ExplicitHashKey: explicitHashKey }),
  }
}

/** Not: no stream, no credentials, a wrong signature, which whatever is asked next meets too. */
function isUnknownQuestion(error: unknown): boolean {
  const { name } = error as { readonly name?: unknown }
  return typeof name === 'string' && FORBIDDEN_OR_UNKNOWN.has(name)
}

function placesByItself(stream: string): KinesisRefusedError {
  return new KinesisRefusedError(
    `to keep order on stream "${stream}"`,
    'its RecordDistributionStrategy is AUTO, which places records without regard to their keys. Change it to USER_PARTITION_KEY, or give up order with ordering: "none"',
  )
}
