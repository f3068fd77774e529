import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { AlarmOptions } from './alarm-options.ts'
import { eddyMetric, lagMetric, PERIOD, streamAge, streamThrottles, tableThrottles } from './app-metrics.ts'
import type { Watched } from './watched.ts'

const DEFAULTS = {
  iteratorAgeSeconds: 300,
  retentionShare: 0.5,
  oldestRetrySeconds: 3_600,
  functionErrors: 1,
  throttles: 10,
} as const satisfies Required<AlarmOptions>

const HOUR_SECONDS = 3_600
/** A sweep is told each minute; a deployment, or a role that changes hands, costs one or two. */
const SILENT_PERIODS = 3

/** What to do when each rings: docs/guides/operating-on-aws.md. */
export class AppAlarms extends Construct {
  readonly #action: SnsAction
  readonly #name: string
  readonly #limits: Required<AlarmOptions>

  constructor(
    scope: Construct,
    id: string,
    { topic, options, ...watched }: Watched & { readonly topic: ITopic; readonly options: AlarmOptions },
  ) {
    super(scope, id)
    this.#action = new SnsAction(topic)
    this.#name = watched.name
    this.#limits = { ...DEFAULTS, ...options }
    for (const { name } of watched.app.subscriptions) this.#subscription(watched, name)
    for (const { name } of watched.app.streams) this.#stream(watched, name)
    this.#functions(watched)
    this.#lags(watched)
    this.#deadQueues(watched)
    for (const way of ['Read', 'Write'] as const) {
      const metric = tableThrottles(watched, way)
      this.#alarm(
        `table:${way.toLowerCase()}-throttles`,
        metric,
        this.#limits.throttles,
        'The table refuses requests',
      )
    }
  }

  #subscription(watched: Watched, name: string): void {
    const dead = eddyMetric(watched, name, 'deadLetters', 'Sum')
    this.#alarm(
      `subscription:${name}:dead-letters`,
      dead,
      1,
      `${name}: events became dead letters. Look at them with: eddy failures list --subscription ${name} --status dead`,
    )
    const oldest = eddyMetric(watched, name, 'oldestRetry', 'Maximum')
    this.#alarm(
      `subscription:${name}:oldest-retry`,
      oldest,
      this.#limits.oldestRetrySeconds,
      `${name}: an event waits for its retry for long`,
    )
    this.#silence(watched, name)
  }

  /**
   * Each minute the sweep tells what waits, 0 too. Without it no figure says that anything is wrong: lost retries stay lost,
   * and every other alarm is content.
   */
  #silence(watched: Watched, name: string): void {
    const { functions } = watched
    const told = eddyMetric(watched, name, 'oldestRetry', 'SampleCount')
    const who = functions === undefined ? 'no worker sweeps' : 'the function sweep does not run'
    const description = `${name}: nothing says how it is, since ${who}: lost retries are not sent again`
    this.#alarm(`subscription:${name}:silent`, told, 1, description, {
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: SILENT_PERIODS,
      treatMissingData: TreatMissingData.BREACHING,
    })
  }

  #stream(watched: Watched, name: string): void {
    const { retentionShare, throttles } = this.#limits
    const { retentionHours } = watched.streams.of(name)
    const nearMs = Math.floor(retentionHours * HOUR_SECONDS * retentionShare) * 1_000
    const told = 'a reader lags so far behind that retention will remove records before they are read'
    this.#alarm(`stream:${name}:retention-near`, streamAge(watched, name), nearMs, `${name}: ${told}`)
    for (const way of ['Read', 'Write'] as const) {
      const metric = streamThrottles(watched, name, way)
      const what = way === 'Read' ? 'too many readers' : 'more is written than its shards take'
      this.#alarm(`stream:${name}:${way.toLowerCase()}-throttles`, metric, throttles, `${name}: ${what}`)
    }
  }

  #functions({ functions }: Watched): void {
    if (functions === undefined) return
    const { functionErrors, throttles } = this.#limits
    for (const [label, { function: target }] of functions.all()) {
      const errors = target.metricErrors({ period: PERIOD, statistic: 'Sum' })
      this.#alarm(
        `function:${label}:errors`,
        errors,
        functionErrors,
        `${label}: its function failed as a whole`,
      )
      const refused = target.metricThrottles({ period: PERIOD, statistic: 'Sum' })
      this.#alarm(`function:${label}:throttles`, refused, throttles, `${label}: no function was free`)
    }
  }

  /** How far behind the subscriptions of streams are: of functions Lambda says it, workers say it themselves. */
  #lags(watched: Watched): void {
    const { iteratorAgeSeconds, retentionShare } = this.#limits
    for (const { name, source } of watched.app.subscriptions) {
      if (source.kind !== 'stream') continue
      const { metric, perSecond } = lagMetric(watched, name)
      this.#alarm(
        `subscription:${name}:iterator-age`,
        metric,
        iteratorAgeSeconds * perSecond,
        `${name}: it does not keep up with its stream`,
      )
      const retentionSeconds = watched.streams.of(source.name).retentionHours * HOUR_SECONDS
      const near = Math.floor(retentionSeconds * retentionShare) * perSecond
      const told = 'it lags so far behind that retention will remove records before they are handled'
      this.#alarm(`subscription:${name}:retention-near`, metric, near, `${name}: ${told}`)
    }
  }

  /** What lies in a dead queue, nothing takes out but a person. */
  #deadQueues({ queues }: Watched): void {
    const dead = [
      ...[...queues.sources].map(([name, { dead: queue }]) => [`queue-${name}`, queue] as const),
      ...[...queues.retries].map(([name, { dead: queue }]) => [`retry-${name}`, queue] as const),
      ['schedules', queues.deadSchedules] as const,
      ['invocations', queues.deadInvocations] as const,
    ]
    for (const [id, queue] of dead) {
      const visible = queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      })
      this.#alarm(`dead:${id}`, visible, 1, `${id}: messages that nothing could take lie in its dead queue`)
    }
  }

  #alarm(
    id: string,
    metric: IMetric,
    threshold: number,
    alarmDescription: string,
    more: Partial<AlarmProps> = {},
  ): void {
    const alarm = new Alarm(this, id, {
      alarmName: `${this.#name}-${id}`,
      alarmDescription,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      // Nothing happened: nothing is wrong.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...more,
    })
    alarm.addAlarmAction(this.#action)
    alarm.addOkAction(this.#action)
  }
}
