import type { SubscriptionStatus } from '../operate/operations.ts'
import { Exposition } from './exposition.ts'
import type { SubscriptionMetrics } from './subscription-metrics.ts'

export interface MetricsSource {
  readonly subscriptions: readonly {
    readonly status: SubscriptionStatus
    readonly metrics: SubscriptionMetrics
    readonly abandoned: number
  }[]
  readonly appended: ReadonlyMap<string, { readonly records: number; readonly failed: number }>
  readonly logReads: number
  readonly engine: Readonly<Record<string, number>>
}

/** All metrics as Prometheus text. One metric's samples stand together, as the format wants. */
export function renderMetrics(source: MetricsSource): string {
  const out = new Exposition()
  for (const [stream, counts] of source.appended) {
    out.counter('eddy_appended_total', 'Records appended by this process.', counts.records, { stream })
  }
  for (const [stream, counts] of source.appended) {
    out.counter('eddy_append_failed_total', 'Records refused or not stored.', counts.failed, { stream })
  }
  const each = (
    render: (entry: MetricsSource['subscriptions'][number], labels: { subscription: string }) => void,
  ): void => {
    for (const entry of source.subscriptions) render(entry, { subscription: entry.status.name })
  }
  for (const { status } of source.subscriptions) {
    for (const shard of status.shards) {
      const labels = { subscription: status.name, shard: shard.shardId }
      out.gauge(
        'eddy_iterator_age_seconds',
        'Age of the oldest record that is not resolved.',
        shard.lagMs / 1_000,
        labels,
      )
    }
  }
  each(({ metrics }, labels) => {
    for (const [outcome, count] of Object.entries(metrics.handled)) {
      out.counter('eddy_handled_total', 'Deliveries by outcome.', count, { ...labels, outcome })
    }
  })
  each(({ metrics }, labels) =>
    out.counter(
      'eddy_retries_total',
      'Handler calls that were not the first of their event.',
      metrics.retries,
      labels,
    ),
  )
  each(({ metrics }, labels) =>
    out.counter(
      'eddy_diverted_total',
      'Events that went to wait behind a failing one.',
      metrics.diverted,
      labels,
    ),
  )
  each(({ metrics }, labels) =>
    out.counter('eddy_filtered_total', 'Events that the filter passed over.', metrics.filtered, labels),
  )
  each(({ metrics }, labels) =>
    out.counter('eddy_skipped_total', 'Events found resolved when read again.', metrics.skipped, labels),
  )
  each(({ metrics }, labels) =>
    out.counter(
      'eddy_late_results_total',
      'Results ignored since somebody else had the event.',
      metrics.lateResults,
      labels,
    ),
  )
  each(({ metrics }, labels) =>
    out.counter(
      'eddy_expired_records_total',
      'Records removed by retention before they were read.',
      metrics.expired,
      labels,
    ),
  )
  each(({ status }, labels) => out.gauge('eddy_in_flight', 'Handlers under way.', status.inFlight, labels))
  each(({ abandoned }, labels) =>
    out.gauge('eddy_abandoned_handlers', 'Timed-out handlers that never came back.', abandoned, labels),
  )
  each(({ status }, labels) =>
    out.gauge('eddy_retrying', 'Events that wait for a retry.', status.retrying, labels),
  )
  each(({ status }, labels) =>
    out.gauge('eddy_held', 'Events that wait behind others or for a person.', status.held, labels),
  )
  each(({ status }, labels) =>
    out.gauge('eddy_held_keys', 'Keys whose events wait.', status.heldKeys, labels),
  )
  each(({ status }, labels) => out.gauge('eddy_dead', 'Dead-lettered events.', status.dead, labels))
  each(({ status }, labels) =>
    out.gauge('eddy_paused', '1 while a person has paused the subscription.', status.paused ? 1 : 0, labels),
  )
  each(({ metrics }, labels) =>
    out.histogram(
      'eddy_retry_lateness_seconds',
      'How long after its due time a retry started.',
      metrics.retryLateness,
      0.001,
      labels,
    ),
  )
  out.counter('eddy_log_reads_total', 'Calls of the log for records.', source.logReads)
  for (const [name, value] of Object.entries(source.engine))
    out.gauge(`eddy_engine_${name}`, 'Reported by the engine.', value)
  return out.text()
}
