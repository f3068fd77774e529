import type { Clock } from '../ports/clock.ts'
import { Deadlines } from './deadlines.ts'
import type { CallOnThread } from './handler-threads.ts'
import { type Abortable, RunningCall } from './running-call.ts'
import { ThreadedCall } from './threaded-call.ts'

export interface HandlerStats {
  /** Handlers under way. */
  running: number
  /** Timed-out handlers that never came back. */
  abandoned: number
}

/** What bounds the calls of one subscription's handler: their time, and the end of the process. */
export class RunningCalls {
  readonly stats: HandlerStats = { running: 0, abandoned: 0 }
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #running = new Set<RunningCall | ThreadedCall>()
  #stopped = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#deadlines = new Deadlines(clock)
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  /**
   * Bounds a call that has answered with a promise.
   *
   * @returns true when the process stopped before the call was done; rejects with what the handler throws, or its
   * timeout
   */
  follow(context: Abortable, answer: PromiseLike<unknown>, timeoutMs: number): Promise<boolean> {
    const call = new RunningCall(context, timeoutMs, this.#clock, this.stats, () => this.#ended(call))
    this.#begun(call)
    // A thenable of somebody else's may settle twice, or settle and throw: a promise of it counts the first.
    return call.follow(Promise.resolve(answer))
  }

  /** The same for a call that another thread makes. Rejects with NotStarted, too. */
  followThread(onThread: CallOnThread, timeoutMs: number): Promise<boolean> {
    const call = new ThreadedCall(onThread, timeoutMs, this.#clock, this.stats, () => this.#ended(call))
    this.#begun(call)
    return call.follow()
  }

  /** Aborts what is running; later calls are not to begin. */
  stop(): void {
    this.#stopped = true
    for (const call of this.#running) call.stop()
    this.#deadlines.close()
  }

  #begun(call: RunningCall | ThreadedCall): void {
    this.#deadlines.add(call)
    this.#running.add(call)
  }

  #ended(call: RunningCall | ThreadedCall): void {
    this.#deadlines.remove(call)
    this.#running.delete(call)
  }
}
