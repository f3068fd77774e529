import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import { eddyMetric, PERIOD, streamAge, streamThrottles, tableThrottles } from './app-metrics.ts'
import type { Watched } from './watched.ts'

const HALF = 12
const WHOLE = 24

/** One page: are the subscriptions well, do they keep up, does anything refuse. */
export function appDashboard(scope: Construct, id: string, watched: Watched): Dashboard {
  const { app, functions, name, queues } = watched
  const own = (metric: Parameters<typeof eddyMetric>[2], statistic: 'Sum' | 'Maximum') =>
    app.subscriptions.map((subscription) => eddyMetric(watched, subscription.name, metric, statistic))
  const dashboard = new Dashboard(scope, id, { dashboardName: name })
  dashboard.addWidgets(
    graph('Handled', own('handled', 'Sum')),
    graph('Failed attempts', own('failedAttempts', 'Sum')),
  )
  dashboard.addWidgets(
    graph('Dead letters', own('deadLetters', 'Sum')),
    graph('Oldest retry (s)', own('oldestRetry', 'Maximum')),
  )
  dashboard.addWidgets(
    graph(
      'Age of what streams give (ms)',
      app.streams.map((stream) => streamAge(watched, stream.name)),
    ),
    graph(
      'Retries that wait',
      [...queues.retries].map(([label, { queue }]) =>
        queue.metricApproximateNumberOfMessagesVisible({ label, period: PERIOD }),
      ),
    ),
  )
  if (functions !== undefined) {
    const all = [...functions.all()]
    dashboard.addWidgets(
      graph(
        'Function errors',
        all.map(([label, one]) => one.function.metricErrors({ label, period: PERIOD })),
      ),
      graph(
        'Function duration, p99 (ms)',
        all.map(([label, one]) => one.function.metricDuration({ label, period: PERIOD, statistic: 'p99' })),
      ),
    )
  }
  const refused = [
    ...app.streams.flatMap(({ name: stream }) => [
      streamThrottles(watched, stream, 'Read'),
      streamThrottles(watched, stream, 'Write'),
    ]),
    tableThrottles(watched, 'Read'),
    tableThrottles(watched, 'Write'),
    ...[...(functions?.all() ?? [])].map(([label, one]) =>
      one.function.metricThrottles({ label, period: PERIOD }),
    ),
  ]
  dashboard.addWidgets(graph('Refused', refused, WHOLE))
  return dashboard
}

function graph(title: string, left: IMetric[], width = HALF): GraphWidget {
  return new GraphWidget({ title, left, width, height: 6, leftYAxis: { min: 0 } })
}
