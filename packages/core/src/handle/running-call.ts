import { HandlerTimeoutError } from '../errors/handler-errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Expirable } from './deadlines.ts'

/** What a call's end is told to: the context that its handler has. */
export interface Abortable {
  abort(reason: Error): void
}

/** How long a handler whose time is up may take to notice its signal before its slot is given to another event. */
export const ABANDON_AFTER_MS = 5_000

/** A call of a handler that has answered with a promise: it ends with the promise, at its deadline, or with the process. */
export class RunningCall implements Expirable {
  readonly deadlineMs: number
  readonly #context: Abortable
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #stats: { abandoned: number }
  readonly #onEnd: () => void
  #returned: Promise<unknown> | undefined
  #resolve: (stopped: boolean) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  /** @param onEnd - called when the call has ended; again when the handler comes back later */
  constructor(
    context: Abortable,
    timeoutMs: number,
    clock: Clock,
    stats: { abandoned: number },
    onEnd: () => void,
  ) {
    this.deadlineMs = clock.monotonicMs() + timeoutMs
    this.#context = context
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    this.#stats = stats
    this.#onEnd = onEnd
  }

  /** Resolves with true when the process stopped first; rejects with what the handler throws, or its timeout. */
  follow(returned: Promise<unknown>): Promise<boolean> {
    this.#returned = returned
    return new Promise<boolean>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      returned.then(
        () => {
          // A result after the deadline counts as failed; `expire` says so.
          if (this.#clock.monotonicMs() < this.deadlineMs) this.#end(false)
        },
        (error) => this.#fail(error),
      )
    })
  }

  stop(): void {
    this.#context.abort(new Error('the process is stopping'))
    this.#end(true)
  }

  expire(): void {
    const error = new HandlerTimeoutError(this.#timeoutMs)
    this.#context.abort(error)
    void this.#abandon(error)
  }

  #end(stopped: boolean): void {
    this.#onEnd()
    this.#resolve(stopped)
  }

  #fail(error: unknown): void {
    this.#onEnd()
    this.#reject(error)
  }

  /** Waits for the handler to notice, so that its next attempt does not run beside it; then gives up on it. */
  async #abandon(error: Error): Promise<void> {
    const stop = new AbortController()
    let settled = false
    const settle = (): void => {
      settled = true
      stop.abort()
    }
    this.#returned?.then(settle, settle)
    await this.#clock.sleep(ABANDON_AFTER_MS, stop.signal)
    if (!settled) this.#stats.abandoned += 1
    this.#fail(error)
  }
}
