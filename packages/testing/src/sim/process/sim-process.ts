import { type Clock, EngineClosedError, isEddyError } from '@eddy/core'
import { manyWaiters } from '../../clock/many-waiters.ts'
import type { MutableCall, PortOp } from '../call-trace.ts'
import type { MsRange } from '../fault-plan.ts'
import type { SimWorld } from '../sim-world.ts'

/** A port call under way. */
export interface PendingCall {
  call: MutableCall | undefined
  /** What a write does when it takes effect at or after a crash. Undefined: it changes nothing. */
  readonly crashEffect: (() => void) | undefined
  tookEffect: boolean
  /** Undoes its timers and waits. */
  cancel: () => void
  /** With a call that waits: ends the wait. */
  endWait: (() => void) | undefined
}

export interface WaitingCall<T> {
  readonly attempt: () => T
  readonly isReady: (result: T) => boolean
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
  /** A change there is worth another attempt. */
  readonly channel: string
  /** Milliseconds until something becomes ready by itself. */
  readonly readyInMs: () => number | undefined
}

const NEVER = 2 ** 40

/** One process's hold on the world: its port calls and sleeps end with it. */
export class SimProcess {
  readonly id: number
  readonly world: SimWorld
  readonly clock: Clock
  /** What every call takes longer; undefined: nothing. */
  slowMs: MsRange | undefined
  /** Monotonic: until then it does nothing, like a process that gets no processor or swaps. What it has sent goes on. */
  #stalledUntilMs = 0
  #state: 'running' | 'closed' | 'ended' = 'running'
  readonly #pending = new Set<PendingCall>()
  readonly #sleeps = new Set<() => void>()

  constructor(world: SimWorld, id: number) {
    this.world = world
    this.id = id
    this.clock = {
      now: () => world.clock.now(),
      monotonicMs: () => world.clock.monotonicMs(),
      random: () => world.clock.random(),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    }
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  stall(ms: number): void {
    this.#stalledUntilMs = this.clock.monotonicMs() + ms
  }

  /** A call that only looks: `effect` runs after the latency of the call. */
  read<T>(op: PortOp, args: readonly unknown[], effect: () => T): Promise<T> {
    return this.#call(op, args, undefined, effect)
  }

  /** A call that changes what is stored. `crashEffect` is what it does at a crash: the change without faults. */
  write<T>(op: PortOp, args: readonly unknown[], effect: () => T, crashEffect: () => void): Promise<T> {
    return this.#call(op, args, crashEffect, effect)
  }

  /** A read that is repeated until its result is ready or the wait is over. */
  wait<T>(op: PortOp, args: readonly unknown[], waiting: WaitingCall<T>): Promise<T> {
    if (this.#state !== 'running') return this.#refuse()
    return new Promise<T>((resolve, reject) => {
      const pending = this.#begin(op, args, undefined)
      if (pending === undefined) return
      const deadlineMs = this.clock.monotonicMs() + Math.max(0, waiting.waitMs)
      this.#later(pending, this.world.faults.callMs, () =>
        this.#attempt(pending, waiting, deadlineMs, { resolve, reject }),
      )
    })
  }

  /** Ends the process: nothing of it settles any more. Returns what was under way. */
  end(): PendingCall[] {
    const pending = [...this.#pending]
    this.#state = 'ended'
    for (const call of pending) call.cancel()
    for (const cancel of this.#sleeps) cancel()
    this.#pending.clear()
    this.#sleeps.clear()
    return pending
  }

  close(): void {
    if (this.#state !== 'running') return
    this.#state = 'closed'
    for (const call of [...this.#pending]) call.endWait?.()
    this.world.left(this)
  }

  #call<T>(
    op: PortOp,
    args: readonly unknown[],
    crashEffect: (() => void) | undefined,
    effect: () => T,
  ): Promise<T> {
    if (this.#state !== 'running') return this.#refuse()
    return new Promise<T>((resolve, reject) => {
      const pending = this.#begin(op, args, crashEffect)
      if (pending === undefined) return
      this.#later(pending, this.world.faults.callMs, () => {
        this.#answer(pending, effect, { resolve, reject })
      })
    })
  }

  /** Undefined when the world ended this process at the call. */
  #begin(
    op: PortOp,
    args: readonly unknown[],
    crashEffect: (() => void) | undefined,
  ): PendingCall | undefined {
    const pending: PendingCall = {
      call: undefined,
      crashEffect,
      tookEffect: false,
      cancel: () => undefined,
      endWait: undefined,
    }
    this.#pending.add(pending)
    this.world.begin(this, pending, op, args)
    return this.#pending.has(pending) ? pending : undefined
  }

  #attempt<T>(
    pending: PendingCall,
    waiting: WaitingCall<T>,
    deadlineMs: number,
    settle: { readonly resolve: (value: T) => void; readonly reject: (reason: unknown) => void },
  ): void {
    let result: T
    try {
      result = waiting.attempt()
    } catch (error) {
      this.#answer(pending, () => throwIt(error), settle)
      return
    }
    const leftMs = deadlineMs - this.clock.monotonicMs()
    const { signal } = waiting
    if (waiting.isReady(result) || leftMs <= 0 || signal?.aborted === true || this.#state !== 'running') {
      this.#answer(pending, () => result, settle)
      return
    }
    const again = (): void => {
      pending.cancel()
      pending.endWait = undefined
      this.#attempt(pending, waiting, deadlineMs, settle)
    }
    const leave = this.world.waitRoom.enter(waiting.channel, again)
    const readyInMs = Math.max(1, waiting.readyInMs() ?? NEVER)
    const stopTimer = this.world.clock.setTimer(Math.min(leftMs, readyInMs), again)
    manyWaiters(signal)
    signal?.addEventListener('abort', again, { once: true })
    pending.endWait = again
    pending.cancel = () => {
      leave()
      stopTimer()
      signal?.removeEventListener('abort', again)
    }
  }

  /** Lets the call take effect, and tells the caller after the latency of the answer. */
  #answer<T>(
    pending: PendingCall,
    effect: () => T,
    settle: { readonly resolve: (value: T) => void; readonly reject: (reason: unknown) => void },
  ): void {
    pending.tookEffect = true
    let tell: () => void
    let outcome: string
    try {
      const value = effect()
      tell = () => settle.resolve(value)
      outcome = 'ok'
    } catch (error) {
      tell = () => settle.reject(error)
      outcome = isEddyError(error) ? error.code : String(error)
    }
    this.#awake(pending, this.world.faults.answerMs, () => {
      this.#pending.delete(pending)
      if (pending.call !== undefined) {
        pending.call.outcome = outcome
        pending.call.endedAtMs = this.clock.monotonicMs()
      }
      tell()
    })
  }

  /** An answer reaches the process once it can take notice. */
  #awake(pending: PendingCall, range: MsRange, next: () => void): void {
    const { clock } = this.world
    const whenAwake = (): void => {
      const stalledMs = this.#stalledUntilMs - clock.monotonicMs()
      if (stalledMs > 0) pending.cancel = clock.setTimer(stalledMs, whenAwake)
      else next()
    }
    this.#later(pending, range, whenAwake)
  }

  #later(
    pending: PendingCall,
    range: { readonly minMs: number; readonly maxMs: number },
    next: () => void,
  ): void {
    const ms = this.world.dice.between(range) + (this.slowMs ? this.world.dice.between(this.slowMs) : 0)
    if (ms <= 0) {
      pending.cancel = () => undefined
      next()
    } else pending.cancel = this.world.clock.setTimer(ms, next)
  }

  #refuse(): Promise<never> {
    if (this.#state === 'closed') return Promise.reject(new EngineClosedError())
    // What a dead process still calls stays open for ever, like all that it had under way.
    return new Promise(() => undefined)
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'ended') return new Promise(() => undefined)
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        const stalledMs = this.#stalledUntilMs - this.clock.monotonicMs()
        if (stalledMs > 0) {
          stopTimer()
          stopTimer = this.world.clock.setTimer(stalledMs, wake)
          return
        }
        cancel()
        this.#sleeps.delete(cancel)
        resolve()
      }
      let stopTimer = this.world.clock.setTimer(ms, wake)
      const cancel = (): void => {
        stopTimer()
        signal?.removeEventListener('abort', wake)
      }
      this.#sleeps.add(cancel)
      manyWaiters(signal)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }
}

function throwIt(error: unknown): never {
  throw error
}
