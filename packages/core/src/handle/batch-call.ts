import type { SubscriptionDefinition } from '../model/app.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import type { ErrorInfo } from '../model/ledger-item.ts'
import { recordName } from '../model/record-name.ts'
import { validateData } from '../model/schema.ts'
import { errorInfo } from '../policies/error-info.ts'
import type { Clock } from '../ports/clock.ts'
import {
  type AttemptResult,
  beginning,
  type CallStart,
  durationSince,
  type FailedCall,
  failedResult,
  GIVEN_BACK,
  isMismatch,
  okResult,
} from './attempt-result.ts'
import { BatchCallContext } from './batch-context.ts'
import type { Verdict } from './batch-outcomes.ts'
import { type AttemptMeta, Context, type ContextServices, type EventMeta } from './context.ts'
import { isThenable } from './invoke.ts'

/** An event that is to be handled in a batch. */
export interface BatchEntry {
  readonly meta: EventMeta
  readonly bytes: Uint8Array
  /** Entries of a lane stand next to each other, in order. */
  readonly lane: number
}

/** `not-counted`: an earlier event of its lane failed, so that whatever was done with this one came too early (I3). */
export type BatchResult = AttemptResult | { readonly kind: 'not-counted' }

const NOT_COUNTED: BatchResult = { kind: 'not-counted' }

/** An entry that the handler gets to see: a `BatchItem`. */
interface Member {
  readonly id: string
  readonly ctx: Context
  event: EddyEvent
}

/** One call of a handler of batches: from the bytes of its entries to a result for each. */
export class BatchCall {
  readonly context: BatchCallContext
  readonly #entries: readonly BatchEntry[]
  readonly #attempt: AttemptMeta
  readonly #definition: SubscriptionDefinition
  readonly #clock: Clock
  readonly #start: CallStart
  /** By place. Undefined: the bytes are no event. */
  readonly #members: readonly (Member | undefined)[]
  readonly #results: (BatchResult | undefined)[]
  #isOver = false

  /**
   * @param entries - one at least
   * @param attempt - the same for all of them
   */
  constructor(
    entries: readonly BatchEntry[],
    attempt: AttemptMeta,
    definition: SubscriptionDefinition,
    clock: Clock,
    services: ContextServices,
  ) {
    this.#entries = entries
    this.#attempt = attempt
    this.#definition = definition
    this.#clock = clock
    this.#start = beginning(clock)
    this.#results = entries.map(() => undefined)
    const ids = new Set<string>()
    this.#members = entries.map((entry, place) => this.#decode(entry, place, services, ids))
    const { meta } = entries[0] as BatchEntry
    const contexts = this.#members.flatMap((member) => member?.ctx ?? [])
    this.context = new BatchCallContext(definition.name, meta.stream, attempt.path, contexts)
  }

  /** What is left to be handled. */
  items(): Member[] {
    return this.#members.filter(
      (member, place): member is Member => member !== undefined && this.#results[place] === undefined,
    )
  }

  /** Checks the events against the schema, each for itself; a promise only when the schema is asynchronous. */
  check(): Promise<unknown> | undefined {
    const { schema } = this.#definition
    if (schema === undefined) return undefined
    const waiting: Promise<void>[] = []
    for (const [place, member] of this.#members.entries()) {
      if (member === undefined) continue
      const refuse = (thrown: unknown): void =>
        this.#fail(place, { thrown, event: member.event, isHopeless: isMismatch(thrown) })
      const accept = (data: unknown): void => {
        member.event = { ...member.event, data }
      }
      try {
        const data = validateData(schema, member.event.data)
        if (isThenable(data)) waiting.push(Promise.resolve(data).then(accept, refuse))
        else accept(data)
      } catch (thrown) {
        refuse(thrown)
      }
    }
    return waiting.length === 0 ? undefined : Promise.all(waiting)
  }

  /** @param verdicts - of `items()`, in their order */
  judged(verdicts: readonly Verdict[]): void {
    const durationMs = durationSince(this.#start, this.#clock)
    let next = 0
    for (let place = 0; place < this.#entries.length; place += 1) {
      if (this.#results[place] !== undefined) continue
      const verdict = verdicts[next] as Verdict
      next += 1
      if (verdict.ok) this.#results[place] = okResult(this.#attempt, this.#start, durationMs)
      else this.#fail(place, { thrown: verdict.error, event: this.#members[place]?.event, isHopeless: false })
    }
  }

  /** The call as a whole failed. */
  threw(thrown: unknown): void {
    // Described once: it is the same for all.
    const error = errorInfo(thrown)
    for (const [place, result] of this.#results.entries())
      if (result === undefined)
        this.#fail(place, { thrown, event: this.#members[place]?.event, isHopeless: false }, error)
  }

  givenBack(): void {
    this.#results.fill(GIVEN_BACK)
  }

  /** @param isOrdered - nothing after a lane's first failure counts */
  async end(isOrdered: boolean): Promise<readonly BatchResult[]> {
    this.#isOver = true
    const results = this.#results as BatchResult[]
    if (isOrdered) this.#discount(results)
    for (const [place, member] of this.#members.entries())
      if (member?.ctx.hasSteps === true)
        await member.ctx.ended(results[place]?.kind === 'ok' ? 'ok' : 'failed')
    return results
  }

  /** What never reaches the handler, now or later, keeps nobody waiting: it is dead-lettered by itself. */
  #discount(results: BatchResult[]): void {
    let failedLane: number | undefined
    for (const [place, { lane }] of this.#entries.entries()) {
      const result = results[place]
      if (lane === failedLane) results[place] = NOT_COUNTED
      else if (result?.kind === 'failed' && result.hopeless === undefined) failedLane = lane
    }
  }

  #decode(
    { meta, bytes }: BatchEntry,
    place: number,
    services: ContextServices,
    ids: Set<string>,
  ): Member | undefined {
    try {
      // Decoded anew for every attempt: what a handler changed in its event must not reach the next one (I7).
      const event = decodeEvent(bytes)
      let id = `${meta.shardId}/${recordName(meta)}`
      if (ids.has(id)) id = `${id}#${place}`
      ids.add(id)
      return { id, ctx: new Context(this.#definition.name, meta, this.#attempt, event, services), event }
    } catch (thrown) {
      this.#fail(place, { thrown, event: undefined, isHopeless: true })
      return undefined
    }
  }

  #fail(place: number, failure: FailedCall, error: ErrorInfo = errorInfo(failure.thrown)): void {
    // A schema may answer when the call's time is up.
    if (this.#isOver) return
    const durationMs = durationSince(this.#start, this.#clock)
    this.#results[place] = failedResult(this.#attempt, this.#start, durationMs, failure, error)
  }
}
