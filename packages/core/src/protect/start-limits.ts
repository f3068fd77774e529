import type { ProtectPolicy, RetryBudgetPolicy } from '../model/protect.ts'
import { rampedRate } from './ramp.ts'
import { RetryBudget } from './retry-budget.ts'
import { StartRate } from './start-rate.ts'

/**
 * What a start of the handler is: the first attempt of its event, a retry by policy, or the attempt that a person asked
 * for. The last has a rate of its own where it was asked for, and costs no retry.
 */
export type StartKind = 'first' | 'retry' | 'asked'

/** What refuses a start. */
export type Limit = 'breaker' | 'rate' | 'retry-rate' | 'retry-budget'

/** The three rates of a subscription's starts, and how they combine. All times are monotonic. */
export class StartLimits {
  readonly #rate = new StartRate()
  readonly #retryRate = new StartRate()
  readonly #budget = new RetryBudget()

  /** When the start may be; in the past: now. @param share - of the full rates, within a ramp */
  startableAtMs(kind: StartKind, nowMs: number, protect: ProtectPolicy, share: number): number {
    let atMs = Number.NEGATIVE_INFINITY
    for (const limit of ['rate', 'retry-rate', 'retry-budget'] as const)
      atMs = Math.max(atMs, this.#atMsOf(limit, kind, nowMs, protect, share))
    return atMs
  }

  /** Which limit refuses a start now, if one does. */
  refusing(kind: StartKind, nowMs: number, protect: ProtectPolicy, share: number): Limit | undefined {
    for (const limit of ['rate', 'retry-rate', 'retry-budget'] as const)
      if (this.#atMsOf(limit, kind, nowMs, protect, share) > nowMs) return limit
    return undefined
  }

  /** Counts a start that nothing refuses. */
  take(kind: StartKind, nowMs: number, protect: ProtectPolicy, share: number): void {
    const { ratePerSecond, retryRatePerSecond, retryBudget } = protect
    if (ratePerSecond !== undefined) this.#rate.take(nowMs, rampedRate(ratePerSecond, share))
    if (kind === 'first' && retryBudget !== undefined) this.#budget.deposit(nowMs, retryBudget)
    if (kind !== 'retry') return
    if (retryRatePerSecond !== undefined) this.#retryRate.take(nowMs, rampedRate(retryRatePerSecond, share))
    if (retryBudget !== undefined) this.#budget.take(nowMs, retryBudget)
  }

  /** First attempts beside the one that a start was counted for: one call of the handler has them all. */
  takeAlong(attempts: number, nowMs: number, { retryBudget }: ProtectPolicy): void {
    if (retryBudget !== undefined) this.#budget.deposit(nowMs, retryBudget, attempts)
  }

  /** A counted start that did not come about. */
  giveBack(kind: StartKind, protect: ProtectPolicy, share: number): void {
    const { ratePerSecond, retryRatePerSecond, retryBudget } = protect
    if (ratePerSecond !== undefined) this.#rate.giveBack(rampedRate(ratePerSecond, share))
    if (kind === 'first' && retryBudget !== undefined) this.#budget.withdraw(retryBudget)
    if (kind !== 'retry') return
    if (retryRatePerSecond !== undefined) this.#retryRate.giveBack(rampedRate(retryRatePerSecond, share))
    if (retryBudget !== undefined) this.#budget.giveBack()
  }

  /** Retries a second that can be counted on now. */
  retriesPerSecond(nowMs: number, protect: ProtectPolicy, share: number): number {
    const { ratePerSecond = Number.POSITIVE_INFINITY, retryRatePerSecond, retryBudget } = protect
    const rate = Math.min(ratePerSecond, retryRatePerSecond ?? ratePerSecond)
    const ramped = rampedRate(rate, share)
    if (retryBudget === undefined) return ramped
    const credits = this.#budget.credits(nowMs, retryBudget)
    return Math.min(ramped, retryBudget.minPerSecond + (credits * 1_000) / retryBudget.expireMs)
  }

  /** Retries that first attempts have paid for. */
  credits(nowMs: number, policy: RetryBudgetPolicy): number {
    return this.#budget.credits(nowMs, policy)
  }

  /** The rates are others now: waits by the old ones are void. */
  ratesChanged(): void {
    this.#rate.reset()
    this.#retryRate.reset()
  }

  #atMsOf(
    limit: Exclude<Limit, 'breaker'>,
    kind: StartKind,
    nowMs: number,
    protect: ProtectPolicy,
    share: number,
  ): number {
    const { ratePerSecond, retryRatePerSecond, retryBudget } = protect
    const never = Number.NEGATIVE_INFINITY
    if (limit === 'rate')
      return ratePerSecond === undefined ? never : this.#rate.startableAtMs(rampedRate(ratePerSecond, share))
    if (kind !== 'retry') return never
    if (limit === 'retry-rate')
      return retryRatePerSecond === undefined
        ? never
        : this.#retryRate.startableAtMs(rampedRate(retryRatePerSecond, share))
    return retryBudget === undefined ? never : this.#budget.startableAtMs(nowMs, retryBudget)
  }
}
