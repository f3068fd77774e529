import { SchemaMismatchError } from '../errors/handler-errors.ts'
import type { Handler, SubscriptionDefinition } from '../model/app.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import type { Attempt, ErrorInfo } from '../model/ledger-item.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import { validateData } from '../model/schema.ts'
import { errorInfo } from '../policies/error-info.ts'
import type { Clock } from '../ports/clock.ts'
import { type AttemptMeta, Context, type ContextServices, type EventMeta } from './context.ts'
import { Deadlines } from './deadlines.ts'
import { type HandlerThreads, NotStarted } from './handler-threads.ts'
import { RunningCall } from './running-call.ts'
import { ThreadedCall } from './threaded-call.ts'

export type AttemptResult =
  | { readonly kind: 'ok'; readonly attempt: Attempt }
  | {
      readonly kind: 'failed'
      readonly attempt: Attempt
      readonly error: ErrorInfo
      readonly thrown: unknown
      /** Undefined when the bytes are no event. */
      readonly event: EddyEvent | undefined
      /** Set when no later attempt can go better: the record is undecodable or does not match the schema. */
      readonly hopeless?: string
    }
  /** The process is stopping: nothing is known, the event stays unresolved. */
  | { readonly kind: 'given-back'; readonly hasBegun?: false }

export interface HandlerStats {
  /** Handlers under way. */
  running: number
  /** Timed-out handlers that never came back. */
  abandoned: number
}

/** Calls a subscription's handler: the one function behind live, retry and redrive (I7). */
export class HandlerRunner {
  readonly stats: HandlerStats = { running: 0, abandoned: 0 }
  readonly #definition: SubscriptionDefinition
  readonly #policy: Pick<SubscriptionPolicy, 'timeoutMs'>
  readonly #clock: Clock
  readonly #services: ContextServices
  readonly #deadlines: Deadlines
  readonly #threads: HandlerThreads | undefined
  readonly #running = new Set<RunningCall | ThreadedCall>()
  #stopped = false

  constructor(
    definition: SubscriptionDefinition,
    policy: Pick<SubscriptionPolicy, 'timeoutMs'>,
    clock: Clock,
    services: ContextServices,
    threads?: HandlerThreads,
  ) {
    this.#definition = definition
    this.#policy = policy
    this.#clock = clock
    this.#services = services
    this.#threads = threads
    this.#deadlines = new Deadlines(clock)
  }

  /** From asking for a call of a retry to its end: on threads it may first wait as long for one to be free. */
  get longestCallMs(): number {
    return this.#policy.timeoutMs * this.#waits
  }

  get #waits(): number {
    return this.#threads === undefined ? 1 : 2
  }

  #timeoutOf(attempt: AttemptMeta): number {
    return attempt.longestCallMs === undefined ? this.#policy.timeoutMs : attempt.longestCallMs / this.#waits
  }

  /** Never rejects. */
  run(meta: EventMeta, bytes: Uint8Array, attempt: AttemptMeta): Promise<AttemptResult> {
    return this.#call(this.#definition.handle, meta, bytes, attempt)
  }

  /** @returns what went wrong, or undefined */
  async runOnExhausted(
    meta: EventMeta,
    bytes: Uint8Array,
    attempt: AttemptMeta,
  ): Promise<string | undefined> {
    if (this.#definition.onExhausted === undefined) return undefined
    const result = await this.#call(this.#definition.onExhausted, meta, bytes, attempt)
    if (result.kind === 'failed') return `onExhausted failed: ${result.error.type}: ${result.error.message}`
    return undefined
  }

  /** Aborts what is running and gives it back; later calls are given back at once. */
  stop(): void {
    this.#stopped = true
    for (const call of this.#running) call.stop()
    this.#deadlines.close()
  }

  async #call(
    handler: Handler,
    meta: EventMeta,
    bytes: Uint8Array,
    attempt: AttemptMeta,
  ): Promise<AttemptResult> {
    if (this.#stopped) return { kind: 'given-back' }
    const startedAtMs = this.#clock.now()
    const startMs = this.#clock.monotonicMs()
    const attemptOf = (error?: ErrorInfo): Attempt => ({
      attempt: attempt.attempt,
      path: attempt.path,
      startedAtMs,
      durationMs: Math.max(0, Math.round(this.#clock.monotonicMs() - startMs)),
      ...(error !== undefined && { error }),
    })
    const failed = (thrown: unknown, event: EddyEvent | undefined, isHopeless: boolean): AttemptResult => {
      const error = errorInfo(thrown)
      return {
        kind: 'failed',
        attempt: attemptOf(error),
        error,
        thrown,
        event,
        ...(isHopeless && { hopeless: error.message }),
      }
    }
    let event: EddyEvent
    try {
      // Decoded anew for every attempt: what a handler changed in its event must not reach the next one (I7).
      event = decodeEvent(bytes)
    } catch (error) {
      return failed(error, undefined, true)
    }
    this.stats.running += 1
    const context = new Context(this.#definition.name, meta, attempt, event, this.#services)
    try {
      const timeoutMs = this.#timeoutOf(attempt)
      const raced =
        this.#threads === undefined
          ? this.#race(handler, event, context, timeoutMs)
          : this.#raceThread(this.#threads, handler, bytes, context, timeoutMs, attempt)
      const stopped = raced === undefined ? false : await raced
      if (stopped) return { kind: 'given-back' }
      // What `onExhausted` has done is not the end of the event.
      if (context.hasSteps) await context.ended(handler === this.#definition.handle ? 'ok' : 'failed')
      return { kind: 'ok', attempt: attemptOf() }
    } catch (error) {
      if (context.hasSteps) await context.ended('failed')
      if (error instanceof NotStarted) return { kind: 'given-back', hasBegun: false }
      return failed(error, event, isMismatch(error))
    } finally {
      this.stats.running -= 1
    }
  }

  /** The schema is part of the call: one that waits, or throws, is bounded and counted like the handler itself. */
  #invoke(handler: Handler, event: EddyEvent, context: Context): unknown {
    const schema = this.#definition.schema
    if (schema === undefined) return handler(event, context)
    const data = validateData(schema, event.data)
    if (!isThenable(data)) return handler({ ...event, data }, context)
    return data.then((checked) => handler({ ...event, data: checked }, context))
  }

  /**
   * True when the process stopped before the handler was done; rejects with what the handler throws, or its timeout.
   * Undefined: it is done already.
   */
  #race(
    handler: Handler,
    event: EddyEvent,
    context: Context,
    timeoutMs: number,
  ): Promise<boolean> | undefined {
    const answer = this.#invoke(handler, event, context)
    if (!isThenable(answer)) return undefined
    const call = new RunningCall(context, timeoutMs, this.#clock, this.stats, () => {
      this.#deadlines.remove(call)
      this.#running.delete(call)
    })
    this.#deadlines.add(call)
    this.#running.add(call)
    // A thenable of somebody else's may settle twice, or settle and throw: a promise of it counts the first.
    return call.follow(Promise.resolve(answer))
  }

  #raceThread(
    threads: HandlerThreads,
    handler: Handler,
    bytes: Uint8Array,
    context: Context,
    timeoutMs: number,
    attempt: AttemptMeta,
  ): Promise<boolean> {
    const onThread = threads.call({
      handler: handler === this.#definition.handle ? 'handle' : 'onExhausted',
      bytes,
      context,
      // A claim ends: the other half of it is for waiting. On the live path nothing runs out.
      ...(attempt.longestCallMs !== undefined && { startWithinMs: timeoutMs }),
    })
    const call = new ThreadedCall(onThread, timeoutMs, this.#clock, this.stats, () => {
      this.#deadlines.remove(call)
      this.#running.delete(call)
    })
    this.#deadlines.add(call)
    this.#running.add(call)
    return call.follow()
  }
}

/** Anything may be thrown, also what throws when it is looked at. */
function isMismatch(thrown: unknown): boolean {
  try {
    return thrown instanceof SchemaMismatchError
  } catch {
    return false
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
