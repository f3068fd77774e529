import type { Notice, NotifySink } from '../model/app.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from './logger.ts'

export interface NotifierOptions {
  readonly sinks: readonly NotifySink[]
  readonly clock: Clock
  readonly logger: Logger
  /** Notices waiting per sink, 1 or more; default 1,000. Over it the oldest is given up: counted and logged (I6, I9). */
  readonly maxQueued?: number
  /** A sink that takes longer for one notice counts as failed; default 60,000. */
  readonly sinkTimeoutMs?: number
}

export interface SinkStats {
  readonly sink: string
  readonly delivered: number
  readonly failed: number
  readonly dropped: number
  readonly queued: number
}

/**
 * Hands notices to every sink, one at a time and in order for each. A sink that is slow, throws or never answers
 * delays neither the caller nor another sink (I4).
 */
export class Notifier {
  readonly #lines: readonly SinkLine[]
  readonly #clock: Clock

  constructor(options: NotifierOptions) {
    this.#clock = options.clock
    this.#lines = options.sinks.map((sink) => new SinkLine(sink, options))
  }

  /** Takes the notice; never throws, never waits. */
  notify(notice: Notice): void {
    for (const line of this.#lines) line.add(notice)
  }

  stats(): readonly SinkStats[] {
    return this.#lines.map((line) => line.stats())
  }

  /** Waits until every sink has had its notices, at most `timeoutMs`. Later notices are still taken. */
  async drain(timeoutMs: number): Promise<void> {
    const stop = new AbortController()
    const idle = Promise.all(this.#lines.map((line) => line.idle()))
    await Promise.race([idle, this.#clock.sleep(timeoutMs, stop.signal)])
    stop.abort()
  }
}

class SinkLine {
  readonly #sink: NotifySink
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #maxQueued: number
  readonly #sinkTimeoutMs: number
  readonly #queue: Notice[] = []
  #pump: Promise<void> | undefined
  #delivered = 0
  #failed = 0
  #dropped = 0

  constructor(sink: NotifySink, options: NotifierOptions) {
    this.#sink = sink
    this.#clock = options.clock
    this.#logger = options.logger
    this.#maxQueued = options.maxQueued ?? 1_000
    this.#sinkTimeoutMs = options.sinkTimeoutMs ?? 60_000
  }

  add(notice: Notice): void {
    if (this.#queue.length >= this.#maxQueued) this.#dropOldest()
    this.#queue.push(notice)
    this.#pump ??= this.#run()
  }

  idle(): Promise<void> {
    return this.#pump ?? Promise.resolve()
  }

  stats(): SinkStats {
    return {
      sink: this.#sink.name,
      delivered: this.#delivered,
      failed: this.#failed,
      dropped: this.#dropped,
      queued: this.#queue.length,
    }
  }

  #dropOldest(): void {
    const lost = this.#queue.shift() as Notice
    this.#dropped += 1
    const { kind, subscription } = lost
    this.#logger.warn(
      { sink: this.#sink.name, kind, subscription, dropped: this.#dropped },
      'notice given up: the sink is slower than the notices',
    )
  }

  async #run(): Promise<void> {
    let notice = this.#queue.shift()
    while (notice !== undefined) {
      try {
        await this.#deliver(notice)
        this.#delivered += 1
      } catch (error) {
        this.#failed += 1
        this.#logger.warn(
          {
            sink: this.#sink.name,
            kind: notice.kind,
            subscription: notice.subscription,
            problem: problemOf(error),
          },
          'notice not delivered',
        )
      }
      notice = this.#queue.shift()
    }
    this.#pump = undefined
  }

  /** Async, so that a sink that throws at once rejects like any other. */
  async #deliver(notice: Notice): Promise<void> {
    const answer = this.#sink.notify(notice)
    // A sink that is done at once needs no clock beside it.
    if (answer === undefined) return
    const answered = new AbortController()
    const late = this.#clock.sleep(this.#sinkTimeoutMs, answered.signal).then(() => {
      if (!answered.signal.aborted) throw new Error(`no answer within ${this.#sinkTimeoutMs} ms`)
    })
    try {
      await Promise.race([answer, late])
    } finally {
      answered.abort()
    }
  }
}

function problemOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'not an Error'
  } catch {
    return 'not an Error'
  }
}
