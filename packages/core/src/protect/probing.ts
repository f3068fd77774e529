import type { BreakerPolicy } from '../model/protect.ts'
import type { HandlerOutcome } from './handler-outcome.ts'

/** As many failures, and no success, are enough to know. */
const ENOUGH_FAILED = 5

/**
 * What a breaker's probing has found out. An event counts once: one that fails whatever the downstream does must not
 * fill the window, nor use up its attempts on it.
 */
export class Probing {
  readonly #seen = new Set<string>()
  readonly #failedEvents = new Set<string>()
  #count = 0
  #failed = 0
  #lastMs: number | undefined
  #lastError: string | undefined

  get count(): number {
    return this.#count
  }

  /** By their positions. */
  get failedEvents(): ReadonlySet<string> {
    return this.#failedEvents
  }

  get failed(): number {
    return this.#failed
  }

  /** When the last outcome came. */
  get lastMs(): number | undefined {
    return this.#lastMs
  }

  /** True for an event that failed as a probe: it waits for the verdict. */
  hasFailed(position: string): boolean {
    return this.#failedEvents.has(position)
  }

  add(outcome: HandlerOutcome, nowMs: number): void {
    this.#lastMs = nowMs
    if (this.#seen.has(outcome.position)) return
    this.#seen.add(outcome.position)
    this.#count += 1
    if (outcome.ok) return
    this.#failedEvents.add(outcome.position)
    this.#failed += 1
    this.#lastError = `${outcome.errorType}: ${outcome.message}`
  }

  verdict(policy: BreakerPolicy): 'passed' | 'failed' | undefined {
    const { probes, ratio } = policy
    if (this.#failed >= ratio * probes) return 'failed'
    if (this.#failed === this.#count && this.#count >= ENOUGH_FAILED) return 'failed'
    return this.#count >= probes ? 'passed' : undefined
  }

  /** So far. */
  isFailing({ ratio }: BreakerPolicy): boolean {
    return this.#count > 0 && this.#failed >= ratio * this.#count
  }

  /** What failed may be tried again; what was found out stands. */
  tryAllAgain(): void {
    this.#failedEvents.clear()
  }

  reason(): string | undefined {
    if (this.#lastError === undefined) return undefined
    return `${this.#failed} of ${this.#count} probes failed: ${this.#lastError}`.slice(0, 500)
  }
}
