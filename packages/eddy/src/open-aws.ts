import type { PublishMetrics } from '@eddy/aws/metrics'
import type { AwsResources } from '@eddy/aws/resources'
import {
  type AppDefinition,
  type Engine,
  type Logger,
  leases,
  type Runtime,
  silentLogger,
  startRuntime,
} from '@eddy/core'
import { type Eddy, eddyOf } from './eddy.ts'
import { threadsOf } from './threads/threads-of.ts'

export interface OpenAwsOptions {
  /** Where the application's streams, table, bucket and queues are: what a deployment made, or `create` makes. */
  readonly resources: AwsResources
  readonly logger?: Logger
  /** Refuse changes through `operations`; subscriptions run all the same. */
  readonly readOnly?: boolean
  /** The file that exports the application: subscriptions with `threads` need it, since each of their threads loads it. */
  readonly appFile?: string | URL
  /** What people know this worker by. Default: a random id. */
  readonly workerName?: string
  /** After this long without a sign of life other workers take over: 1,000 to 600,000, default 10,000. */
  readonly leaseMs?: number
  /**
   * Once a minute to CloudWatch what the worker counted: `emf` as lines in the embedded metric format on standard output,
   * which CloudWatch Logs makes metrics of; or whatever takes them. Default: `emf` in a task of Amazon ECS, else `none`.
   */
  readonly metrics?: 'emf' | 'none' | PublishMetrics
  /** Make what is not there: for emulators and first steps. Default false. */
  readonly create?: boolean
  /** Where region, credentials and endpoints are found. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Runs an application on AWS in this process, as one of any number of workers: they share out the shards and queues by
 * leases, and take over what a dead one had. Needs the AWS SDK's clients for Kinesis, SQS, DynamoDB and S3, and for
 * EventBridge Scheduler and SNS where `resources` names a role and a topic.
 *
 * @throws InvalidOptionError, MissingPackageError; KinesisRefusedError and the like for what is not there or not allowed
 */
export async function openAws(app: AppDefinition, options: OpenAwsOptions): Promise<Eddy> {
  const { resources, logger, readOnly, workerName: name, leaseMs, create, env } = options
  const ownership = leases({ ...(name !== undefined && { name }), ...(leaseMs !== undefined && { leaseMs }) })
  const startThreads = threadsOf(app, options)
  // Loaded here, so that whoever runs embedded needs none of it.
  const { awsEngine, withTopic } = await import('@eddy/aws/engine')
  const told = await withTopic(app, resources, env)
  const engine = await awsEngine({
    app,
    resources,
    ...(logger !== undefined && { logger }),
    ...(create !== undefined && { create }),
    ...(env !== undefined && { env }),
  })
  try {
    const runtime = await startRuntime({
      engine,
      app: told,
      ownership,
      startThreads,
      ...(logger !== undefined && { logger }),
      ...(readOnly !== undefined && { readOnly }),
    })
    const metrics = await startMetrics(options, engine, runtime)
    const eddy = eddyOf(runtime, engine, async () => {})
    return {
      ...eddy,
      close: async (closeOptions) => {
        await runtime.stop(closeOptions)
        await metrics?.stop()
        await eddy.close(closeOptions)
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Set by the agent of Amazon ECS, on Fargate too: its log driver takes standard output to CloudWatch Logs. */
const ECS_VARIABLE = 'ECS_CONTAINER_METADATA_URI_V4'

async function startMetrics(
  { resources, logger = silentLogger, env = process.env, metrics }: OpenAwsOptions,
  { clock }: Engine,
  runtime: Runtime,
): Promise<{ stop(): Promise<void> } | undefined> {
  const wanted = metrics ?? (env[ECS_VARIABLE] === undefined ? 'none' : 'emf')
  if (wanted === 'none') return undefined
  const { embeddedMetrics, WorkerMetrics } = await import('@eddy/aws/metrics')
  const write = (line: string): void => void process.stdout.write(`${line}\n`)
  const publish = wanted === 'emf' ? embeddedMetrics(resources.name, () => clock.now(), write) : wanted
  return new WorkerMetrics({ figures: () => runtime.figures(), publish, clock, logger })
}
