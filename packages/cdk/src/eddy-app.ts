import { type AwsResources, resourceEnv, streamNameOf, tableNameOf } from '@eddy/aws/resources'
import { Aws, RemovalPolicy } from 'aws-cdk-lib'
import type { CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import { type ISecurityGroup, SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { type AppDescription, describeApp } from './app/app-description.ts'
import { loadDescription } from './app/load-description.ts'
import { AppFunctions } from './functions/app-functions.ts'
import { queueWindowSeconds } from './mappings/mapping-spec.ts'
import { VpcEndpoints } from './network/vpc-endpoints.ts'
import { checkProps, type EddyAppProps } from './options/eddy-app-props.ts'
import { timeoutSecondsOf } from './options/subscription-options.ts'
import { ApplicationQueues } from './resources/application-queues.ts'
import { EventStreams } from './resources/event-streams.ts'
import { noticeTopic } from './resources/notice-topic.ts'
import { payloadBucket } from './resources/payload-bucket.ts'
import { Schedules } from './resources/schedules.ts'
import { stateTable } from './resources/state-table.ts'
import { schedulerServiceGrants } from './roles/role-grants.ts'
import type { NamePlan, RolePlan } from './roles/role-plan.ts'
import { AppAlarms } from './watch/app-alarms.ts'
import { appDashboard } from './watch/app-dashboard.ts'
import { AppWorker } from './worker/app-worker.ts'

/**
 * Everything that an application needs on AWS: streams, table, bucket, queues, topic, schedules; a function for each
 * subscription's first attempts and one for its retries, or workers on Fargate; alarms and a dashboard.
 *
 * @throws InvalidOptionError, AppLoadError
 * @example new EddyApp(stack, 'Orders', { entry: 'src/app.ts', name: 'orders-prod' })
 */
export class EddyApp extends Construct {
  /** What the application was found to define. */
  readonly app: AppDescription
  /** Where everything is: what `resourceEnv` hands to functions, workers and the command. */
  readonly resources: AwsResources
  readonly streams: EventStreams
  readonly table: CfnTable
  readonly bucket: Bucket
  readonly queues: ApplicationQueues
  /** Notices and alarms: subscribe to it. */
  readonly topic: ITopic
  /** Undefined with `worker`. */
  readonly functions: AppFunctions | undefined
  readonly worker: AppWorker | undefined
  /** What the roles are made from. */
  readonly plan: RolePlan

  constructor(scope: Construct, id: string, props: EddyAppProps) {
    super(scope, id)
    const app = props.app === undefined ? loadDescription(props.entry) : describeApp(props.app)
    checkProps(app, props)
    const { encryptionKey: key, name, removalPolicy = RemovalPolicy.RETAIN } = props
    this.app = app
    this.table = stateTable(this, 'Table', { name: tableNameOf({ name }), key, removalPolicy })
    this.bucket = payloadBucket(this, 'Bucket', { key, removalPolicy })
    this.topic = props.topic ?? noticeTopic(this, 'Topic', { name, key })
    const named = { name, ...(props.streams !== undefined && { streams: props.streams }) }
    this.streams = new EventStreams(this, 'Streams', {
      streams: app.streams,
      isExisting: (stream) => Object.hasOwn(props.streams ?? {}, stream),
      nameOf: (stream) => streamNameOf(named, stream),
      key,
      removalPolicy,
    })
    this.queues = new ApplicationQueues(this, 'Queues', {
      app,
      resources: named,
      timeouts: timeoutsOf(app, props),
      windows: windowsOf(app, props),
      key,
      removalPolicy,
    })
    this.plan = this.#plan(props, named, removalPolicy)
    this.resources = this.plan.resources
    const securityGroups = this.#securityGroups(props)
    const environment = { ...props.environment, ...resourceEnv(this.resources) }
    if (props.worker === undefined) {
      this.functions = new AppFunctions(this, 'Functions', {
        ...this.#parts(),
        props,
        environment,
        securityGroups,
        logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      })
    } else {
      this.worker = new AppWorker(this, 'Worker', {
        plan: this.plan,
        streams: this.streams,
        props,
        options: props.worker,
        environment,
        securityGroups,
        logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      })
    }
    if (props.vpcEndpoints === true && props.vpc !== undefined) {
      new VpcEndpoints(this, 'Endpoints', {
        vpc: props.vpc,
        subnets: props.vpcSubnets,
        callers: securityGroups ?? [],
      })
    }
    this.#watch(props)
  }

  #securityGroups({ securityGroups, vpc }: EddyAppProps): ISecurityGroup[] | undefined {
    if (vpc === undefined || securityGroups !== undefined) return securityGroups
    return [new SecurityGroup(this, 'Network', { vpc, description: 'Calls of the application' })]
  }

  #parts() {
    const { app, bucket, plan, queues, streams } = this
    return { app, bucket, plan, queues, streams }
  }

  #plan(
    { encryptionKey: key, vpc }: EddyAppProps,
    named: Pick<AwsResources, 'name' | 'streams'>,
    removalPolicy: RemovalPolicy,
  ): RolePlan {
    const place = { partition: Aws.PARTITION, region: Aws.REGION, account: Aws.ACCOUNT_ID }
    const names: NamePlan = { app: this.app, resources: named, place, keyArn: key?.keyArn }
    const schedules = new Schedules(this, 'Schedules', {
      name: named.name,
      place,
      grants: schedulerServiceGrants(names, [this.queues.deadSchedules.queueName]),
      removalPolicy,
    })
    return {
      ...names,
      resources: {
        ...named,
        bucket: this.bucket.bucketName,
        schedulerRoleArn: schedules.role.roleArn,
        deadSchedulesArn: this.queues.deadSchedules.queueArn,
        topicArn: this.topic.topicArn,
      },
      isInVpc: vpc !== undefined,
    }
  }

  #watch({ alarms, dashboard = true, name }: EddyAppProps): void {
    const { app, functions, queues, streams, table, topic } = this
    const watched = { name, app, functions, queues, streams, table }
    if (alarms !== false) new AppAlarms(this, 'Alarms', { ...watched, topic, options: alarms ?? {} })
    if (dashboard) appDashboard(this, 'Dashboard', watched)
  }
}

/** Of workers the handler's own times count: SQS hides a message for as long as they may take. */
function timeoutsOf(app: AppDescription, props: EddyAppProps): ReadonlyMap<string, number> {
  return new Map(
    app.subscriptions.map((subscription) => {
      const { name, timeoutMs } = subscription
      const seconds =
        props.worker === undefined
          ? timeoutSecondsOf(subscription, props.subscriptions?.[name] ?? {})
          : Math.min(Math.ceil(timeoutMs / 1_000), MAX_WORKER_SECONDS)
      return [name, seconds]
    }),
  )
}

function windowsOf({ subscriptions }: AppDescription, props: EddyAppProps): ReadonlyMap<string, number> {
  return new Map(
    subscriptions.map(({ name }) => [name, queueWindowSeconds(props.subscriptions?.[name] ?? {}) ?? 0]),
  )
}

/** A sixth of the longest that SQS hides a message. */
const MAX_WORKER_SECONDS = 7_200
