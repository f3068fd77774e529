import { ShardBudget } from './shard-budget.ts'
import { ThrottleCounts } from './throttle-counts.ts'

/** Budgets in use at a time (I6); beyond it those go that are like new ones. */
const MAX_BUDGETS = 10_000

/** What is left of the limits of all shards of a log. Processes that share a log share it. */
export class ShardBudgets {
  /** What was refused for want of a budget. */
  readonly throttled: ThrottleCounts = new ThrottleCounts()
  readonly #budgets = new Map<string, ShardBudget>()

  /** @param streamId - a stream that was created anew begins anew */
  of(streamId: string, shardId: string, nowMs: number): ShardBudget {
    const name = `${streamId}/${shardId}`
    const known = this.#budgets.get(name)
    if (known !== undefined) return known
    if (this.#budgets.size >= MAX_BUDGETS) this.#forget(nowMs)
    const budget = new ShardBudget()
    this.#budgets.set(name, budget)
    return budget
  }

  get size(): number {
    return this.#budgets.size
  }

  #forget(nowMs: number): void {
    for (const [name, budget] of this.#budgets) if (budget.isUntouched(nowMs)) this.#budgets.delete(name)
    const [oldest] = this.#budgets.keys()
    if (this.#budgets.size >= MAX_BUDGETS && oldest !== undefined) this.#budgets.delete(oldest)
  }
}
