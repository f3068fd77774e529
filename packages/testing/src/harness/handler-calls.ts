import type { AttemptPath, EddyEvent, HandlerContext } from '@eddy/core'

/**
 * How a handler call went. `timed-out` and `stopped`: the call was given up while it still ran, and what it does later
 * counts for nothing. `crashed`: it was running when the process died. `not-counted`: it stood in a batch behind an
 * event of its key (or shard) that failed, and comes again.
 */
export type CallOutcome = 'running' | 'ok' | 'failed' | 'not-counted' | 'timed-out' | 'stopped' | 'crashed'

/** One event in one call of a subscription's handler. */
export interface HandlerCall {
  readonly subscription: string
  readonly eventId: string
  readonly type: string
  readonly key: string
  /** 1 for the first call. */
  readonly attempt: number
  readonly path: AttemptPath
  readonly outOfOrder: boolean
  /** Epoch milliseconds, by the virtual clock. */
  readonly startedAtMs: number
  /** Undefined while it runs. */
  readonly durationMs: number | undefined
  readonly outcome: CallOutcome
  /** What it threw, with `failed`. */
  readonly error: unknown
  readonly event: EddyEvent
  /** Of a batch handler: which of its calls, from 1. Events of one call share it. */
  readonly batch: number | undefined
  /** Which life of the process: 1, and one more after every restart. */
  readonly life: number
}

interface OpenCall extends HandlerCall {
  durationMs: number | undefined
  outcome: CallOutcome
  error: unknown
}

/** Every handler call of a harness, in the order in which they began. */
export class HandlerCalls {
  readonly #nowMs: () => number
  readonly #calls = new Map<string, OpenCall[]>()
  /** Calls that succeeded, in the order in which they ended, by subscription and key. */
  readonly #handled = new Map<string, OpenCall[]>()
  readonly #running = new Set<OpenCall>()
  readonly #batches = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  of(subscription: string): readonly HandlerCall[] {
    return [...(this.#calls.get(subscription) ?? [])]
  }

  /** Calls of a key that succeeded, in the order in which they ended. */
  handled(subscription: string, key: string): readonly HandlerCall[] {
    return this.#handled.get(`${subscription}\n${key}`) ?? []
  }

  /** @returns what ends the call; only its first call counts */
  begin(
    event: EddyEvent,
    ctx: HandlerContext,
    life: number,
    batch?: number,
  ): (outcome: CallOutcome, error?: unknown) => void {
    const call: OpenCall = {
      subscription: ctx.subscription,
      eventId: ctx.eventId,
      type: event.type,
      key: ctx.key,
      attempt: ctx.attempt,
      path: ctx.path,
      outOfOrder: ctx.outOfOrder,
      startedAtMs: this.#nowMs(),
      durationMs: undefined,
      outcome: 'running',
      error: undefined,
      event,
      batch,
      life,
    }
    listOf(this.#calls, ctx.subscription).push(call)
    this.#running.add(call)
    return (outcome, error) => this.#end(call, outcome, error)
  }

  /** The number of a batch that begins. */
  nextBatch(subscription: string): number {
    const batch = (this.#batches.get(subscription) ?? 0) + 1
    this.#batches.set(subscription, batch)
    return batch
  }

  /** The process died: what was running never ends. */
  crashed(): void {
    for (const call of [...this.#running]) this.#end(call, 'crashed', undefined)
  }

  #end(call: OpenCall, outcome: CallOutcome, error: unknown): void {
    if (!this.#running.delete(call)) return
    call.outcome = outcome
    call.error = error
    call.durationMs = this.#nowMs() - call.startedAtMs
    if (outcome === 'ok') listOf(this.#handled, `${call.subscription}\n${call.key}`).push(call)
  }
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const known = lists.get(name)
  if (known !== undefined) return known
  const list: T[] = []
  lists.set(name, list)
  return list
}
