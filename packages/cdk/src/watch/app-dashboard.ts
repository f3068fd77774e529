import { Dashboard, GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { AppFunctions } from '../functions/app-functions.ts'
import { eddyMetric, PERIOD, streamAge, streamThrottles, tableThrottles } from './app-metrics.ts'
import type { Watched } from './watched.ts'

const WAYS = ['Read', 'Write'] as const

/** One page: are the subscriptions well, do they keep up, does anything refuse. */
export function appDashboard(scope: Construct, id: string, watched: Watched): Dashboard {
  const { app, functions, name, queues } = watched
  const own = (metric: Parameters<typeof eddyMetric>[2], statistic: 'Sum' | 'Maximum') =>
    app.subscriptions.map(({ name: label }) => eddyMetric(watched, label, metric, statistic).with({ label }))
  const dashboard = new Dashboard(scope, id, { dashboardName: name })
  dashboard.addWidgets(
    graph('Handled', own('handled', 'Sum')),
    graph('Failed attempts', own('failedAttempts', 'Sum')),
  )
  dashboard.addWidgets(
    graph('Dead letters', own('deadLetters', 'Sum')),
    graph('Oldest retry (s)', own('oldestRetry', 'Maximum')),
  )
  const ages = app.streams.map(({ name: label }) => streamAge(watched, label).with({ label }))
  const waiting = [...queues.retries].map(([label, { queue }]) =>
    queue.metricApproximateNumberOfMessagesVisible({ label, period: PERIOD }),
  )
  dashboard.addWidgets(graph('Age of what streams give (ms)', ages), graph('Retries that wait', waiting))
  if (functions !== undefined) addFunctions(dashboard, functions)
  else dashboard.addWidgets(graph('Lag (s)', own('lag', 'Maximum'), 24))
  dashboard.addWidgets(graph('Refused by streams and table', refusals(watched), 24))
  return dashboard
}

function addFunctions(dashboard: Dashboard, functions: AppFunctions): void {
  const each = (metricOf: (target: LambdaFunction, label: string) => IMetric) =>
    [...functions.all()].map(([label, one]) => metricOf(one.function, label))
  const period = PERIOD
  dashboard.addWidgets(
    graph(
      'Function errors',
      each((target, label) => target.metricErrors({ label, period })),
    ),
    graph(
      'Functions refused',
      each((target, label) => target.metricThrottles({ label, period })),
    ),
  )
  dashboard.addWidgets(
    graph(
      'Function duration, p99 (ms)',
      each((target, label) => target.metricDuration({ label, period, statistic: 'p99' })),
      24,
    ),
  )
}

function refusals(watched: Watched): IMetric[] {
  return WAYS.flatMap((way) => [
    ...watched.app.streams.map(({ name }) =>
      streamThrottles(watched, name, way).with({ label: `${name} ${way.toLowerCase()}s` }),
    ),
    tableThrottles(watched, way).with({ label: `table ${way.toLowerCase()}s` }),
  ])
}

function graph(title: string, left: IMetric[], width = 12): GraphWidget {
  return new GraphWidget({ title, left, width, height: 6, leftYAxis: { min: 0 } })
}
