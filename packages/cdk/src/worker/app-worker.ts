import { consumerNameOf } from '@eddy/aws/resources'
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2'
import {
  Cluster,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { EddyAppProps } from '../options/eddy-app-props.ts'
import type { EventStreams } from '../resources/event-streams.ts'
import { workerGrants } from '../roles/role-grants.ts'
import type { RolePlan } from '../roles/role-plan.ts'
import { serviceRole } from '../roles/service-role.ts'
import { PORT, workerImage } from './worker-image.ts'
import type { WorkerOptions } from './worker-options.ts'

/** The longest that Fargate waits between SIGTERM and SIGKILL. */
const STOP_TIMEOUT = Duration.seconds(120)
const HEALTHY = `fetch('http://127.0.0.1:${PORT}/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`

export interface AppWorkerOptions {
  readonly plan: RolePlan
  readonly streams: EventStreams
  readonly props: EddyAppProps
  readonly options: WorkerOptions
  readonly environment: Readonly<Record<string, string>>
  readonly logRetention: RetentionDays
  readonly securityGroups: ISecurityGroup[] | undefined
}

/** Worker mode: long-running processes on Fargate that share the shards of every subscription. */
export class AppWorker extends Construct {
  readonly service: FargateService

  constructor(scope: Construct, id: string, given: AppWorkerOptions) {
    super(scope, id)
    const { environment, logRetention, options, props, securityGroups } = given
    const vpc = props.vpc as IVpc
    const task = this.#task(given)
    const logGroup = new LogGroup(this, 'Logs', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    task.addContainer('eddy', {
      image: workerImage(this, options, props.entry),
      environment: { ...environment },
      logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'eddy' }),
      stopTimeout: STOP_TIMEOUT,
      healthCheck: { command: ['CMD', 'node', '-e', HEALTHY], startPeriod: Duration.seconds(60) },
    })
    const cluster = new Cluster(this, 'Cluster', { vpc, containerInsightsV2: ContainerInsights.ENABLED })
    this.service = new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task,
      desiredCount: options.tasks ?? 2,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      assignPublicIp: false,
      ...(props.vpcSubnets !== undefined && { vpcSubnets: props.vpcSubnets }),
      ...(securityGroups !== undefined && { securityGroups }),
    })
    Validations.of(task).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'the variables are names of resources; secrets belong in `environment` of nobody',
    })
  }

  #task({ options, plan, streams }: AppWorkerOptions): FargateTaskDefinition {
    const consumerArns = plan.app.subscriptions
      .filter(({ fanOut, source }) => fanOut && source.kind === 'stream')
      .map(
        ({ name, source }) =>
          streams.consumerOf(source.name, consumerNameOf(plan.resources, name)).attrConsumerArn,
      )
    const assumedBy = new ServicePrincipal('ecs-tasks.amazonaws.com')
    const { name } = plan.resources
    const execution = serviceRole(this, 'Starts', {
      assumedBy,
      description: `${name}: starts workers`,
      grants: [],
    })
    Validations.of(execution).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'ecr:GetAuthorizationToken takes no resource',
    })
    return new FargateTaskDefinition(this, 'Task', {
      cpu: options.cpu ?? 512,
      memoryLimitMiB: options.memoryMiB ?? 1_024,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      executionRole: execution,
      taskRole: serviceRole(this, 'Runs', {
        assumedBy,
        description: `${name}: workers`,
        // A task has its interface from Fargate.
        grants: workerGrants({ ...plan, isInVpc: false }, consumerArns),
      }),
    })
  }
}
