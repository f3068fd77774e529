import type { EddyEvent, HandlerContext } from '@eddy/core'
import { type Duration, durationMs } from './duration.ts'

/** Which handler calls are meant: those that match every field that is given. */
export interface CallFilter {
  readonly key?: string
  readonly eventId?: string
  readonly type?: string
  /** Only an event's first so many calls. */
  readonly attempts?: number
  /** So many matching calls, then no more; default: every one. */
  readonly times?: number
}

export interface FailOptions extends CallFilter {
  /** What is thrown, or a function that makes it; default an `InjectedFailure`. */
  readonly error?: unknown
  /** `after`: the application's handler runs first, so that its effects stand when the call fails. Default `before`. */
  readonly when?: 'before' | 'after'
}

export interface DelayOptions extends CallFilter {
  /** How long a call takes before the application's handler begins; `Infinity`: it never returns. */
  readonly by: Duration
}

/** What a handler throws when the harness makes it fail. */
export class InjectedFailure extends Error {
  constructor(message = 'made to fail by the test harness') {
    super(message)
    this.name = 'InjectedFailure'
  }
}

type Interference =
  | { readonly kind: 'fail'; readonly options: FailOptions; left: number }
  | { readonly kind: 'delay'; readonly options: CallFilter; readonly delayMs: number; left: number }

export interface Interfered {
  readonly delayMs: number
  readonly fail: FailOptions | undefined
}

/** What a test does to the handlers of its subscriptions. It outlives crashes and restarts. */
export class Interferences {
  readonly #bySubscription = new Map<string, Interference[]>()

  /** @returns what takes it back */
  fail(subscription: string, options: FailOptions): () => void {
    return this.#add(subscription, { kind: 'fail', options, left: timesOf(options) })
  }

  /** @returns what takes it back */
  delay(subscription: string, options: DelayOptions): () => void {
    const delayMs = durationMs('delay().by', options.by)
    return this.#add(subscription, { kind: 'delay', options, delayMs, left: timesOf(options) })
  }

  heal(subscription: string): void {
    this.#bySubscription.delete(subscription)
  }

  /** What befalls this call; uses up one of `times` of each that does. */
  next(event: EddyEvent, ctx: HandlerContext): Interfered {
    const matching = (this.#bySubscription.get(ctx.subscription) ?? []).filter(
      (one) => one.left > 0 && matches(one.options, event, ctx),
    )
    let delayMs = 0
    let fail: FailOptions | undefined
    for (const one of matching) {
      if (one.kind === 'fail' && fail !== undefined) continue
      one.left -= 1
      if (one.kind === 'fail') fail = one.options
      else delayMs += one.delayMs
    }
    return { delayMs, fail }
  }

  #add(subscription: string, one: Interference): () => void {
    this.#bySubscription.set(subscription, [...(this.#bySubscription.get(subscription) ?? []), one])
    return () => {
      one.left = 0
    }
  }
}

export function errorOf(options: FailOptions): unknown {
  if (!('error' in options)) return new InjectedFailure()
  return typeof options.error === 'function' ? options.error() : options.error
}

function timesOf(filter: CallFilter): number {
  return filter.times ?? Number.POSITIVE_INFINITY
}

function matches(filter: CallFilter, event: EddyEvent, ctx: HandlerContext): boolean {
  return (
    (filter.key === undefined || filter.key === ctx.key) &&
    (filter.eventId === undefined || filter.eventId === ctx.eventId) &&
    (filter.type === undefined || filter.type === event.type) &&
    (filter.attempts === undefined || ctx.attempt <= filter.attempts)
  )
}
