import { consumerNameOf } from '@eddy/aws/resources'
import { InvalidOptionError } from '@eddy/core'
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { AppDescription, SubscriptionDescription } from '../app/app-description.ts'
import { EventSourceMappings } from '../mappings/event-source-mappings.ts'
import { recordAgeSeconds } from '../mappings/mapping-spec.ts'
import { PatientFunction } from '../mappings/patient-function.ts'
import type { EddyAppProps } from '../options/eddy-app-props.ts'
import { timeoutSecondsOf } from '../options/subscription-options.ts'
import type { ApplicationQueues } from '../resources/application-queues.ts'
import type { EventStreams } from '../resources/event-streams.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import type { EddyFunction, FunctionDefaults } from './eddy-function.ts'
import { handlerCode } from './handler-code.ts'
import { HttpFunction } from './http-function.ts'
import { RescueFunction } from './rescue-function.ts'
import { type Source, SubscriptionFunctions } from './subscription-functions.ts'
import { SweepFunction } from './sweep-function.ts'

export interface AppFunctionsOptions {
  readonly app: AppDescription
  readonly props: EddyAppProps
  readonly plan: RolePlan
  readonly streams: EventStreams
  readonly queues: ApplicationQueues
  readonly bucket: Bucket
  readonly environment: Readonly<Record<string, string>>
  readonly logRetention: RetentionDays
  /** With a network. */
  readonly securityGroups: ISecurityGroup[] | undefined
}

/** Lambda mode: two functions a subscription, and those that serve them all. */
export class AppFunctions extends Construct {
  readonly subscriptions: ReadonlyMap<string, SubscriptionFunctions>
  readonly rescue: EddyFunction
  readonly sweep: EddyFunction
  readonly http: HttpFunction | undefined

  constructor(scope: Construct, id: string, options: AppFunctionsOptions) {
    super(scope, id)
    const { app, bucket, logRetention, plan, props, queues } = options
    const defaults: FunctionDefaults = {
      code: handlerCode({ entry: props.entry, sdk: props.sdk ?? 'bundled' }),
      environment: { ...options.environment, EDDY_MAX_RECORD_AGE_MS: String(maxRecordAgeMs(options)) },
      logRetention,
      key: props.encryptionKey,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: options.securityGroups,
    }
    const patient =
      props.patientMappings === true ? new PatientFunction(this, 'Patient', { logRetention }) : undefined
    const mappings = new EventSourceMappings(this, 'Mappings', patient?.arn)
    const folder = new Construct(this, 'Subscriptions')
    this.subscriptions = new Map(
      app.subscriptions.map((subscription) => [
        subscription.name,
        new SubscriptionFunctions(folder, subscription.name, {
          subscription,
          ...settingsOf(subscription, props),
          source: sourceOf(subscription, options),
          retryQueue: must(queues.retries.get(subscription.name)).queue,
          bucketArn: bucket.bucketArn,
          plan,
          defaults,
          mappings,
        }),
      ]),
    )
    const shared = { defaults, plan }
    const { deadInvocations } = queues
    this.rescue = new RescueFunction(this, 'Rescue', {
      ...shared,
      bucket,
      deadInvocations,
      deadQueues: new Map([...queues.sources].map(([name, { dead }]) => [name, dead])),
      environment: { EDDY_FUNCTIONS: this.#servedBy(app) },
      mappings,
    }).rescue
    this.sweep = new SweepFunction(this, 'Sweep', shared).sweep
    const way = props.http ?? 'function-url'
    this.http =
      way === 'none'
        ? undefined
        : new HttpFunction(this, 'Http', { ...shared, way, auth: props.httpAuth ?? 'iam' })
  }

  /**
   * Whose records a batch holds, its function tells: names of functions with their subscriptions, as JSON. A stream with
   * one subscription says so by itself.
   */
  #servedBy({ subscriptions }: AppDescription): string {
    const entries = subscriptions.flatMap(({ name, source, fanOut }) => {
      const isShared = subscriptions.some(
        (other) => other.name !== name && isSameStream(other.source, source),
      )
      const { live, topic } = must(this.subscriptions.get(name))
      // A batch of a consumer names the consumer, not the stream.
      const functions = [...(isShared || fanOut ? [live] : []), ...(topic === undefined ? [] : [topic])]
      return functions.map((one) => ({
        name,
        entry: `"${one.function.functionName}":${JSON.stringify(name)}`,
      }))
    })
    const bytes = entries.reduce((sum, { name }) => sum + MAX_FUNCTION_NAME + name.length, 0)
    if (bytes > MAX_ENTRIES_BYTES) {
      const expected =
        'subscriptions whose names fit the environment of a function, 4 KB. Make two applications of it'
      throw new InvalidOptionError('entry', expected, `${subscriptions.length} subscriptions`)
    }
    return `{${entries.map(({ entry }) => entry).join(',')}}`
  }

  /** Every function, by what it is called on the dashboard. */
  all(): ReadonlyMap<string, EddyFunction> {
    const subscriptions = [...this.subscriptions].flatMap(([name, { live, retry, topic }]) => [
      [`${name}-live`, live] as const,
      [`${name}-retry`, retry] as const,
      ...(topic === undefined ? [] : [[`${name}-topic`, topic] as const]),
    ])
    return new Map([
      ...subscriptions,
      ['rescue', this.rescue],
      ['sweep', this.sweep],
      ...(this.http === undefined ? [] : [['http', this.http.http] as const]),
    ])
  }
}

/** With quotes and what separates it from the next one. */
const MAX_FUNCTION_NAME = 70
/** Of 4 KB for all variables. */
const MAX_ENTRIES_BYTES = 3_000

function isSameStream(
  one: SubscriptionDescription['source'],
  other: SubscriptionDescription['source'],
): boolean {
  return one.kind === 'stream' && other.kind === 'stream' && one.name === other.name
}

/** The longest that any mapping still hands out a record: holds are kept beyond it. */
function maxRecordAgeMs({ app, props, streams }: AppFunctionsOptions): number {
  const ages = app.subscriptions
    .filter(({ source }) => source.kind === 'stream')
    .map(({ name, source }) =>
      recordAgeSeconds(streams.of(source.name).retentionHours, props.subscriptions?.[name] ?? {}),
    )
  return Math.max(60, ...ages) * 1_000
}

function settingsOf(subscription: SubscriptionDescription, { subscriptions = {} }: EddyAppProps) {
  const options = subscriptions[subscription.name] ?? {}
  return { options, timeoutSeconds: timeoutSecondsOf(subscription, options) }
}

function sourceOf(
  { name, source, fanOut }: SubscriptionDescription,
  { plan, queues, streams }: AppFunctionsOptions,
): Source {
  if (source.kind === 'queue') {
    const { dead, queue } = must(queues.sources.get(source.name))
    return { kind: 'queue', queue, dead }
  }
  const { arn, retentionHours } = streams.of(source.name)
  const consumer = fanOut ? streams.consumerOf(source.name, consumerNameOf(plan.resources, name)) : undefined
  return { kind: 'stream', arn, retentionHours, consumerArn: consumer?.attrConsumerArn }
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an application names what it does not have')
  return value
}
