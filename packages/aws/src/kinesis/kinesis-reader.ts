import { GetRecordsCommand } from '@aws-sdk/client-kinesis'
import {
  type Clock,
  type EddyError,
  InvalidOptionError,
  isEddyError,
  type ReadRequest,
  type ReadResult,
  ShardNotFoundError,
  type StartPosition,
} from '@eddy/core'
import { kinesisErrorOf, nameOfError } from './kinesis-calls.ts'
import { KinesisUnavailableError } from './kinesis-errors.ts'
import type { KinesisParts } from './kinesis-producer-log.ts'
import { behindMs, bytesOf, countWithin, logRecordsOf } from './log-record.ts'
import { namedBy } from './named-record.ts'
import { type ReadPlace, ReadPlaces } from './read-places.ts'
import { getShardIterator } from './shard-iterator.ts'

const MAX_RECORDS = 10_000
/** Five reads a second are all that a shard allows. */
const MIN_RETRY_MS = 200
const READ_BYTES_PER_SECOND = 2 * 1024 * 1024
/** Of a record, before the first was read: of larger ones a first answer holds up to 10 MiB, and keeps others waiting. */
const GUESSED_BYTES = 10_240
/** More than fits by the size of the last records: another answer may hold smaller ones. */
const HEADROOM = 1.25

export interface KinesisReaderOptions {
  readonly clock: Clock
  /** What a read that found nothing waits, at most, before it says so. */
  readonly pollMs: number
}

/**
 * Reads of shards by GetRecords, one a read: who reads paces itself (`consume/read-pace.ts`), since all readers of a shard
 * share its limits. What an answer holds beyond the `maxBytes` that were asked for is kept for the next read.
 */
export class KinesisReader {
  readonly #parts: KinesisParts
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #places: ReadPlaces

  constructor(parts: KinesisParts, { clock, pollMs }: KinesisReaderOptions) {
    this.#parts = parts
    this.#clock = clock
    this.#pollMs = pollMs
    this.#places = new ReadPlaces(() => clock.monotonicMs())
  }

  /** After the stream was deleted. */
  forget(stream: string): void {
    this.#places.forget(stream)
  }

  /**
   * @throws StreamNotFoundError, ShardNotFoundError, ThrottledError, KinesisUnavailableError, KinesisRefusedError,
   * InvalidOptionError
   */
  async read(request: ReadRequest): Promise<ReadResult> {
    checkRequest(request)
    const { stream, shardId, from } = request
    if (from.at === 'at_timestamp' && from.timestampMs > this.#clock.now()) return await this.#notYet(request)
    let place = this.#places.take(stream, shardId, from)
    let expiredRecords = 0
    try {
      place ??= await this.#begin(request)
      if (place === undefined) return await this.#notYet(request)
      if (place.rest.length === 0 && place.iterator !== undefined) {
        const filled = await this.#fill(place, request)
        place = filled.place
        expiredRecords = filled.expiredRecords
      }
    } catch (error) {
      const told = await this.#errorOf(error, request, place)
      // Nothing was lost: the same place is asked for again.
      if (place !== undefined && isEddyError(told) && told.retryable && !hasExpired(error))
        this.#places.put(stream, shardId, from, place)
      throw told
    }
    return await this.#answer(place, expiredRecords, request)
  }

  /** @returns undefined for a time that has not come on the service's clock */
  async #begin({ stream, shardId, from }: ReadRequest): Promise<ReadPlace | undefined> {
    const named = namedBy(from)
    // AT, also for what comes AFTER it: whether the record is still there tells whether something is gone.
    const position: StartPosition =
      named === undefined ? from : { at: 'at_sequence_number', sequenceNumber: named.sequenceNumber }
    try {
      const { iterator, madeAtMs } = await getShardIterator(this.#parts, stream, shardId, position)
      return {
        rest: [],
        iterator,
        iteratorAtMs: this.#clock.monotonicMs(),
        ...(named !== undefined && { named }),
        millisBehindLatest: 0,
        averageBytes: GUESSED_BYTES,
        answeredBytes: 0,
        arrivedAtMs: 0,
        ...(from.at === 'latest' && { latestAtMs: madeAtMs }),
      }
    } catch (error) {
      // Kinesis refuses times that are in the future on its own clock.
      const isTime = from.at === 'at_timestamp' && nameOfError(error) === 'InvalidArgumentException'
      if (isTime && /timestamp/i.test((error as Error).message)) return undefined
      throw error
    }
  }

  async #fill(
    place: ReadPlace,
    request: ReadRequest,
  ): Promise<{ readonly place: ReadPlace; readonly expiredRecords: number }> {
    try {
      return await this.#getRecords(place, request)
    } catch (error) {
      if (!hasExpired(error)) throw error
      const again = await this.#begin(request)
      if (again === undefined) throw error
      return await this.#getRecords(again, request)
    }
  }

  async #getRecords(
    place: ReadPlace,
    { maxRecords, maxBytes }: ReadRequest,
  ): Promise<{ readonly place: ReadPlace; readonly expiredRecords: number }> {
    const { averageBytes, named } = place
    const fitting = Math.ceil((maxBytes / averageBytes) * HEADROOM)
    const limit = Math.max(1, Math.min(fitting, maxRecords)) + (named?.isWanted === false ? 1 : 0)
    const command = new GetRecordsCommand({
      ShardIterator: place.iterator,
      Limit: Math.min(limit, MAX_RECORDS),
    })
    const { calls } = this.#parts
    const answer = await calls.send((client, abortSignal) => client.send(command, { abortSignal }))
    const records = logRecordsOf(answer.Records ?? [], place.arrivedAtMs)
    const answeredBytes = records.reduce((bytes, record) => bytes + bytesOf(record), 0)
    const first = records[0]
    const isNamed = first !== undefined && first.sequenceNumber === named?.sequenceNumber
    if (isNamed && !named.isWanted) records.shift()
    const { named: _named, ...before } = place
    const next: ReadPlace = {
      ...before,
      ...(first === undefined && named !== undefined && { named }),
      rest: records,
      iterator: answer.NextShardIterator ?? undefined,
      iteratorAtMs: this.#clock.monotonicMs(),
      millisBehindLatest: answer.MillisBehindLatest ?? 0,
      answeredBytes,
      averageBytes:
        first === undefined ? averageBytes : Math.max(1, answeredBytes / (answer.Records?.length ?? 1)),
      arrivedAtMs: records.at(-1)?.arrivedAtMs ?? place.arrivedAtMs,
    }
    return { place: next, expiredRecords: first !== undefined && named !== undefined && !isNamed ? 1 : 0 }
  }

  async #answer(place: ReadPlace, expiredRecords: number, request: ReadRequest): Promise<ReadResult> {
    const { stream, shardId, from } = request
    const count = countWithin(place.rest, request)
    const records = place.rest.slice(0, count)
    const rest = place.rest.slice(count)
    const last = records.at(-1)
    if (rest.length === 0 && place.iterator === undefined)
      return { records, next: undefined, millisBehindLatest: 0, expiredRecords }
    const next: StartPosition =
      last !== undefined
        ? { at: 'after_sequence_number', sequenceNumber: last.sequenceNumber }
        : from.at === 'latest'
          ? { at: 'at_timestamp', timestampMs: place.latestAtMs ?? this.#clock.now() }
          : from
    const { latestAtMs: _latestAtMs, ...kept } = place
    this.#places.put(stream, shardId, next, { ...kept, rest })
    const isBehind = rest.length > 0 || place.millisBehindLatest > 0
    const millisBehindLatest = isBehind ? behindMs(last, place.millisBehindLatest, this.#clock.now()) : 0
    // Behind the end an empty answer is a gap to be walked through, not the end.
    if (count === 0 && place.millisBehindLatest === 0) await this.#wait(request)
    return { records, next, millisBehindLatest, expiredRecords }
  }

  async #notYet(request: ReadRequest): Promise<ReadResult> {
    await this.#wait(request)
    return { records: [], next: request.from, millisBehindLatest: 0, expiredRecords: 0 }
  }

  async #wait({ waitMs, signal }: ReadRequest): Promise<void> {
    if (waitMs > 0) await this.#clock.sleep(Math.min(waitMs, this.#pollMs), signal)
  }

  async #errorOf(
    error: unknown,
    { stream, shardId }: ReadRequest,
    place: ReadPlace | undefined,
  ): Promise<EddyError | unknown> {
    if (nameOfError(error) === 'ResourceNotFoundException') {
      // It is one of the two; the stream, unless it is there.
      const missing = await this.#parts.summaries.describe(stream, 0).catch((reason: unknown) => reason)
      return missing instanceof Error ? missing : new ShardNotFoundError(stream, shardId)
    }
    const what = `reading ${shardId} of stream "${stream}"`
    // The second one in a row, of an iterator that was new: no reason to stop reading for good.
    if (hasExpired(error))
      return new KinesisUnavailableError(what, 'a new iterator has expired', { cause: error })
    const owedMs =
      place === undefined
        ? 0
        : place.iteratorAtMs +
          (place.answeredBytes / READ_BYTES_PER_SECOND) * 1_000 -
          this.#clock.monotonicMs()
    const retryAfterMs = Math.ceil(Math.max(MIN_RETRY_MS, owedMs))
    return kinesisErrorOf(error, what, retryAfterMs)
  }
}

function hasExpired(error: unknown): boolean {
  return nameOfError(error) === 'ExpiredIteratorException'
}

function checkRequest({ maxRecords }: ReadRequest): void {
  if (!Number.isInteger(maxRecords) || maxRecords < 1 || maxRecords > MAX_RECORDS)
    throw new InvalidOptionError('maxRecords', `1 to ${MAX_RECORDS}`, maxRecords)
}
