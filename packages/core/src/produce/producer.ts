import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidOptionError } from '../errors/request-errors.ts'
import { laneName } from '../fail/lane.ts'
import type { NewEvent } from '../model/event.ts'
import { checkInteger, checkText } from '../model/option-checks.ts'
import type { AppendOptions, AppendOutcome } from '../operate/operations.ts'
import type { Clock } from '../ports/clock.ts'
import { AggregationWriters } from './aggregation-writers.ts'
import { appendAll } from './append-all.ts'
import { MAX_BATCH_ENTRIES } from './batch.ts'
import { checkProduceOptions } from './check-produce-options.ts'
import type { NewRecord, Prepared } from './pending-record.ts'
import { type PreparedEvent, prepareEvent } from './prepare-event.ts'
import { ProduceCall } from './produce-call.ts'
import type { EncodedRecord, PreparedItem, ProduceOptions, ProduceReport } from './produce-options.ts'
import type { ProducerLog } from './producer-log.ts'
import type { WriterOptions } from './stream-writer.ts'
import { randomUuid } from './uuid.ts'

export interface ProducerOptions extends Partial<WriterOptions> {
  readonly log: ProducerLog
  readonly clock: Clock
  /** MD5 of a text's UTF-8 bytes as 32 lower-case hex digits. */
  readonly md5Hex: (text: string) => string
  /** MD5 of bytes; without it nothing can be aggregated. */
  readonly md5?: (bytes: Uint8Array) => Uint8Array
  /** The schema that a stream's events must match, if the application defines one. */
  readonly schemaOf?: (stream: string) => StandardSchemaV1 | undefined
}

/** What an item's record is called, unless it says so itself. */
export interface ItemContext {
  readonly stream: string
  /** Place in the source, from 0. */
  readonly index: number
  /** A new UUID, or `<producer id>/<sequence>` when the call names its producer. */
  readonly id: string
}

/**
 * Appends events: encodes, batches, paces, sends again what failed retryably, and reports every event's fate. One for all
 * calls of a process to one log: they share batches and the pace of each shard.
 *
 * Order: no event of a key is sent while an earlier one of that key (of this or of an earlier call of this producer)
 * waits to be sent again. On a log that keeps a key's order within a call (`Log.keepsKeyOrder`) a batch holds any number of
 * a key, else one.
 *
 * Duplicates: every entry carries a producer id and sequence, so that an event whose fate is unknown is sent again
 * without a second copy on logs that drop copies. On others the event itself carries a mark (`producer-marks.ts`).
 */
export class Producer {
  readonly #clock: Clock
  readonly #schemaOf: (stream: string) => StandardSchemaV1 | undefined
  readonly #writers: AggregationWriters
  readonly #producerId: string
  #nextSequence = 0

  /**
   * @param options.maxTries - 1 to 100; default 8. What the limits of a paced stream refuse does not count
   * @param options.giveUpAfterMs - from an event's first try to its last, 0 to 1 day; default 60,000
   * @param options.initialDelayMs - the first wait is up to this long; default 50
   * @param options.maxDelayMs - no wait is longer; default 5,000
   * @param options.maxInFlight - calls of the log under way at a time, for each stream; 1 to 1,000, default 8
   * @param options.maxBatchRecords - records of a call of the log, 1 to 500; default 500
   * @throws InvalidOptionError
   */
  constructor(options: ProducerOptions) {
    const { log, clock, md5Hex } = options
    this.#clock = clock
    this.#schemaOf = options.schemaOf ?? (() => undefined)
    const checked: WriterOptions = {
      maxTries: checkInteger('maxTries', options.maxTries ?? 8, 1, 100),
      giveUpAfterMs: checkInteger('giveUpAfterMs', options.giveUpAfterMs ?? 60_000, 0, 86_400_000),
      initialDelayMs: checkInteger('initialDelayMs', options.initialDelayMs ?? 50, 0, 60_000),
      maxDelayMs: checkInteger('maxDelayMs', options.maxDelayMs ?? 5_000, 0, 600_000),
      maxInFlight: checkInteger('maxInFlight', options.maxInFlight ?? 8, 1, 1_000),
      maxBatchRecords: checkInteger(
        'maxBatchRecords',
        options.maxBatchRecords ?? MAX_BATCH_ENTRIES,
        1,
        MAX_BATCH_ENTRIES,
      ),
    }
    this.#writers = new AggregationWriters({ log, clock, md5Hex, md5: options.md5, options: checked })
    this.#producerId = randomUuid(clock)
  }

  /**
   * @returns one outcome an event, in request order. An event that is invalid, too large or off its stream's schema
   * fails alone. One that follows an unaccepted event of its key fails with `EDDY_PUBLISH`, retryable.
   * @throws StreamNotFoundError, EngineClosedError and other errors that no event could escape, when nothing was
   * accepted yet; InvalidOptionError
   */
  async append(
    stream: string,
    events: readonly NewEvent[],
    options: AppendOptions = {},
  ): Promise<readonly AppendOutcome[]> {
    const marks = this.#marks(options, events.length)
    return await appendAll({
      ...this.#writers.of(stream, 'key', options.aggregate),
      items: events,
      laneOf,
      prepare: (event, index) => this.#prepareEvent(stream, event, index, marks),
    })
  }

  /**
   * Appends everything that a source gives, however long it is: reads on as far as its buffer has room, and tells every
   * event's fate to `onOutcome`.
   * @throws ProduceError when the source, `onOutcome` or the log as a whole failed: with a report of what was settled and
   * the remainder; InvalidOptionError
   */
  async produce(
    stream: string,
    events: Iterable<NewEvent> | AsyncIterable<NewEvent>,
    options: ProduceOptions<NewEvent> = {},
  ): Promise<ProduceReport<NewEvent>> {
    const marks = this.#sourceMarks(options)
    return await this.#produce(stream, events, options, (event, index) =>
      this.#prepareEvent(stream, event, index, marks),
    )
  }

  /**
   * The same for anything that becomes records: bytes that are encoded already, lines of a file. What `prepare` refuses
   * keeps its place in the producer's sequence. An error that it throws is the item's outcome.
   */
  async produceItems<Item>(
    stream: string,
    source: Iterable<Item> | AsyncIterable<Item>,
    prepare: (item: Item, context: ItemContext) => PreparedItem | Promise<PreparedItem>,
    options: ProduceOptions<Item> = {},
  ): Promise<ProduceReport<Item>> {
    const marks = this.#sourceMarks(options)
    return await this.#produce(stream, source, options, (item, index) => {
      const id = this.#newId(marks, index)
      const finish = (prepared: PreparedItem): Prepared =>
        prepared.ok ? { ok: true, record: newRecord(prepared.record, id, index, marks) } : prepared
      const preparing = prepare(item, { stream, index, id })
      return preparing instanceof Promise ? preparing.then(finish) : finish(preparing)
    })
  }

  async #produce<Item>(
    stream: string,
    source: Iterable<Item> | AsyncIterable<Item>,
    options: ProduceOptions<Item>,
    prepare: (item: Item, index: number) => Prepared | Promise<Prepared>,
  ): Promise<ProduceReport<Item>> {
    const checked = checkProduceOptions(options)
    const { ordering = 'key', aggregate } = options
    const { writer, plan } = this.#writers.of(stream, ordering, aggregate)
    const call = new ProduceCall({ writer, plan, clock: this.#clock, source, prepare, options: checked })
    return await call.run()
  }

  #prepareEvent(stream: string, event: NewEvent, index: number, marks: Marks): Prepared | Promise<Prepared> {
    const id = event?.id ?? this.#newId(marks, index)
    const schema = this.#schemaOf(stream)
    const preparing = prepareEvent(event, { stream, id, nowMs: this.#clock.now(), schema })
    const finish = (prepared: PreparedEvent): Prepared => {
      if (!prepared.ok) return prepared
      const { key, explicitHashKey } = event
      const record = { key, data: prepared.bytes, ...(explicitHashKey !== undefined && { explicitHashKey }) }
      return { ok: true, record: newRecord(record, id, index, marks) }
    }
    return preparing instanceof Promise ? preparing.then(finish) : finish(preparing)
  }

  /**
   * Who names its producer may send an event twice: its id follows from its mark, so that what is answered to the copy is
   * what was stored.
   */
  #newId(marks: Marks, index: number): string {
    return marks.isOwn ? randomUuid(this.#clock) : `${marks.producerId}/${marks.firstSequence + index}`
  }

  #marks(options: AppendOptions, count: number): Marks {
    const stated = statedMarks(options, count)
    if (stated !== undefined) return stated
    const marks = { producerId: this.#producerId, firstSequence: this.#nextSequence, isOwn: true }
    this.#nextSequence += count
    return marks
  }

  /** A source's length is not known: it has a producer id of its own. */
  #sourceMarks(options: AppendOptions): Marks {
    return statedMarks(options, 0) ?? { producerId: randomUuid(this.#clock), firstSequence: 0, isOwn: true }
  }
}

interface Marks {
  readonly producerId: string
  readonly firstSequence: number
  /** Given by this producer, not by its caller. */
  readonly isOwn: boolean
}

function statedMarks({ producerId, firstSequence }: AppendOptions, count: number): Marks | undefined {
  if (producerId === undefined && firstSequence === undefined) return undefined
  if (producerId === undefined)
    throw new InvalidOptionError('producerId', 'a producer id beside firstSequence', producerId)
  if (firstSequence === undefined) {
    throw new InvalidOptionError(
      'firstSequence',
      'the sequence of the first event beside producerId',
      firstSequence,
    )
  }
  return {
    producerId: checkText('producerId', producerId, 128),
    firstSequence: checkInteger('firstSequence', firstSequence, 0, Number.MAX_SAFE_INTEGER - count),
    isOwn: false,
  }
}

/** Of invalid events too, which are refused later: what they name must not fail here. */
function laneOf(event: NewEvent): string {
  return typeof event === 'object' && event !== null ? laneName(event) : ''
}

function newRecord(record: EncodedRecord, id: string, index: number, marks: Marks): NewRecord {
  const { key, explicitHashKey, data } = record
  const producerSequence = marks.firstSequence + index
  const mark = { partitionKey: key, data, producerId: marks.producerId, producerSequence }
  return {
    id: record.id ?? id,
    lane: laneName(record),
    entry: explicitHashKey === undefined ? mark : { ...mark, explicitHashKey },
    isOwnMark: marks.isOwn,
  }
}
