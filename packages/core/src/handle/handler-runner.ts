import { HandlerTimeoutError } from '../errors/handler-errors.ts'
import type { Handler, SubscriptionDefinition } from '../model/app.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import type { Attempt, ErrorInfo } from '../model/ledger-item.ts'
import { validateData } from '../model/schema.ts'
import { errorInfo } from '../policies/error-info.ts'
import type { Clock } from '../ports/clock.ts'
import { type AttemptMeta, Context, type ContextServices, type EventMeta } from './context.ts'
import { Deadlines } from './deadlines.ts'

/** How long a handler whose time is up may take to notice its signal before its slot is given to another event. */
const ABANDON_AFTER_MS = 5_000

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
  | { readonly kind: 'given-back' }

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
  readonly #clock: Clock
  readonly #services: ContextServices
  readonly #deadlines: Deadlines
  readonly #stops = new Set<() => void>()
  #stopped = false

  constructor(definition: SubscriptionDefinition, clock: Clock, services: ContextServices) {
    this.#definition = definition
    this.#clock = clock
    this.#services = services
    this.#deadlines = new Deadlines(clock)
  }

  async run(meta: EventMeta, bytes: Uint8Array, attempt: AttemptMeta): Promise<AttemptResult> {
    return await this.#call(this.#definition.handle, meta, bytes, attempt)
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
    for (const stop of this.#stops) stop()
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
      const schema = this.#definition.schema
      if (schema !== undefined) event = { ...event, data: await validateData(schema, event.data) }
    } catch (error) {
      return failed(error, undefined, true)
    }
    this.stats.running += 1
    try {
      const context = new Context(this.#definition.name, meta, attempt, event, this.#services)
      const stopped = await this.#race(handler, event, context)
      return stopped ? { kind: 'given-back' } : { kind: 'ok', attempt: attemptOf() }
    } catch (error) {
      return failed(error, event, false)
    } finally {
      this.stats.running -= 1
    }
  }

  /** @returns true when the process stopped before the handler was done; throws what the handler throws, or its timeout */
  async #race(handler: Handler, event: EddyEvent, context: Context): Promise<boolean> {
    const answer = handler(event, context)
    if (!isThenable(answer)) return false
    // A thenable of somebody else's may settle twice, or settle and throw: a promise of it counts the first.
    const returned = Promise.resolve(answer)
    const timeoutMs = this.#definition.timeoutMs
    const { promise, resolve, reject } = deferred<boolean>()
    const stop = (): void => {
      context.abort(new Error('the process is stopping'))
      resolve(true)
    }
    const entry = {
      deadlineMs: this.#clock.monotonicMs() + timeoutMs,
      expire: (): void => {
        const error = new HandlerTimeoutError(timeoutMs)
        context.abort(error)
        void this.#abandon(returned, () => reject(error))
      },
    }
    this.#deadlines.add(entry)
    this.#stops.add(stop)
    returned.then(
      () => {
        // A result after the deadline counts as failed; `expire` says so.
        if (this.#clock.monotonicMs() < entry.deadlineMs) resolve(false)
      },
      (error) => reject(error),
    )
    try {
      return await promise
    } finally {
      this.#deadlines.remove(entry)
      this.#stops.delete(stop)
    }
  }

  /** Waits for a timed-out handler to notice, so that its next attempt does not run beside it; then gives up on it. */
  async #abandon(returned: PromiseLike<unknown>, then: () => void): Promise<void> {
    const stop = new AbortController()
    let settled = false
    const settle = (): void => {
      settled = true
      stop.abort()
    }
    returned.then(settle, settle)
    await this.#clock.sleep(ABANDON_AFTER_MS, stop.signal)
    if (!settled) this.stats.abandoned += 1
    then()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}
