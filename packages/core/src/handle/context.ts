import { PublishError } from '../errors/request-errors.ts'
import type { HandlerContext, StreamDefinition } from '../model/app.ts'
import type { EddyEvent, NewEvent } from '../model/event.ts'
import type { AttemptPath } from '../model/ledger-item.ts'
import type { NewMessage, QueueDefinition } from '../model/message.ts'
import type { Position } from '../model/position.ts'
import type { Producer } from '../produce/producer.ts'
import type { Sender } from '../produce/sender.ts'
import type { EventSteps, Steps } from './steps.ts'

/** A derived id grows with every hop of an event: beyond this length it is a hash. */
const MAX_READABLE_ID_CHARACTERS = 120

/** Sent messages are known again for this long at least: as long as the log remembers producers. */
const DERIVED_WINDOW_MS = 3_600_000

/** What is known of a record before its bytes are looked at. */
export interface EventMeta {
  readonly stream: string
  readonly shardId: string
  readonly sequenceNumber: string
  /** Place in the aggregate that the record came in. */
  readonly subSequenceNumber?: number | undefined
  readonly position: Position
  readonly key: string
  readonly explicitHashKey?: string
  readonly arrivedAtMs: number
}

export interface AttemptMeta {
  readonly attempt: number
  readonly path: AttemptPath
  readonly outOfOrder: boolean
  /** What the call was claimed for: for how long it may be under way. Default: as the policy says, and no claim ends. */
  readonly longestCallMs?: number
}

export interface ContextServices {
  readonly steps: Steps
  readonly producer: Producer
  readonly sender: Sender
  /** Shortens what may be of any length. */
  md5Hex(text: string): string
}

/** One attempt's context. What is rarely used (signal, steps) is made when it is first asked for. */
export class Context implements HandlerContext {
  readonly subscription: string
  readonly stream: string
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subSequenceNumber: number | undefined
  readonly position: Position
  readonly eventId: string
  readonly key: string
  readonly arrivedAtMs: number
  readonly attempt: number
  readonly path: AttemptPath
  readonly outOfOrder: boolean
  readonly #services: ContextServices
  readonly #source: string
  #aborter: AbortController | undefined
  #abortReason: Error | undefined
  #steps: EventSteps | undefined
  #appends = 0
  #sends = 0

  constructor(
    subscription: string,
    meta: EventMeta,
    attempt: AttemptMeta,
    event: EddyEvent,
    services: ContextServices,
  ) {
    this.subscription = subscription
    this.stream = meta.stream
    this.shardId = meta.shardId
    this.sequenceNumber = meta.sequenceNumber
    this.subSequenceNumber = meta.subSequenceNumber
    this.position = meta.position
    this.eventId = event.id
    this.key = meta.key
    this.arrivedAtMs = meta.arrivedAtMs
    this.attempt = attempt.attempt
    this.path = attempt.path
    this.outOfOrder = attempt.outOfOrder
    this.#services = services
    this.#source = event.source
  }

  /** The event, whatever else has its id: ids are unique within a source at best, and sources are shared by streams. */
  get #identity(): string {
    return JSON.stringify([this.stream, this.key, this.#source, this.eventId])
  }

  get signal(): AbortSignal {
    this.#aborter ??= new AbortController()
    if (this.#abortReason !== undefined) this.#aborter.abort(this.#abortReason)
    return this.#aborter.signal
  }

  /** Tells the handler that its time is up. */
  abort(reason: Error): void {
    this.#abortReason = reason
    this.#aborter?.abort(reason)
  }

  async step<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
    this.#steps ??= this.#services.steps.of(this.#identity)
    return await this.#steps.run(name, fn)
  }

  /** The handler has asked for a step, or appended. */
  get hasSteps(): boolean {
    return this.#steps !== undefined
  }

  /**
   * To be called when the handler's call has ended. `failed`: the event stays open, and its steps with it. Never
   * rejects.
   */
  async ended(outcome: 'ok' | 'failed'): Promise<void> {
    await this.#steps?.ended(outcome)
  }

  async append(stream: string | StreamDefinition, events: NewEvent | readonly NewEvent[]): Promise<void> {
    const name = typeof stream === 'string' ? stream : stream.name
    const list: readonly NewEvent[] = Array.isArray(events) ? events : [events as NewEvent]
    const call = this.#appends
    this.#appends += 1
    // The step remembers a finished append for every later attempt; the producer's sequence covers the gap between
    // the append and the step, for as long as the log remembers producers.
    await this.step(`eddy.append:${call}:${name}`, async () => {
      const hash = this.#services.md5Hex(`${this.subscription}\n${this.#identity}`)
      const derived = list.map((event, index) => ({
        ...event,
        id: event.id ?? this.#derivedId(hash, `${call}.${index}`),
      }))
      const producerId = `ctx/${hash}/${call}`
      const outcomes = await this.#services.producer.append(name, derived, { producerId, firstSequence: 0 })
      const failed = outcomes.find((outcome) => !outcome.ok)
      if (failed !== undefined && !failed.ok) {
        throw new PublishError(`${failed.message} (${failed.code})`, { stream: name, code: failed.code })
      }
    })
  }

  async send(queue: string | QueueDefinition, messages: NewMessage | readonly NewMessage[]): Promise<void> {
    const name = typeof queue === 'string' ? queue : queue.name
    const list: readonly NewMessage[] = Array.isArray(messages) ? messages : [messages as NewMessage]
    const call = this.#sends
    this.#sends += 1
    // As with `append`: the step for every later attempt, the deduplication ids for the gap before it is kept.
    await this.step(`eddy.send:${call}:${name}`, async () => {
      const hash = this.#services.md5Hex(`${this.subscription}\n${this.#identity}`)
      const derived = list.map((message, index) => ({
        ...message,
        id: message.id ?? this.#derivedId(hash, `send.${call}.${index}`),
        deduplicationId: message.deduplicationId ?? `ctx/${hash}/${call}.${index}`,
      }))
      const outcomes = await this.#services.sender.send(name, derived, DERIVED_WINDOW_MS)
      const failed = outcomes.find((outcome) => !outcome.ok)
      if (failed !== undefined && !failed.ok) {
        throw new PublishError(`${failed.message} (${failed.code})`, { queue: name, code: failed.code })
      }
    })
  }

  /** The same on every attempt. */
  #derivedId(hash: string, place: string): string {
    const readable = `${this.eventId}/${this.subscription}/${place}`
    return readable.length <= MAX_READABLE_ID_CHARACTERS ? readable : `${hash}/${place}`
  }
}
