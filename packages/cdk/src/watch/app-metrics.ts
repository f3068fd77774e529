import { METRIC_DIMENSIONS, METRIC_NAMES, METRIC_NAMESPACE } from '@eddy/aws/resources'
import { Duration } from 'aws-cdk-lib'
import { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Watched } from './watched.ts'

export const PERIOD: Duration = Duration.minutes(5)
type Statistic = 'Sum' | 'Maximum' | 'SampleCount'

/** What functions and workers say of a subscription themselves. */
export function eddyMetric(
  { name }: Pick<Watched, 'name'>,
  subscription: string,
  metric: keyof typeof METRIC_NAMES,
  statistic: Statistic,
): Metric {
  const [application, own] = METRIC_DIMENSIONS
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: METRIC_NAMES[metric],
    dimensionsMap: { [application]: name, [own]: subscription },
    statistic,
    period: PERIOD,
  })
}

/** How far behind a subscription of a stream is, and in which unit: functions have figures of Lambda, in milliseconds. */
export function lagMetric(
  watched: Pick<Watched, 'name' | 'functions'>,
  subscription: string,
): { readonly metric: Metric; readonly perSecond: number } {
  const live = watched.functions?.subscriptions.get(subscription)?.live
  if (live === undefined) return { metric: eddyMetric(watched, subscription, 'lag', 'Maximum'), perSecond: 1 }
  const metric = live.function.metric('IteratorAge', { period: PERIOD, statistic: 'Maximum' })
  return { metric, perSecond: 1_000 }
}

/** How old the records are that a stream's slowest reader by GetRecords is given. Milliseconds. */
export function streamAge({ streams }: Watched, stream: string): Metric {
  return new Metric({
    namespace: 'AWS/Kinesis',
    metricName: 'GetRecords.IteratorAgeMilliseconds',
    dimensionsMap: { StreamName: streams.of(stream).name },
    statistic: 'Maximum',
    period: PERIOD,
  })
}

/** Calls that a stream refused, since its shards had no throughput left. */
export function streamThrottles({ streams }: Watched, stream: string, way: 'Read' | 'Write'): Metric {
  return new Metric({
    namespace: 'AWS/Kinesis',
    metricName: `${way}ProvisionedThroughputExceeded`,
    dimensionsMap: { StreamName: streams.of(stream).name },
    statistic: 'Sum',
    period: PERIOD,
  })
}

/** Requests that a key range or the table refused. */
export function tableThrottles({ table }: Watched, way: 'Read' | 'Write'): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName: `${way}ThrottleEvents`,
    dimensionsMap: { TableName: table.tableName as string },
    statistic: 'Sum',
    period: PERIOD,
  })
}
