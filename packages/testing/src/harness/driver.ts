import type { VirtualClock } from '../clock/virtual-clock.ts'
import { NotSettledError } from './not-settled-error.ts'

/** Virtual time that one call of a harness may take. */
const MAX_CALL_MS = 3_600_000

/** Runs the virtual clock for as long as a promise is pending. */
export class Driver {
  readonly #clock: VirtualClock
  readonly #hasCrashed: () => boolean

  /** @param hasCrashed - true when the process is dead: what is pending stays so for ever */
  constructor(clock: VirtualClock, hasCrashed: () => boolean) {
    this.#clock = clock
    this.#hasCrashed = hasCrashed
  }

  /** @throws NotSettledError when the process crashes meanwhile, or after an hour of virtual time */
  async settle<T>(what: string, promise: Promise<T>): Promise<T> {
    let settled = false
    const done = (): void => {
      settled = true
    }
    promise.then(done, done)
    const limitMs = this.#clock.monotonicMs() + MAX_CALL_MS
    await this.#clock.runUntil(() => settled || this.#hasCrashed() || this.#clock.monotonicMs() > limitMs)
    if (settled) return await promise
    throw new NotSettledError(
      this.#hasCrashed()
        ? `${what} was cut off: the process crashed`
        : `${what} did not end within an hour of virtual time`,
    )
  }

  /** An object whose promises and iterations drive the clock, so that a test may simply await them. */
  driven<T extends object>(current: () => T): T {
    return new Proxy({} as T, {
      get: (_target, name) => {
        const target = current()
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: readonly unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, args)
          if (result instanceof Promise) return this.settle(String(name), result)
          return isAsyncIterable(result) ? this.#drivenIteration(String(name), result) : result
        }
      },
    })
  }

  async *#drivenIteration(what: string, items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const iterator = items[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.settle(what, iterator.next())
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
