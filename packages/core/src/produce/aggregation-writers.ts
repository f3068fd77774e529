import { InvalidOptionError } from '../errors/request-errors.ts'
import { checkInteger, checkObject } from '../model/option-checks.ts'
import { AggregatingLog, DEFAULT_AGGREGATE_BYTES } from './aggregating-log.ts'
import type { Ordering, ProduceOptions } from './produce-options.ts'
import { StreamWriters, type WritersParts } from './stream-writers.ts'

export interface AggregationParts extends WritersParts {
  readonly md5: ((bytes: Uint8Array) => Uint8Array) | undefined
}

/** Sizes of aggregates in one process, with strict order and without (I6). Each has a pace and an order of its own. */
const MAX_WAYS = 16

/** The writers of one producer: those that send records as they are, and those of each way of aggregating. */
export class AggregationWriters {
  readonly #parts: AggregationParts
  readonly #plain: StreamWriters
  readonly #ways = new Map<string, StreamWriters>()

  constructor(parts: AggregationParts) {
    this.#parts = parts
    this.#plain = new StreamWriters(parts)
  }

  /** @throws InvalidOptionError */
  of(
    stream: string,
    ordering: Ordering,
    aggregate: ProduceOptions<unknown>['aggregate'],
  ): ReturnType<StreamWriters['of']> {
    const maxBytes = maxBytesOf(aggregate)
    if (maxBytes === undefined) return this.#plain.of(stream, ordering)
    const isStrict = ordering === 'strict'
    const name = `${isStrict}/${maxBytes}`
    const way = this.#ways.get(name) ?? this.#open(maxBytes, isStrict)
    this.#ways.set(name, way)
    return way.of(stream, ordering)
  }

  #open(maxBytes: number, isStrict: boolean): StreamWriters {
    const { log, clock, md5, md5Hex } = this.#parts
    if (this.#ways.size === MAX_WAYS)
      throw new InvalidOptionError(
        'aggregate.maxBytes',
        `one of the ${MAX_WAYS} sizes in use already`,
        maxBytes,
      )
    if (log.takesEventsAlone === true)
      throw new InvalidOptionError(
        'aggregate',
        'false over HTTP, where the server checks each event by itself. Aggregate over --aws-port, or in its process',
        true,
      )
    if (md5 === undefined) throw new InvalidOptionError('aggregate', 'a producer that was given md5', true)
    const aggregating = new AggregatingLog(log, { md5, md5Hex }, clock, { maxBytes, isStrict })
    return new StreamWriters({ ...this.#parts, log: aggregating })
  }
}

/** Undefined: nothing is aggregated. */
function maxBytesOf(aggregate: ProduceOptions<unknown>['aggregate']): number | undefined {
  if (aggregate === undefined || aggregate === false) return undefined
  if (aggregate === true) return DEFAULT_AGGREGATE_BYTES
  const { maxBytes = DEFAULT_AGGREGATE_BYTES } = checkObject(
    'aggregate',
    aggregate,
    ['maxBytes'],
    'true, false or { maxBytes }',
  )
  return checkInteger('aggregate.maxBytes', maxBytes, 1_024, 1_048_576)
}
