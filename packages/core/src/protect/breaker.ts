import type { BreakerPolicy } from '../model/protect.ts'
import type { HandlerOutcome } from './handler-outcome.ts'
import { OutcomeWindow } from './outcome-window.ts'
import { ProbeTurns } from './probe-turns.ts'
import { Probing } from './probing.ts'
import { rampShare } from './ramp.ts'

/** All times are monotonic. */
export type BreakerState =
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'open'
      readonly sinceMs: number
      readonly probesAtMs: number
      readonly pauseMs: number
      readonly reason: string
    }
  | { readonly kind: 'probing'; readonly sinceMs: number; readonly pauseMs: number; readonly reason: string }
  | { readonly kind: 'ramping'; readonly sinceMs: number; readonly pauseMs: number; readonly reason: string }

/** A downstream may ask for no longer pause than this: one event's hint must not stop a subscription for a day. */
const MAX_HINT_MS = 3_600_000

const CLOSED: BreakerState = { kind: 'closed' }

/**
 * Closed, open, probing, ramping, closed.
 *
 * - B1 Open: nothing is started, so nothing fails and no attempt is used up.
 * - B2 The pause doubles with every opening, until a whole ramp has passed without one.
 * - B3 Outcomes of calls that began before the state did say nothing about it: callers hand in the `phase` of the begin.
 *
 * Pure but for its own state: time comes with each call, so that a virtual clock can play it.
 */
export class Breaker {
  /** Of events that have failed as probes. */
  readonly turns: ProbeTurns = new ProbeTurns()
  #state: BreakerState = CLOSED
  #phase = 0
  #window = new OutcomeWindow(1)
  #probing = new Probing()
  /** Until when the downstream has asked to be left alone. */
  #hintedMs = Number.NEGATIVE_INFINITY

  /** Raised by every change of state. */
  get phase(): number {
    return this.#phase
  }

  get window(): OutcomeWindow {
    return this.#window
  }

  get probing(): Probing {
    return this.#probing
  }

  /** The state now: what time alone changes is done first. */
  state(nowMs: number, policy: BreakerPolicy): BreakerState {
    const state = this.#state
    if (state.kind === 'open' && nowMs >= state.probesAtMs) this.#probe(state, policy)
    if (state.kind === 'ramping' && rampShare(state.sinceMs, policy.rampMs, nowMs) === 1) this.#enter(CLOSED)
    if (this.#state.kind === 'probing') this.#endQuietProbing(this.#state, nowMs, policy)
    return this.#state
  }

  /** @param phase - of the call's begin */
  note(outcome: HandlerOutcome, phase: number, nowMs: number, policy: BreakerPolicy): void {
    const state = this.state(nowMs, policy)
    if (!outcome.ok) this.#heed(outcome, state, nowMs)
    if (phase !== this.#phase || state.kind === 'open') return
    if (state.kind === 'probing') this.#noteProbe(outcome, state, nowMs, policy)
    else this.#noteCall(outcome, state, nowMs, policy)
  }

  /** Closes it by hand: full rate is reached by the ramp. */
  close(nowMs: number): void {
    const state = this.#state
    if (state.kind === 'open' || state.kind === 'probing') this.#ramp(state, nowMs)
  }

  /** Goes on in a state that an earlier process has left. */
  restore(state: BreakerState, policy: BreakerPolicy): void {
    this.#window = new OutcomeWindow(policy.window)
    this.#enter(state)
  }

  /** There is no breaker any more. */
  reset(): void {
    this.#window = new OutcomeWindow(1)
    if (this.#state.kind !== 'closed') this.#enter(CLOSED)
  }

  #noteCall(
    outcome: HandlerOutcome,
    state: BreakerState & { kind: 'closed' | 'ramping' },
    nowMs: number,
    policy: BreakerPolicy,
  ): void {
    if (this.#window.size !== policy.window) this.#window = this.#window.resized(policy.window)
    this.#window.add(outcome.ok ? undefined : outcome.errorType)
    const { count, failed } = this.#window
    if (outcome.ok || count < policy.minimum || failed < policy.ratio * count) return
    const pauseMs = state.kind === 'ramping' ? Math.min(policy.maxPauseMs, state.pauseMs * 2) : policy.pauseMs
    this.#open(nowMs, pauseMs, reasonOf(this.#window, outcome))
  }

  #open(nowMs: number, pauseMs: number, reason: string): void {
    const probesAtMs = Math.max(nowMs + pauseMs, this.#hintedMs)
    this.#enter({ kind: 'open', sinceMs: nowMs, probesAtMs, pauseMs, reason })
  }

  #probe({ probesAtMs, pauseMs, reason }: BreakerState & { kind: 'open' }, policy: BreakerPolicy): void {
    this.#probing = new Probing()
    this.#window = new OutcomeWindow(policy.window)
    this.#enter({ kind: 'probing', sinceMs: probesAtMs, pauseMs, reason })
  }

  #ramp({ pauseMs, reason }: Exclude<BreakerState, { kind: 'closed' }>, nowMs: number): void {
    this.#hintedMs = Number.NEGATIVE_INFINITY
    this.#window = new OutcomeWindow(this.#window.size)
    this.#enter({ kind: 'ramping', sinceMs: nowMs, pauseMs, reason })
  }

  #noteProbe(
    outcome: HandlerOutcome,
    state: BreakerState & { kind: 'probing' },
    nowMs: number,
    policy: BreakerPolicy,
  ): void {
    this.#probing.add(outcome, nowMs)
    const verdict = this.#probing.verdict(policy)
    if (verdict === 'passed') this.#ramp(state, nowMs)
    if (verdict === 'failed') this.#reopen(state, nowMs, policy)
  }

  #reopen(state: BreakerState & { kind: 'probing' }, nowMs: number, policy: BreakerPolicy): void {
    const pauseMs = Math.min(policy.maxPauseMs, state.pauseMs * 2)
    this.turns.note(this.#probing.failedEvents)
    this.#open(nowMs, pauseMs, this.#probing.reason() ?? state.reason)
  }

  /** No outcome came for the length of the pause: what there is decides, or the probing begins anew. */
  #endQuietProbing(state: BreakerState & { kind: 'probing' }, nowMs: number, policy: BreakerPolicy): void {
    const lastMs = this.#probing.lastMs
    if (lastMs === undefined || nowMs < lastMs + state.pauseMs) return
    if (!this.#probing.isFailing(policy)) {
      this.#probing.tryAllAgain()
      return
    }
    this.#reopen(state, lastMs, policy)
    const reopened = this.#state
    if (reopened.kind === 'open' && nowMs >= reopened.probesAtMs) this.#probe(reopened, policy)
  }

  /** The downstream said when to come again. While it works, only its last word counts: the one that opens. */
  #heed(outcome: HandlerOutcome & { ok: false }, state: BreakerState, nowMs: number): void {
    const { retryAfterMs } = outcome
    const untilMs =
      retryAfterMs === undefined
        ? Number.NEGATIVE_INFINITY
        : nowMs + Math.min(MAX_HINT_MS, Math.max(0, retryAfterMs))
    const isDown = state.kind === 'open' || state.kind === 'probing'
    this.#hintedMs = isDown ? Math.max(this.#hintedMs, untilMs) : untilMs
    if (state.kind === 'open' && this.#hintedMs > state.probesAtMs)
      this.#state = { ...state, probesAtMs: this.#hintedMs }
  }

  #enter(state: BreakerState): void {
    if (state.kind === 'closed') this.turns.clear()
    this.#state = state
    this.#phase += 1
  }
}

function reasonOf(window: OutcomeWindow, last: HandlerOutcome & { ok: false }): string {
  const type = window.commonestError() ?? last.errorType
  const text = type === last.errorType ? `${type}: ${last.message}` : type
  return `${window.failed} of the last ${window.count} failed: ${text}`.slice(0, 500)
}
