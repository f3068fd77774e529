import type { HandlerThreads, Logger, ThreadCall } from '@eddy/core'
import { packageFolder } from '../package-folder.ts'
import { clockMs } from './call-states.ts'
import { HandlerThread } from './handler-thread.ts'
import { PoolCall } from './pool-call.ts'

export interface ThreadPoolOptions {
  readonly appFile: string
  readonly subscription: string
  /** Threads of this subscription. */
  readonly threads: number
  readonly logger: Logger
}

/** A thread is sent about this much work ahead, so that it need not wait for its owner between two calls. */
const AHEAD_MS = 10
const MAX_AHEAD = 128
/** Weight of the latest call in the mean time that calls keep a thread busy. */
const WEIGHT = 0.1
/** While calls wait it is looked after them this often. */
const LOOK_MS = 20
/** While both wait, every fourth call is a retry's, as with slots: live first, and retries cannot starve. */
const LIVE_PER_RETRY = 3
const MIN_RESPAWN_MS = 100
const MAX_RESPAWN_MS = 5_000

/**
 * The threads of one subscription. Calls are sent in batches, a few milliseconds of work ahead; what waits behind a
 * long call is taken back and given to a thread that is idle.
 */
export class ThreadPool implements HandlerThreads {
  readonly #options: ThreadPoolOptions
  readonly #threads: HandlerThread[] = []
  readonly #live: PoolCall[] = []
  readonly #retries: PoolCall[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #liveInARow = 0
  #busyMs = AHEAD_MS
  #isPumpDue = false
  #isLooking = false
  #isClosed = false

  private constructor(options: ThreadPoolOptions) {
    this.#options = options
  }

  /** @throws what loading the application file in a thread throws */
  static async start(options: ThreadPoolOptions): Promise<ThreadPool> {
    const pool = new ThreadPool(options)
    try {
      for (let index = 0; index < options.threads; index += 1) pool.#spawn(index, 0)
      await Promise.all(pool.#threads.map(({ ready }) => ready))
      return pool
    } catch (error) {
      await pool.close()
      throw error
    }
  }

  call(request: ThreadCall): PoolCall {
    const call = new PoolCall(request)
    if (this.#isClosed) call.refuse()
    else this.#enqueue(call)
    return call
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const call of [...this.#live.splice(0), ...this.#retries.splice(0)]) call.refuse()
    await Promise.all(this.#threads.map((thread) => thread.end()))
  }

  #enqueue(call: PoolCall): void {
    if (call.call.startWithinMs === undefined) this.#live.push(call)
    else this.#retries.push(call)
    this.#pumpSoon()
  }

  /** Calls that are made in one turn of the loop go in one message. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    queueMicrotask(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  #pump(): void {
    const ahead = Math.min(MAX_AHEAD, Math.max(1, Math.floor(AHEAD_MS / this.#busyMs)))
    const loads = this.#threads.map((thread) => ({
      thread,
      calls: [] as PoolCall[],
      room: Math.min(thread.room, ahead - thread.unbegun),
    }))
    while (this.#waiting > 0) {
      const emptiest = loads.reduce((best, load) => (load.room > best.room ? load : best))
      if (emptiest.room <= 0) break
      emptiest.calls.push(this.#shift())
      emptiest.room -= 1
    }
    for (const { thread, calls } of loads) if (calls.length > 0) thread.assign(calls)
    this.#lookLater()
  }

  get #waiting(): number {
    return this.#live.length + this.#retries.length
  }

  #shift(): PoolCall {
    const isRetry =
      this.#live.length === 0 || (this.#retries.length > 0 && this.#liveInARow >= LIVE_PER_RETRY)
    this.#liveInARow = isRetry ? 0 : this.#liveInARow + 1
    return (isRetry ? this.#retries : this.#live).shift() as PoolCall
  }

  /** Nothing tells when a thread goes on, or is stuck: while calls wait, it is looked. */
  #lookLater(): void {
    if (this.#isLooking || this.#isClosed) return
    const before = this.#threads.map(({ next }) => next)
    if (this.#waiting === 0 && before.every((next) => next === undefined)) return
    this.#isLooking = true
    this.#later(LOOK_MS, () => {
      this.#isLooking = false
      this.#look(before)
    })
  }

  #look(before: readonly (number | undefined)[]): void {
    const nowMs = clockMs()
    const isLate = (call: PoolCall): boolean => call.startByMs <= nowMs
    const late = [
      ...this.#retries.filter(isLate),
      ...this.#threads.flatMap((thread) => thread.takeBack(isLate)),
    ]
    this.#retries.splice(0, this.#retries.length, ...this.#retries.filter((call) => !isLate(call)))
    for (const call of late) call.refuse()
    const isAnyIdle = this.#threads.some((thread) => thread.room > 0 && thread.unbegun === 0)
    if (isAnyIdle && this.#waiting === 0) {
      // What stays next in line since the last look is behind a long call.
      const stuck = this.#threads.filter(({ next }, index) => next !== undefined && next === before[index])
      for (const call of stuck.flatMap((thread) => thread.takeBack())) this.#enqueue(call)
    }
    this.#pump()
  }

  #spawn(index: number, waitedMs: number): void {
    const startedMs = clockMs()
    const { appFile, subscription, logger } = this.#options
    this.#threads[index] = new HandlerThread({
      module: MODULE,
      appFile,
      subscription,
      onRoom: (busyMs) => {
        for (const ms of busyMs) this.#busyMs += (ms - this.#busyMs) * WEIGHT
        this.#pumpSoon()
      },
      onExit: (reason, handedBack, failedCalls) => {
        for (const call of handedBack) this.#enqueue(call)
        if (this.#isClosed) return
        // One that dies at once dies again: ever longer waits.
        const livedMs = clockMs() - startedMs
        const waitMs = livedMs > MAX_RESPAWN_MS ? 0 : Math.min(MAX_RESPAWN_MS, waitedMs * 2 + MIN_RESPAWN_MS)
        logger.error(
          {
            subscription,
            reason: `${reason.name}: ${reason.message}`,
            stack: reason.stack,
            failedCalls,
            waitMs,
          },
          'a handler thread ended: the events that it was running count as failed, and a new thread is started',
        )
        this.#later(waitMs, () => this.#spawn(index, waitMs))
      },
    })
    void this.#threads[index].ready.then(
      () => this.#pumpSoon(),
      () => {},
    )
  }

  #later(waitMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#isClosed) then()
    }, waitMs)
    this.#timers.add(timer)
  }
}

/** A worker thread starts from JavaScript: where this runs from its sources, from what is built of them. */
const MODULE: URL = new URL('dist/threads/thread-main.js', packageFolder)
