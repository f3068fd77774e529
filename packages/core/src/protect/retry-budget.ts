import type { RetryBudgetPolicy } from '../model/protect.ts'
import { StartRate } from './start-rate.ts'

const SLICES = 10

/** What is short of a whole credit by the rounding of its parts. */
const ROUNDING = 1e-9

/**
 * How many retries first attempts pay for. Each first attempt brings a share of a credit, a retry costs one, and a
 * credit is void `expireMs` (and up to a tenth of it) after it was brought. Without a credit a retry may use the floor.
 *
 * So over any time T: retries ≤ share × first attempts within T and `1.1 × expireMs` before it + minPerSecond × (T + 0.1 s) + 1.
 */
export class RetryBudget {
  readonly #floor = new StartRate()
  /** Credits by the time that brought them; the slice of now is at `#newest`. */
  readonly #slices = new Float64Array(SLICES)
  #newest = 0
  #newestEndsMs = Number.NEGATIVE_INFINITY

  /** First attempts were started. */
  deposit(nowMs: number, { share, expireMs }: RetryBudgetPolicy, attempts = 1): void {
    this.#expire(nowMs, expireMs)
    this.#slices[this.#newest] = (this.#slices[this.#newest] as number) + share * attempts
  }

  /** A first attempt did not come about. */
  withdraw({ share }: RetryBudgetPolicy): void {
    this.#slices[this.#newest] = Math.max(0, (this.#slices[this.#newest] as number) - share)
  }

  /** When a retry may be started, should no first attempt come before; in the past: now. */
  startableAtMs(nowMs: number, policy: RetryBudgetPolicy): number {
    if (this.credits(nowMs, policy) >= 1 - ROUNDING) return nowMs
    return this.#floor.startableAtMs(policy.minPerSecond)
  }

  /** Counts a retry; called when `startableAtMs` is not later than now. */
  take(nowMs: number, policy: RetryBudgetPolicy): void {
    if (this.credits(nowMs, policy) < 1 - ROUNDING) {
      this.#floor.take(nowMs, policy.minPerSecond)
      return
    }
    // The oldest first: they expire first.
    let missing = 1
    for (let age = SLICES - 1; age >= 0 && missing > 0; age -= 1) {
      const index = (this.#newest + SLICES - age) % SLICES
      const taken = Math.min(missing, this.#slices[index] as number)
      this.#slices[index] = (this.#slices[index] as number) - taken
      missing -= taken
    }
  }

  /** A counted retry did not come about. */
  giveBack(): void {
    this.#slices[this.#newest] = (this.#slices[this.#newest] as number) + 1
  }

  /** Credits that are not void. */
  credits(nowMs: number, { expireMs }: RetryBudgetPolicy): number {
    this.#expire(nowMs, expireMs)
    let sum = 0
    for (const slice of this.#slices) sum += slice
    return sum
  }

  #expire(nowMs: number, expireMs: number): void {
    if (nowMs < this.#newestEndsMs) return
    const sliceMs = expireMs / SLICES
    const passed = Math.floor((nowMs - this.#newestEndsMs) / sliceMs) + 1
    if (passed >= SLICES) {
      this.#slices.fill(0)
      this.#newestEndsMs = nowMs + sliceMs
      return
    }
    for (let step = 0; step < passed; step += 1) {
      this.#newest = (this.#newest + 1) % SLICES
      this.#slices[this.#newest] = 0
    }
    this.#newestEndsMs += passed * sliceMs
  }
}
