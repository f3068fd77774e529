import type { QueueStatus, SubscriptionStatus } from '../operate/operations.ts'
import type { ThrottledCounts } from '../ports/log.ts'
import { Exposition } from './exposition.ts'
import type { SubscriptionMetrics } from './subscription-metrics.ts'

export interface SubscriptionSource {
  readonly status: SubscriptionStatus
  readonly metrics: SubscriptionMetrics
  readonly abandoned: number
  /** Starts refused by limit; absent where nothing but `concurrency` protects. */
  readonly refused?: Readonly<Record<string, number>>
}

export interface MetricsSource {
  readonly subscriptions: readonly SubscriptionSource[]
  readonly appended: ReadonlyMap<string, { readonly records: number; readonly failed: number }>
  readonly sent: ReadonlyMap<string, { readonly records: number; readonly failed: number }>
  readonly queues: readonly QueueStatus[]
  readonly logReads: number
  /** Of these, those that the limits of their stream refused. */
  readonly throttledReads: number
  /** By anybody, of streams with limits. */
  readonly throttled: readonly ThrottledCounts[]
  readonly engine: Readonly<Record<string, number>>
}

type Sample = (source: SubscriptionSource) => number

const COUNTERS: readonly (readonly [name: string, help: string, value: Sample])[] = [
  [
    'eddy_retries_total',
    'Handler calls that were not the first of their event.',
    ({ metrics }) => metrics.retries,
  ],
  [
    'eddy_diverted_total',
    'Events that went to wait behind a failing one.',
    ({ metrics }) => metrics.diverted,
  ],
  ['eddy_filtered_total', 'Events that the filter passed over.', ({ metrics }) => metrics.filtered],
  [
    'eddy_copies_dropped_total',
    'Second sendings of a record, dropped before the handler.',
    ({ metrics }) => metrics.copies,
  ],
  [
    'eddy_strays_dropped_total',
    "Records of aggregates outside their shard's hash range, which their producer sends again.",
    ({ metrics }) => metrics.strays,
  ],
  ['eddy_skipped_total', 'Events found resolved when read again.', ({ metrics }) => metrics.skipped],
  [
    'eddy_late_results_total',
    'Results ignored since somebody else had the event.',
    ({ metrics }) => metrics.lateResults,
  ],
  [
    'eddy_raced_releases_total',
    'Releases of a key that had to look again.',
    ({ metrics }) => metrics.racedReleases,
  ],
  [
    'eddy_expired_records_total',
    'Records removed by retention before they were read.',
    ({ metrics }) => metrics.expired,
  ],
]

const GAUGES: readonly (readonly [name: string, help: string, value: Sample])[] = [
  ['eddy_in_flight', 'Handlers under way.', ({ status }) => status.inFlight],
  ['eddy_abandoned_handlers', 'Timed-out handlers that never came back.', ({ abandoned }) => abandoned],
  ['eddy_retrying', 'Events that wait for a retry.', ({ status }) => status.retrying],
  ['eddy_held', 'Events that wait behind others or for a person.', ({ status }) => status.held],
  ['eddy_held_keys', 'Keys whose events wait.', ({ status }) => status.heldKeys],
  ['eddy_dead', 'Dead-lettered events.', ({ status }) => status.dead],
  ['eddy_paused', '1 while a person has paused the subscription.', ({ status }) => (status.paused ? 1 : 0)],
]

/** All metrics as Prometheus text. One metric's samples stand together, as the format wants. */
export function renderMetrics(source: MetricsSource): string {
  const out = new Exposition()
  for (const [stream, { records }] of source.appended) {
    out.counter('eddy_appended_total', 'Records appended by this process.', records, { stream })
  }
  for (const [stream, { failed }] of source.appended) {
    out.counter('eddy_append_failed_total', 'Records refused or not stored.', failed, { stream })
  }
  renderQueues(out, source)
  renderSubscriptions(out, source.subscriptions)
  renderBatches(out, source.subscriptions)
  out.counter('eddy_log_reads_total', 'Calls of the log for records.', source.logReads)
  renderThrottled(out, source)
  for (const [name, value] of Object.entries(source.engine))
    out.gauge(`eddy_engine_${snakeCase(name)}`, 'Reported by the engine.', value)
  return out.text()
}

/** Nothing while no stream's limits have refused anything. */
function renderThrottled(out: Exposition, { throttled, throttledReads }: MetricsSource): void {
  if (throttledReads > 0)
    out.counter(
      'eddy_log_reads_throttled_total',
      'Reads for subscriptions that the limits of a stream refused; each was made again.',
      throttledReads,
    )
  for (const { stream, entries } of throttled)
    out.counter('eddy_throttled_records_total', 'Records that the limits of their stream refused.', entries, {
      stream,
    })
  for (const { stream, reads } of throttled)
    out.counter('eddy_throttled_reads_total', 'Reads that the limits of their stream refused.', reads, {
      stream,
    })
}

function renderQueues(out: Exposition, { sent, queues }: Pick<MetricsSource, 'sent' | 'queues'>): void {
  for (const [queue, { records }] of sent) {
    out.counter('eddy_sent_total', 'Messages sent by this process, duplicates not counted.', records, {
      queue,
    })
  }
  for (const [queue, { failed }] of sent) {
    out.counter('eddy_send_failed_total', 'Messages refused or not stored.', failed, { queue })
  }
  for (const { name: queue, ready, inFlight, delayed } of queues) {
    for (const [state, count] of Object.entries({ ready, in_flight: inFlight, delayed })) {
      out.gauge('eddy_queue_messages', 'Messages not yet acknowledged.', count, { queue, state })
    }
  }
  for (const { name: queue, oldestAgeMs } of queues) {
    const help = 'How long ago the message that waits longest became due.'
    out.gauge('eddy_queue_oldest_age_seconds', help, oldestAgeMs / 1_000, { queue })
  }
}

function renderSubscriptions(out: Exposition, subscriptions: readonly SubscriptionSource[]): void {
  for (const { status } of subscriptions) {
    for (const shard of status.shards) {
      const labels = { subscription: status.name, shard: shard.shardId }
      out.gauge(
        'eddy_iterator_age_seconds',
        'Age of the oldest record that the live path is not done with.',
        shard.lagMs / 1_000,
        labels,
      )
    }
  }
  for (const { status, metrics } of subscriptions) {
    for (const [outcome, count] of Object.entries(metrics.handled)) {
      out.counter('eddy_handled_total', 'Deliveries by outcome.', count, {
        subscription: status.name,
        outcome,
      })
    }
  }
  for (const [name, help, value] of COUNTERS) {
    for (const entry of subscriptions)
      out.counter(name, help, value(entry), { subscription: entry.status.name })
  }
  for (const [name, help, value] of GAUGES) {
    for (const entry of subscriptions)
      out.gauge(name, help, value(entry), { subscription: entry.status.name })
  }
  renderProtection(out, subscriptions)
  for (const { status, metrics } of subscriptions) {
    const labels = { subscription: status.name }
    out.histogram(
      'eddy_retry_lateness_seconds',
      'How long after its due time a retry started.',
      metrics.retryLateness,
      0.001,
      labels,
    )
  }
}

const BREAKER_STATES = ['closed', 'ramping', 'probing', 'open']

/** Nothing for a subscription without `protect`. */
function renderProtection(out: Exposition, subscriptions: readonly SubscriptionSource[]): void {
  const guarded = subscriptions.flatMap(({ status, refused = {} }) =>
    status.protection === undefined ? [] : [{ ...status.protection, refused, subscription: status.name }],
  )
  for (const { state, subscription } of guarded)
    out.gauge(
      'eddy_breaker_state',
      '0 closed, 1 closed and ramping up, 2 probing, 3 open: nothing is started.',
      BREAKER_STATES.indexOf(state),
      { subscription },
    )
  for (const { refused, subscription } of guarded)
    for (const [limit, count] of Object.entries(refused))
      out.counter('eddy_starts_refused_total', 'Looks for a start that a limit refused.', count, {
        subscription,
        limit,
      })
  for (const { waitingRetries, subscription } of guarded)
    out.gauge('eddy_waiting_retries', 'Retries that are due and wait for their start.', waitingRetries, {
      subscription,
    })
  for (const { concurrency, subscription } of guarded)
    out.gauge('eddy_allowed_in_flight', 'Handlers at a time that are allowed now.', concurrency, {
      subscription,
    })
  for (const { ratePerSecond, subscription } of guarded)
    if (ratePerSecond !== undefined)
      out.gauge('eddy_allowed_rate', 'Handler calls a second that are allowed now.', ratePerSecond, {
        subscription,
      })
}

/** Only where events are handled in batches. */
function renderBatches(out: Exposition, subscriptions: readonly SubscriptionSource[]): void {
  for (const { status, metrics } of subscriptions) {
    if (metrics.batchSize.count === 0) continue
    const labels = { subscription: status.name }
    out.histogram('eddy_batch_events', 'Events in a call of a batch handler.', metrics.batchSize, 1, labels)
  }
}

/** Metric names hold no capitals by convention. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
