import type { SubscriptionMetrics } from '@eddy/core'
import type { Published } from './published.ts'

/** Of counters that only grow, what was added since they were last asked for: CloudWatch sums it up. */
export class AddedCounts {
  readonly #told = new Map<string, Published>()

  /** Without what did not grow. */
  of(subscription: string, metrics: SubscriptionMetrics): Published {
    const now = countsOf(metrics)
    const before = this.#told.get(subscription) ?? {}
    this.#told.set(subscription, now)
    const added = Object.entries(now)
      .map(([metric, value]) => [metric, value - (before[metric as keyof Published] ?? 0)] as const)
      .filter(([, value]) => value > 0)
    return Object.fromEntries(added)
  }
}

function countsOf({ handled, retries }: SubscriptionMetrics): Published {
  return {
    handled: handled.ok,
    failedAttempts: handled.retry + handled.dead + handled.held + handled.dropped,
    retries,
    deadLetters: handled.dead,
    dropped: handled.dropped,
  }
}
