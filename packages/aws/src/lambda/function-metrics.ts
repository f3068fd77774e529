import type { Invocations, Swept } from '@eddy/core'
import { AddedCounts } from '../metrics/added-counts.ts'
import { embeddedMetrics } from '../metrics/embedded-metrics.ts'
import { type Published, type PublishMetrics, unitOf } from '../metrics/published.ts'
import { METRIC_DIMENSIONS, METRIC_NAMES, METRIC_NAMESPACE } from '../resources/index.ts'

/** Counters of a process's subscriptions, told to CloudWatch after each invocation: what was added since the last one. */
export class FunctionMetrics {
  readonly #invocations: Pick<Invocations, 'app' | 'metricsOf'>
  readonly #publish: PublishMetrics
  readonly #added = new AddedCounts()
  readonly #gauges = new Map<string, Published>()

  constructor(invocations: Pick<Invocations, 'app' | 'metricsOf'>, publish: PublishMetrics) {
    this.#invocations = invocations
    this.#publish = publish
  }

  /** What stands at the moment, to be told with the next counts. */
  saw(swept: readonly Swept[]): void {
    for (const { subscription, heldKeys, oldestWaitMs } of swept) {
      const oldestRetry = Math.round(oldestWaitMs / 1_000)
      this.#gauges.set(subscription, { ...(heldKeys !== undefined && { heldKeys }), oldestRetry })
    }
  }

  flush(): void {
    for (const { name } of this.#invocations.app.subscriptions) {
      const added = this.#added.of(name, this.#invocations.metricsOf(name))
      const all = { ...added, ...this.#gauges.get(name) }
      this.#gauges.delete(name)
      if (Object.keys(all).length > 0) this.#publish(name, all)
    }
  }
}

/** Through Powertools' metrics where they are installed, else as lines in the embedded metric format. */
export async function publishMetrics(application: string): Promise<PublishMetrics> {
  const powertools = await import('@aws-lambda-powertools/metrics').catch(() => undefined)
  if (powertools === undefined) {
    const write = (line: string): void => void process.stdout.write(`${line}\n`)
    return embeddedMetrics(application, () => Date.now(), write)
  }
  return (subscription, counts) => {
    const metrics = new powertools.Metrics({ namespace: METRIC_NAMESPACE, serviceName: application })
    const [ofApplication, ofSubscription] = METRIC_DIMENSIONS
    metrics.setDefaultDimensions({ [ofApplication]: application, [ofSubscription]: subscription })
    for (const [name, value] of Object.entries(counts))
      metrics.addMetric(METRIC_NAMES[name as keyof typeof METRIC_NAMES], unitOf(name), value)
    metrics.publishStoredMetrics()
  }
}
