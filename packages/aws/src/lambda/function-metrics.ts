import type { SubscriptionMetrics, Swept } from '@eddy/core'
import { METRIC_DIMENSIONS, METRIC_NAMES, METRIC_NAMESPACE } from '../resources/index.ts'

type Counts = Readonly<Partial<Record<keyof typeof METRIC_NAMES, number>>>

/** Takes what one invocation, or a minute of a worker, counted for one subscription. */
export type PublishMetrics = (subscription: string, counts: Counts) => void

/** Subscriptions of a process, and what it counted for each since it started. */
export interface Counted {
  readonly app: { readonly subscriptions: readonly { readonly name: string }[] }
  metricsOf(subscription: string): SubscriptionMetrics
}

/** Counters of a process's subscriptions, told to CloudWatch now and then: what was added since the last time. */
export class FunctionMetrics {
  readonly #counted: Counted
  readonly #publish: PublishMetrics
  readonly #told = new Map<string, Counts>()
  readonly #gauges = new Map<string, Counts>()

  constructor(counted: Counted, publish: PublishMetrics) {
    this.#counted = counted
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
    for (const { name } of this.#counted.app.subscriptions) {
      const now = countsOf(this.#counted.metricsOf(name))
      const before = this.#told.get(name) ?? {}
      const added = Object.entries(now)
        .map(([metric, value]) => [metric, value - (before[metric as keyof Counts] ?? 0)] as const)
        .filter(([, value]) => value > 0)
      this.#told.set(name, now)
      const all = { ...Object.fromEntries(added), ...this.#gauges.get(name) }
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

/** Lines of the CloudWatch embedded metric format. */
export function embeddedMetrics(
  application: string,
  nowMs: () => number,
  write: (line: string) => void,
): PublishMetrics {
  return (subscription, counts) => {
    const names = Object.keys(counts) as (keyof typeof METRIC_NAMES)[]
    const Metrics = names.map((name) => ({ Name: METRIC_NAMES[name], Unit: unitOf(name) }))
    const [ofApplication, ofSubscription] = METRIC_DIMENSIONS
    write(
      JSON.stringify({
        _aws: {
          Timestamp: nowMs(),
          CloudWatchMetrics: [{ Namespace: METRIC_NAMESPACE, Dimensions: [METRIC_DIMENSIONS], Metrics }],
        },
        [ofApplication]: application,
        [ofSubscription]: subscription,
        ...Object.fromEntries(names.map((name) => [METRIC_NAMES[name], counts[name]])),
      }),
    )
  }
}

function countsOf({ handled, retries }: SubscriptionMetrics): Counts {
  return {
    handled: handled.ok,
    failedAttempts: handled.retry + handled.dead + handled.held + handled.dropped,
    retries,
    deadLetters: handled.dead,
    dropped: handled.dropped,
  }
}

function unitOf(name: string): 'Seconds' | 'Count' {
  return name === 'oldestRetry' ? 'Seconds' : 'Count'
}
