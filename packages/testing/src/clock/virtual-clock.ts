import type { Clock } from '@eddy/core'
import { drainWork } from './drain-work.ts'
import { manyWaiters } from './many-waiters.ts'
import { Prng } from './prng.ts'
import { type Timer, TimerHeap } from './timer-heap.ts'

export interface VirtualClockOptions {
  /** Same seed, same trace. */
  readonly seed: number | string
  /** Wall time at the start, epoch milliseconds; default 2026-01-01T00:00:00Z. */
  readonly startMs?: number
  /** Timers of one due time fire in a seeded order instead of the order they were scheduled in. */
  readonly shuffleTies?: boolean
}

/** `reached`: what was asked for. `idle`: no timer is left. `max-steps`: so many timers fired before it. */
export interface RunOutcome {
  readonly end: 'reached' | 'idle' | 'max-steps'
  readonly steps: number
}

const DEFAULT_START_MS = Date.UTC(2026, 0, 1)
const DEFAULT_MAX_STEPS = 1_000_000
/** Turns without a timer after which nothing is expected from outside either. */
const MAX_IDLE_TURNS = 10_000

/**
 * Time that moves only when driven. Between two timers all microtasks and immediates run to their end, so the order of
 * everything that happens follows from the seed alone. Work outside of that (files, sockets, real timers) is not
 * waited for.
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerHeap()
  readonly #random: Prng
  readonly #ties: Prng | undefined
  #monotonicMs = 0
  #wallOffsetMs: number
  #order = 0
  #driving = false
  readonly #waitingDrivers: (() => void)[] = []
  /** What gives up on each promise that `settle` drives for. */
  readonly #unsettled = new Set<(reason: unknown) => void>()
  #settling = false

  constructor(options: VirtualClockOptions) {
    const prng = new Prng(options.seed)
    this.#random = prng.fork('clock.random')
    this.#ties = options.shuffleTies === true ? prng.fork('clock.ties') : undefined
    this.#wallOffsetMs = options.startMs ?? DEFAULT_START_MS
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  random(): number {
    return this.#random.next()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel()
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const cancel = this.setTimer(ms, wake)
      manyWaiters(signal)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** Calls `fire` after `ms` of virtual time; returns what cancels it. */
  setTimer(ms: number, fire: () => void): () => void {
    const timer: Timer = {
      // Whole milliseconds, rounded up: a timer is never early (I5).
      dueMs: this.#monotonicMs + (ms > 0 ? Math.ceil(ms) : 0),
      tie: this.#ties?.next() ?? 0,
      order: this.#order++,
      fire,
      state: 'pending',
    }
    this.#timers.push(timer)
    return () => this.#timers.cancel(timer)
  }

  /** Moves wall time by `ms`, forth or back, as an operator or a time server does. No timer fires by it. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** Timers not yet fired. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Lets `ms` pass: fires what becomes due, in order. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#monotonicMs + ms
    await drainWork()
    while (await this.#nextTimer(never, targetMs)) {
      // Each step is its own turn of the driver, so that `settle` may run beside.
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, targetMs)
    await drainWork()
  }

  /** Fires the next timer. False when there is none. */
  async step(): Promise<boolean> {
    await drainWork()
    return this.#nextTimer(never)
  }

  /** Fires timers until the predicate holds, or wall time has come to the given epoch milliseconds. */
  async runUntil(
    until: (() => boolean) | number,
    options: { readonly maxSteps?: number } = {},
  ): Promise<RunOutcome> {
    const maxSteps = options.maxSteps ?? DEFAULT_MAX_STEPS
    const isReached = typeof until === 'function' ? until : () => this.now() >= until
    await drainWork()
    for (let steps = 0; ; steps++) {
      if (isReached()) return { end: 'reached', steps }
      if (steps >= maxSteps) return { end: 'max-steps', steps }
      const limitMs = typeof until === 'number' ? until - this.#wallOffsetMs : Number.POSITIVE_INFINITY
      if (await this.#nextTimer(isReached, limitMs)) continue
      if (typeof until === 'function') return { end: 'idle', steps }
      this.#monotonicMs = Math.max(this.#monotonicMs, limitMs)
    }
  }

  /** Drives the clock until the promise is settled. Several may be settled at a time, by one driver. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = reject
      this.#unsettled.add(giveUp)
      promise.then(resolve, reject).finally(() => this.#unsettled.delete(giveUp))
      if (!this.#settling) void this.#settleAll()
    })
  }

  async #settleAll(): Promise<void> {
    this.#settling = true
    await drainWork()
    const isDone = (): boolean => this.#unsettled.size === 0
    while (!isDone()) {
      // Looked at again when the turn comes: another driver may have settled them.
      if (await this.#nextTimer(isDone)) continue
      await this.#waitForOutsideWork(isDone)
      if (this.#timers.size > 0) continue
      const stalled = new Error(
        `settle: a promise is pending and no timer is left at ${this.#monotonicMs} ms`,
      )
      for (const giveUp of this.#unsettled) giveUp(stalled)
      this.#unsettled.clear()
    }
    this.#settling = false
  }

  async #waitForOutsideWork(isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < MAX_IDLE_TURNS && !isDone() && this.#timers.size === 0; turn++) {
      await drainWork()
    }
  }

  /**
   * One driver's turn: fires the next timer and lets what it sets off run to its end. False when there is none up to
   * the limit. One driver at a time: a second one waits, then lets the first one's caller go on before it looks.
   */
  async #nextTimer(isDone: () => boolean, limitMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.#driving) {
      await new Promise<void>((resolve) => this.#waitingDrivers.push(resolve))
      await drainWork()
    }
    this.#driving = true
    try {
      if (isDone()) return true
      const next = this.#timers.peek()
      if (next === undefined || next.dueMs > limitMs || next.dueMs === Number.POSITIVE_INFINITY) return false
      this.#timers.pop()
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
      next.fire()
      await drainWork()
      return true
    } finally {
      const waiting = this.#waitingDrivers.shift()
      if (waiting === undefined) this.#driving = false
      else waiting()
    }
  }
}

function never(): boolean {
  return false
}
