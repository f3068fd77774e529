import type { Handler, SubscriptionDefinition } from '../model/app.ts'
import { decodeEvent } from '../model/envelope.ts'
import type { EddyEvent } from '../model/event.ts'
import type { SubscriptionPolicy } from '../model/policy.ts'
import type { Clock } from '../ports/clock.ts'
import {
  type AttemptResult,
  beginning,
  durationSince,
  failedResult,
  GIVEN_BACK,
  isMismatch,
  okResult,
} from './attempt-result.ts'
import type { BatchEntry, BatchResult } from './batch-call.ts'
import { BatchRunner } from './batch-runner.ts'
import { type AttemptMeta, Context, type ContextServices, type EventMeta } from './context.ts'
import { type HandlerThreads, isNotStarted } from './handler-threads.ts'
import { invoke, isThenable } from './invoke.ts'
import { type HandlerStats, RunningCalls } from './running-calls.ts'

export interface HandlerRunnerOptions {
  /** Absent: the handler runs on this thread. */
  readonly threads?: HandlerThreads | undefined
  /** Called with the number of events that each call of a batch handler gets. */
  readonly onBatch?: (events: number) => void
}

/** Calls a subscription's handler: the one function behind live, retry and redrive (I7). */
export class HandlerRunner {
  readonly #definition: SubscriptionDefinition
  readonly #policy: Pick<SubscriptionPolicy, 'timeoutMs'>
  readonly #clock: Clock
  readonly #services: ContextServices
  readonly #calls: RunningCalls
  readonly #threads: HandlerThreads | undefined
  readonly #batches: BatchRunner | undefined

  constructor(
    definition: SubscriptionDefinition,
    policy: Pick<SubscriptionPolicy, 'timeoutMs'>,
    clock: Clock,
    services: ContextServices,
    { threads, onBatch = () => {} }: HandlerRunnerOptions = {},
  ) {
    this.#definition = definition
    this.#policy = policy
    this.#clock = clock
    this.#services = services
    this.#calls = new RunningCalls(clock)
    this.#threads = threads
    const { batch } = definition
    this.#batches =
      batch === undefined
        ? undefined
        : new BatchRunner(definition, batch, clock, services, this.#calls, onBatch)
  }

  get stats(): HandlerStats {
    return this.#calls.stats
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

  /** A handler of batches gets a batch of one. Never rejects. */
  run(meta: EventMeta, bytes: Uint8Array, attempt: AttemptMeta): Promise<AttemptResult> {
    const { handle } = this.#definition
    if (handle !== undefined) return this.#call(handle, meta, bytes, attempt)
    return this.#runAlone(meta, bytes, attempt)
  }

  /**
   * Only for a subscription with a handler of batches. Never rejects.
   *
   * @param entries - one at least
   * @param attempt - the same for all of them
   * @param isOrdered - nothing after a lane's first failure counts
   * @returns a result for each entry, in their order
   */
  runBatch(
    entries: readonly BatchEntry[],
    attempt: AttemptMeta,
    isOrdered: boolean,
  ): Promise<readonly BatchResult[]> {
    if (this.#batches === undefined) throw new Error('a batch for a handler of single events')
    return this.#batches.run(entries, attempt, isOrdered, this.#timeoutOf(attempt))
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
    this.#calls.stop()
  }

  async #runAlone(meta: EventMeta, bytes: Uint8Array, attempt: AttemptMeta): Promise<AttemptResult> {
    const [result] = await this.runBatch([{ meta, bytes, lane: 0 }], attempt, false)
    return result === undefined || result.kind === 'not-counted' ? GIVEN_BACK : result
  }

  async #call(
    handler: Handler,
    meta: EventMeta,
    bytes: Uint8Array,
    attempt: AttemptMeta,
  ): Promise<AttemptResult> {
    if (this.#calls.isStopped) return GIVEN_BACK
    const clock = this.#clock
    const start = beginning(clock)
    let event: EddyEvent
    try {
      // Decoded anew for every attempt: what a handler changed in its event must not reach the next one (I7).
      event = decodeEvent(bytes)
    } catch (error) {
      return failedResult(attempt, start, 0, { thrown: error, event: undefined, isHopeless: true })
    }
    this.stats.running += 1
    const context = new Context(this.#definition.name, meta, attempt, event, this.#services)
    try {
      const timeoutMs = this.#timeoutOf(attempt)
      const following =
        this.#threads === undefined
          ? this.#callHere(handler, event, context, timeoutMs)
          : this.#callOnThread(this.#threads, handler, bytes, context, timeoutMs, attempt)
      const stopped = following === undefined ? false : await following
      if (stopped) return GIVEN_BACK
      // What `onExhausted` has done is not the end of the event.
      if (context.hasSteps) await context.ended(handler === this.#definition.handle ? 'ok' : 'failed')
      return okResult(attempt, start, durationSince(start, clock))
    } catch (error) {
      if (context.hasSteps) await context.ended('failed')
      if (isNotStarted(error)) return { kind: 'given-back', hasBegun: false }
      const failure = { thrown: error, event, isHopeless: isMismatch(error) }
      return failedResult(attempt, start, durationSince(start, clock), failure)
    } finally {
      this.stats.running -= 1
    }
  }

  /**
   * True when the process stopped before the handler was done; rejects with what the handler throws, or its timeout.
   * Undefined: it is done already.
   */
  #callHere(
    handler: Handler,
    event: EddyEvent,
    context: Context,
    timeoutMs: number,
  ): Promise<boolean> | undefined {
    const answer = invoke(handler, this.#definition.schema, event, context)
    return isThenable(answer) ? this.#calls.follow(context, answer, timeoutMs) : undefined
  }

  #callOnThread(
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
    return this.#calls.followThread(onThread, timeoutMs)
  }
}
