import { isEddyError } from '../errors/eddy-error.ts'
import { PublishError } from '../errors/request-errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { SendOptions } from './batch-results.ts'
import type { StreamPlan } from './stream-plan.ts'

export interface PlanLoaderParts {
  readonly plan: StreamPlan
  readonly clock: Clock
  readonly options: SendOptions
  readonly needsShards: boolean
  readonly onKnown: () => void
  /** `ask` is to be called again at this time. */
  readonly onWait: (atMs: number) => void
  /** The log will not tell, or has not for too long. */
  readonly onRefused: (error: unknown) => void
}

/** Asks for a stream's limits and shards before its first record; a log that does not answer is asked again, after growing waits. */
export class PlanLoader {
  readonly #parts: PlanLoaderParts
  #isAsking = false
  #failures = 0
  #firstAskedMs = 0
  #nextMs = Number.NEGATIVE_INFINITY

  constructor(parts: PlanLoaderParts) {
    this.#parts = parts
  }

  ask(): void {
    if (this.#isAsking) return
    const { plan, clock, needsShards, onKnown, onWait } = this.#parts
    const nowMs = clock.monotonicMs()
    if (nowMs < this.#nextMs) {
      onWait(this.#nextMs)
      return
    }
    if (this.#failures === 0) this.#firstAskedMs = nowMs
    this.#isAsking = true
    void plan.load(needsShards).then(
      () => {
        this.#isAsking = false
        if (plan.isKnown(needsShards)) {
          this.#reset()
          onKnown()
        } else this.#failed(new PublishError(`stream "${plan.stream}" has no open shard`))
      },
      (error: unknown) => {
        this.#isAsking = false
        this.#failed(error)
      },
    )
  }

  #failed(error: unknown): void {
    const { clock, options, onRefused } = this.#parts
    const nowMs = clock.monotonicMs()
    if (isEddyError(error) && error.retryable && nowMs - this.#firstAskedMs < options.giveUpAfterMs) {
      this.#again(nowMs)
      return
    }
    this.#reset()
    onRefused(error)
  }

  #again(nowMs: number): void {
    const { clock, options, onWait } = this.#parts
    const longestMs = Math.min(options.maxDelayMs, options.initialDelayMs * 2 ** Math.min(this.#failures, 20))
    this.#failures += 1
    this.#nextMs = nowMs + clock.random() * longestMs
    onWait(this.#nextMs)
  }

  #reset(): void {
    this.#failures = 0
    this.#nextMs = Number.NEGATIVE_INFINITY
  }
}
