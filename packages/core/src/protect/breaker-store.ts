import { keys } from '../fail/keys.ts'
import type { BreakerPolicy } from '../model/protect.ts'
import type { Logger } from '../observe/logger.ts'
import type { Clock } from '../ports/clock.ts'
import type { Engine } from '../ports/engine.ts'
import { persist, Stopped } from '../runtime/stop-signal.ts'
import type { BreakerState } from './breaker.ts'

/** In wall time, since a monotonic clock begins anew with its process. Probing is not kept: it begins anew too. */
interface Stored {
  readonly [name: string]: string | number | undefined
  readonly kind: 'closed' | 'open' | 'ramping'
  readonly sinceMs: number
  readonly probesAtMs?: number
  readonly pauseMs: number
  readonly reason: string
}

/** A pause that was stored is never waited for longer than this: the wall clock may have been set meanwhile. */
const MAX_LEFT_MS = 24 * 3_600_000

/**
 * Keeps a breaker's state over restarts: one small item a subscription, written when the state changes.
 *
 * A write that comes late, even one of a dead process, does no harm: the next start pauses, ramps up or begins at full
 * rate too early or too late, and finds out by the outcomes.
 */
export class BreakerStore {
  readonly #engine: Engine
  readonly #subscription: string
  readonly #stopping: AbortSignal
  readonly #logger: Logger
  #wanted: Stored | undefined
  #isWriting = false

  constructor(engine: Engine, subscription: string, stopping: AbortSignal, logger: Logger) {
    this.#engine = engine
    this.#subscription = subscription
    this.#stopping = stopping
    this.#logger = logger
  }

  /** What an earlier process left; undefined: closed. */
  async load(policy: BreakerPolicy): Promise<BreakerState | undefined> {
    const stored = (await this.#engine.table.get<Stored>(keys.breaker(this.#subscription)))?.value
    if (stored === undefined || stored.kind === 'closed') return undefined
    const { clock } = this.#engine
    const { pauseMs, reason } = stored
    const sinceMs = toMonotonic(clock, stored.sinceMs)
    if (stored.kind === 'ramping') return { kind: 'ramping', sinceMs, pauseMs, reason }
    const leftMs = Math.min(MAX_LEFT_MS, (stored.probesAtMs ?? 0) - clock.now())
    // Set back since: the pause is waited for once more, and no longer.
    const isLikely = leftMs <= Math.max(policy.maxPauseMs, (stored.probesAtMs ?? 0) - stored.sinceMs)
    const probesAtMs = clock.monotonicMs() + (isLikely ? leftMs : pauseMs)
    return { kind: 'open', sinceMs, probesAtMs, pauseMs, reason }
  }

  /** Takes the state and returns at once; of states that follow each other fast, the last one is written. */
  save(state: BreakerState): void {
    if (state.kind === 'probing') return
    this.#wanted = this.#storedForm(state)
    if (!this.#isWriting) void this.#write()
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#isWriting = true
    const { table, clock } = this.#engine
    try {
      for (let value = this.#wanted; value !== undefined; value = this.#wanted) {
        this.#wanted = undefined
        const item = { ...keys.breaker(this.#subscription), value }
        await persist(clock, this.#stopping, this.#logger, "keeping a breaker's state", () =>
          table.put<Stored>(item, 'any'),
        )
      }
    } catch (error) {
      // The next start would find the state before: late by one change, and without harm.
      if (!(error instanceof Stopped)) this.#logger.warn({ reason: String(error) }, 'a breaker was not kept')
    }
    this.#isWriting = false
  }

  #storedForm(state: Exclude<BreakerState, { readonly kind: 'probing' }>): Stored {
    const { clock } = this.#engine
    if (state.kind === 'closed') return { kind: 'closed', sinceMs: clock.now(), pauseMs: 0, reason: '' }
    const { kind, pauseMs, reason } = state
    const sinceMs = toWall(clock, state.sinceMs)
    if (state.kind === 'ramping') return { kind, sinceMs, pauseMs, reason }
    return { kind, sinceMs, probesAtMs: toWall(clock, state.probesAtMs), pauseMs, reason }
  }
}

export function toWall(clock: Clock, monotonicMs: number): number {
  return Math.round(clock.now() + monotonicMs - clock.monotonicMs())
}

function toMonotonic(clock: Clock, wallMs: number): number {
  return clock.monotonicMs() + Math.min(0, wallMs - clock.now())
}
