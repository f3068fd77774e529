import { LivePath } from '../consume/live-path.ts'
import { HandOver } from '../fail/hand-over.ts'
import { LaneDrain } from '../fail/lane-drain.ts'
import { Requeue } from '../fail/requeue.ts'
import { RetryPath } from '../fail/retry-path.ts'
import { ShardGate } from '../fail/shard-gate.ts'
import { TokenUse } from '../fail/token-use.ts'
import type { Reading } from '../lease/reading.ts'
import type { SubscriptionParts } from '../runtime/subscription-parts.ts'

/** Kept of the time at the end: to write down what is left … */
export const RESERVE_MS = 2_000
/** … and to answer, whatever storage does. */
const ANSWER_MS = 500
/** A lane whose last event is on its way into the ledger: its reader may have died, and comes again after a while. */
const SOON_MS = 5_000

export interface InvocationOptions {
  /** Ends the invocation's steps of storage. */
  readonly over: AbortController
  /** On the monotonic clock. */
  readonly deadlineMs: number
  readonly pass: number
  readonly epoch: number
}

/** The phases of a subscription for the length of one invocation. `end` it, whatever became of it. */
export class Invocation {
  readonly parts: SubscriptionParts
  /** On the monotonic clock: the process may be ended then. */
  readonly deadlineMs: number
  readonly pass: number
  readonly reading: Reading
  readonly livePath: LivePath
  readonly tokenUse: TokenUse
  readonly requeue: Requeue
  readonly handOver: HandOver
  readonly drain: LaneDrain
  readonly gate: ShardGate
  readonly #over: AbortController

  constructor(parts: SubscriptionParts, { over, deadlineMs, pass, epoch }: InvocationOptions) {
    this.parts = parts
    this.deadlineMs = deadlineMs
    this.pass = pass
    this.#over = over
    this.reading = { epoch, isOver: () => over.signal.aborted }
    const retryPath = new RetryPath(parts)
    this.drain = new LaneDrain(parts, retryPath)
    this.gate = new ShardGate(parts, this.drain)
    this.handOver = new HandOver(parts)
    this.livePath = new LivePath(parts, this.gate)
    this.tokenUse = new TokenUse(parts, retryPath, this.drain, SOON_MS)
    this.requeue = new Requeue(parts, this.gate, this.drain)
    void this.#endInTime()
  }

  /** When the last writes must be under way, on the monotonic clock. */
  get closesAtMs(): number {
    return this.deadlineMs - RESERVE_MS
  }

  /** Storage that does not answer is waited for no longer than there is time to say so. */
  async #endInTime(): Promise<void> {
    if (this.deadlineMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.parts.engine
    await clock.sleep(Math.max(0, this.deadlineMs - ANSWER_MS - clock.monotonicMs()), this.#over.signal)
    this.end()
  }

  /** Nothing is written from here on: what still runs is of a process that may be frozen, and thawed much later. */
  end(): void {
    this.#over.abort()
  }
}
