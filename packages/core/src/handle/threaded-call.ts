import { HandlerTimeoutError } from '../errors/handler-errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Expirable } from './deadlines.ts'
import type { CallOnThread } from './handler-threads.ts'
import { ABANDON_AFTER_MS } from './running-call.ts'

/**
 * A call that another thread makes: it ends with its answer, at its deadline, or with the process. Its time counts from
 * when the thread has begun it.
 */
export class ThreadedCall implements Expirable {
  readonly deadlineMs: number
  readonly #onThread: CallOnThread
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #stats: { abandoned: number }
  readonly #onEnd: () => void
  /** Made when something is waited for: most calls end in time. */
  #ended: AbortController | undefined
  #isOver = false
  #resolve: (stopped: boolean) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  /** @param onEnd - called when the call has ended */
  constructor(
    onThread: CallOnThread,
    timeoutMs: number,
    clock: Clock,
    stats: { abandoned: number },
    onEnd: () => void,
  ) {
    this.deadlineMs = clock.monotonicMs() + timeoutMs
    this.#onThread = onThread
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    this.#stats = stats
    this.#onEnd = onEnd
  }

  /** Resolves with true when the process stopped first; rejects with what the handler throws, its timeout, or NotStarted. */
  follow(): Promise<boolean> {
    return new Promise<boolean>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#onThread.answer.then(
        () => (this.#leftMs() > 0 ? this.#end(false) : this.#fail(new HandlerTimeoutError(this.#timeoutMs))),
        (error) => this.#fail(error),
      )
    })
  }

  stop(): void {
    this.#onThread.abort(new Error('the process is stopping'))
    this.#end(true)
  }

  /** The time is up if the thread began at once; it may have been busy. */
  expire(): void {
    void this.#expire()
  }

  async #expire(): Promise<void> {
    this.#ended = new AbortController()
    const { signal } = this.#ended
    for (let leftMs = this.#leftMs(); leftMs > 0; leftMs = this.#leftMs()) {
      await this.#clock.sleep(leftMs, signal)
      if (this.#isOver) return
    }
    const error = new HandlerTimeoutError(this.#timeoutMs)
    this.#onThread.abort(error)
    // Waits for the handler to notice, so that its next attempt does not run beside it; then gives up on it.
    await this.#clock.sleep(ABANDON_AFTER_MS, signal)
    if (this.#isOver) return
    this.#stats.abandoned += 1
    this.#onThread.abandon()
    this.#fail(error)
  }

  #leftMs(): number {
    return this.#timeoutMs - (this.#onThread.ranMs() ?? 0)
  }

  #end(stopped: boolean): void {
    this.#over()
    this.#resolve(stopped)
  }

  #fail(error: unknown): void {
    this.#over()
    this.#reject(error)
  }

  #over(): void {
    this.#isOver = true
    this.#ended?.abort()
    this.#onEnd()
  }
}
