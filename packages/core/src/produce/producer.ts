import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidOptionError } from '../errors/request-errors.ts'
import { laneName } from '../fail/lane.ts'
import type { NewEvent } from '../model/event.ts'
import { checkInteger, checkText } from '../model/option-checks.ts'
import type { AppendOptions, AppendOutcome } from '../operate/operations.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { LaneTurns } from './lane-turns.ts'
import { type Prepared, prepareEvent } from './prepare-event.ts'
import type { PendingEntry } from './select-batch.ts'
import { behindUnaccepted, type Sending, type SendOptions, sendWindow } from './send-window.ts'
import { randomUuid } from './uuid.ts'

/** Events of a call that are encoded and under way at a time (I6); the call's later ones follow. */
const WINDOW_EVENTS = 2_000

export interface ProducerOptions extends Partial<SendOptions> {
  readonly log: Log
  readonly clock: Clock
  /** The schema that a stream's events must match, if the application defines one. */
  readonly schemaOf?: (stream: string) => StandardSchemaV1 | undefined
}

/**
 * Appends events: encodes, batches, sends again what failed retryably, and reports every event's fate.
 *
 * Order: no event of a key is sent while an earlier one of that key (of this or of an earlier call of this producer)
 * waits to be sent again. What remains is the inside of one `Log.append`: an engine that fails entries one by one may
 * refuse the first of two events of a key and accept the second; then the first one lands after it. Engines that
 * accept all entries of a shard or none do not.
 *
 * Duplicates: every entry carries a producer id and sequence, so that an event whose fate is unknown is sent again
 * without a second copy on engines that drop copies.
 */
export class Producer {
  readonly #log: Log
  readonly #clock: Clock
  readonly #schemaOf: (stream: string) => StandardSchemaV1 | undefined
  readonly #options: SendOptions
  readonly #producerId: string
  readonly #turns = new Map<string, LaneTurns>()
  #nextSequence = 0

  /**
   * @param options.maxTries - 1 to 100; default 8
   * @param options.deadlineMs - from an event's first try to its last, 0 to 1 hour; default 60,000
   * @param options.initialDelayMs - the first wait is up to this long; default 50
   * @param options.maxDelayMs - no wait is longer; default 5,000
   * @throws InvalidOptionError
   */
  constructor(options: ProducerOptions) {
    this.#log = options.log
    this.#clock = options.clock
    this.#schemaOf = options.schemaOf ?? (() => undefined)
    this.#options = {
      maxTries: checkInteger('maxTries', options.maxTries ?? 8, 1, 100),
      deadlineMs: checkInteger('deadlineMs', options.deadlineMs ?? 60_000, 0, 3_600_000),
      initialDelayMs: checkInteger('initialDelayMs', options.initialDelayMs ?? 50, 0, 60_000),
      maxDelayMs: checkInteger('maxDelayMs', options.maxDelayMs ?? 5_000, 0, 600_000),
    }
    this.#producerId = randomUuid(options.clock)
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
    const turns = this.#turnsOf(stream)
    // Before anything is awaited: calls take their turns in the order in which they were made.
    const turn = turns.enter(events.map(laneOf))
    const outcomes: (AppendOutcome | undefined)[] = new Array(events.length)
    const sending: Sending = {
      log: this.#log,
      clock: this.#clock,
      stream,
      options: this.#options,
      turn,
      closedLanes: new Set(),
      accepted: 0,
      settle(index, outcome) {
        outcomes[index] = outcome
      },
    }
    try {
      for (let from = 0; from < events.length; from += WINDOW_EVENTS) {
        const window = events.slice(from, from + WINDOW_EVENTS)
        await sendWindow(sending, await this.#prepareWindow(sending, window, from, marks))
      }
    } finally {
      turn.leaveAll()
      if (turns.size === 0) this.#turns.delete(stream)
    }
    return outcomes as AppendOutcome[]
  }

  async #prepareWindow(
    sending: Sending,
    window: readonly NewEvent[],
    from: number,
    marks: Marks,
  ): Promise<readonly PendingEntry[]> {
    const nowMs = this.#clock.now()
    const schema = this.#schemaOf(sending.stream)
    const entries: PendingEntry[] = []
    for (const [offset, event] of window.entries()) {
      const index = from + offset
      const lane = laneOf(event)
      if (sending.closedLanes.has(lane)) {
        settleUnsent(sending, index, lane, behindUnaccepted(event.key))
        continue
      }
      const id = event?.id ?? this.#newId(marks, index)
      const preparing = prepareEvent(event, { stream: sending.stream, id, nowMs, schema })
      const prepared: Prepared = preparing instanceof Promise ? await preparing : preparing
      if (prepared.ok) entries.push(pendingEntry(event, { id, index, lane, data: prepared.bytes, marks }))
      else settleUnsent(sending, index, lane, prepared.outcome)
    }
    return entries
  }

  /**
   * Who names its producer may send an event twice: its id follows from its mark, so that what is answered to the copy is
   * what was stored.
   */
  #newId(marks: Marks, index: number): string {
    return marks.isOwn ? randomUuid(this.#clock) : `${marks.producerId}/${marks.firstSequence + index}`
  }

  #turnsOf(stream: string): LaneTurns {
    const known = this.#turns.get(stream)
    if (known !== undefined) return known
    const turns = new LaneTurns()
    this.#turns.set(stream, turns)
    return turns
  }

  #marks(options: AppendOptions, count: number): Marks {
    const { producerId, firstSequence } = options
    if (producerId === undefined && firstSequence === undefined) {
      const marks = { producerId: this.#producerId, firstSequence: this.#nextSequence, isOwn: true }
      this.#nextSequence += count
      return marks
    }
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
}

interface Marks {
  readonly producerId: string
  readonly firstSequence: number
  /** Given by this producer, not by its caller. */
  readonly isOwn: boolean
}

/** Of invalid events too, which are refused later: what they name must not fail here. */
function laneOf(event: NewEvent): string {
  return typeof event === 'object' && event !== null ? laneName(event) : ''
}

function settleUnsent(sending: Sending, index: number, lane: string, outcome: AppendOutcome): void {
  sending.settle(index, outcome)
  sending.turn.settle(lane)
}

function pendingEntry(
  event: NewEvent,
  placed: {
    readonly id: string
    readonly index: number
    readonly lane: string
    readonly data: Uint8Array
    readonly marks: Marks
  },
): PendingEntry {
  const { data, marks } = placed
  const producerSequence = marks.firstSequence + placed.index
  const mark = { partitionKey: event.key, data, producerId: marks.producerId, producerSequence }
  return {
    index: placed.index,
    id: placed.id,
    lane: placed.lane,
    entry: event.explicitHashKey === undefined ? mark : { ...mark, explicitHashKey: event.explicitHashKey },
    tries: 0,
    notBeforeMs: 0,
    firstSentMs: undefined,
  }
}
