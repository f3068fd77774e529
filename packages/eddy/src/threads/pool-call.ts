import { type CallOnThread, NotStarted, type ThreadCall } from '@eddy/core'
import { clockMs } from './call-states.ts'
import type { HandlerThread } from './handler-thread.ts'
import type { Answer } from './messages.ts'
import { fromWire } from './wire-error.ts'

/** A call on its way: waiting in the pool, with a thread, settled. */
export class PoolCall implements CallOnThread {
  readonly call: ThreadCall
  readonly answer: Promise<unknown>
  /** Not to be begun later, on `clockMs`. */
  readonly startByMs: number
  #thread: HandlerThread | undefined
  #id = 0
  #ranMs: number | undefined
  #resolve: (value: unknown) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  constructor(call: ThreadCall) {
    this.call = call
    this.startByMs =
      call.startWithinMs === undefined ? Number.POSITIVE_INFINITY : clockMs() + call.startWithinMs
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  ranMs(): number | undefined {
    return this.#ranMs ?? this.#thread?.ranMs(this.#id)
  }

  abort(reason: Error): void {
    this.#thread?.abort(this.#id, reason)
  }

  abandon(): void {
    this.#thread?.abandon(this.#id)
  }

  assigned(thread: HandlerThread, id: number): void {
    this.#thread = thread
    this.#id = id
  }

  /** It has not begun and is to be given to a thread again. */
  takenBack(): void {
    this.#thread = undefined
  }

  settle(answer: Answer, ranMs: number): void {
    this.#ranMs = ranMs
    if (answer.ok) this.#resolve(answer.value)
    else this.#reject(fromWire(answer.error))
  }

  fail(reason: unknown): void {
    this.#ranMs = this.ranMs()
    this.#thread = undefined
    this.#reject(reason)
  }

  refuse(): void {
    this.fail(new NotStarted('no thread was free in time'))
  }
}
