import { METRIC_DIMENSIONS, METRIC_NAMES, METRIC_NAMESPACE } from '../resources/index.ts'
import { type PublishMetrics, unitOf } from './published.ts'

/** Lines of the CloudWatch embedded metric format, of which CloudWatch Logs makes metrics. */
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
