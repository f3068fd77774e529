import type { Clock, Logger, SubscriptionFigures } from '@eddy/core'
import { AddedCounts } from './added-counts.ts'
import type { Published, PublishMetrics } from './published.ts'

export interface WorkerMetricsOptions {
  /** `Runtime.figures`. */
  readonly figures: () => Promise<readonly SubscriptionFigures[]>
  readonly publish: PublishMetrics
  readonly clock: Clock
  readonly logger: Logger
}

/** The resolution of a metric of CloudWatch. */
const EVERY_MS = 60_000

/**
 * Tells once a minute what a worker counted and what it sees. Counts are each worker's own, and their sum is the
 * application's. What waits in the ledger is told by the one worker that sweeps for all, and always, 0 too: where nobody
 * tells it nobody sweeps, and that shows.
 */
export class WorkerMetrics {
  readonly #options: WorkerMetricsOptions
  readonly #added = new AddedCounts()
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>

  constructor(options: WorkerMetricsOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  /** Tells the counts since the last time, once the runtime has stopped. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
    await this.#tell()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal)
      if (!signal.aborted) await this.#tell()
    }
  }

  async #tell(): Promise<void> {
    const { figures, publish, logger } = this.#options
    try {
      for (const one of await figures()) {
        const all = { ...this.#added.of(one.subscription, one.metrics), ...standing(one) }
        if (Object.keys(all).length > 0) publish(one.subscription, all)
      }
    } catch (error) {
      logger.warn({ reason: String(error) }, 'metrics were not told and are in the next minute')
    }
  }
}

function standing({ lagMs, waiting }: SubscriptionFigures): Published {
  return {
    ...(waiting?.heldKeys !== undefined && { heldKeys: waiting.heldKeys }),
    ...(waiting !== undefined && { oldestRetry: seconds(waiting.oldestWaitMs) }),
    ...(lagMs !== undefined && { lag: seconds(lagMs) }),
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000)
}
