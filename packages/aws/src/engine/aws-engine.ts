import { createHash } from 'node:crypto'
import {
  type AppDefinition,
  type Blobs,
  type Clock,
  type Engine,
  InvalidOptionError,
  type Log,
  type Logger,
  type Queue,
  type Table,
} from '@eddy/core'
import {
  type AwsResources,
  checkResources,
  consumerNameOf,
  scheduleGroupOf,
  streamNameOf,
  tableNameOf,
} from '../resources/index.ts'
import type { LongDelays } from '../sqs/index.ts'
import { systemClock } from '../time/system-clock.ts'
import { LateBlobs } from './late-blobs.ts'
import { LateDelays } from './late-delays.ts'
import { loadService } from './load-service.ts'
import { type Environment, endpointOf, type ServiceName } from './service-endpoints.ts'

export interface AwsEngineOptions {
  /** Its streams and queues, and what its subscriptions ask of them; it runs elsewhere. */
  readonly app: Pick<AppDefinition, 'streams' | 'queues' | 'subscriptions'>
  readonly resources: AwsResources
  /**
   * Make what is not there: table, bucket, streams, queues, group of schedules. For emulators and first steps, with rights
   * to do so; default false, since a deployment makes them better, with alarms and roles.
   */
  readonly create?: boolean
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly logger?: Logger
  /** Where region, credentials and endpoints are found. Default: the process's. */
  readonly env?: Environment
  /**
   * `now`: a client that is not installed comes up here. `late`: the clients of S3 and EventBridge Scheduler are loaded with
   * the first value or delay that needs them, which saves a function most of its start. Default `now`.
   */
  readonly load?: 'now' | 'late'
}

/** What is to be closed in the end. */
type Closing = () => Promise<void> | void

/**
 * The five ports on AWS: streams on Kinesis, delayed messages on SQS with EventBridge Scheduler, items in one DynamoDB
 * table, blobs in one S3 bucket. Clients send every request once; whoever calls a port tries again.
 *
 * @throws InvalidOptionError, MissingPackageError
 */
export async function awsEngine(options: AwsEngineOptions): Promise<Engine> {
  const { app, clock = systemClock, load = 'now' } = options
  const resources = checkResources(options.resources)
  const { env = process.env, create = false } = options
  const parts: Parts = { ...options, app, resources, clock, env, create, closing: [] }
  const blobs = new LateBlobs(() => openBlobs(parts))
  const { schedulerRoleArn: roleArn } = resources
  const longDelays = roleArn === undefined ? undefined : new LateDelays(() => openDelays(parts, roleArn))
  try {
    const [log, table] = await Promise.all([
      openLog(parts),
      openTable(parts, blobs),
      ...(load === 'now' ? [blobs.opened(), longDelays?.opened()] : []),
    ])
    const queue = await openQueue(parts, { blobs, table, longDelays })
    return {
      log,
      queue,
      table,
      blobs,
      clock,
      md5Hex: (text) => createHash('md5').update(text).digest('hex'),
      md5: (bytes) => createHash('md5').update(bytes).digest(),
      close: async () => closeAll(parts.closing),
    }
  } catch (error) {
    await closeAll(parts.closing)
    throw error
  }
}

interface Parts extends Required<Pick<AwsEngineOptions, 'app' | 'resources' | 'clock' | 'env' | 'create'>> {
  readonly logger?: Logger
  readonly closing: Closing[]
}

async function openLog({ app, resources, clock, env, create, closing }: Parts): Promise<Log> {
  const { KinesisLog, kinesisClient } = await loadService(
    '@aws-sdk/client-kinesis',
    'Amazon Kinesis',
    () => import('../kinesis/index.ts'),
  )
  const client = kinesisClient(clientOptions('kinesis', env))
  const log = new KinesisLog({
    client,
    clock,
    streams: app.streams.map(({ name }) => name),
    nameOf: (stream) => streamNameOf(resources, stream),
    consumerNameOf: (subscription) => consumerNameOf(resources, subscription),
    createStreams: create ? 'provisioned' : 'never',
    allowAutoDistribution: (stream) => needsNoOrder(app, stream),
  })
  closing.push(
    () => log.close(),
    () => client.destroy(),
  )
  if (regionIn(env) === undefined) await requireRegion(client)
  return log
}

/** A stream whose records nobody here needs in order. One that no subscription reads may have readers elsewhere that do. */
function needsNoOrder({ subscriptions }: Pick<AppDefinition, 'subscriptions'>, stream: string): boolean {
  const readers = subscriptions.filter((one) => one.stream === stream)
  return readers.length > 0 && readers.every(({ failure }) => failure.blocks === 'nothing')
}

async function openTable({ resources, clock, env, create, closing }: Parts, blobs: Blobs): Promise<Table> {
  const { DynamoDbTable, dynamoDbClient } = await loadService(
    '@aws-sdk/client-dynamodb',
    'Amazon DynamoDB',
    () => import('../dynamodb/index.ts'),
  )
  const client = dynamoDbClient(clientOptions('dynamodb', env))
  const tableName = tableNameOf(resources)
  const table = new DynamoDbTable({ client, tableName, clock, blobs })
  closing.push(
    () => table.close(),
    () => client.destroy(),
  )
  if (create) await (await import('./create-resources.ts')).createTable(client, tableName, clock)
  return table
}

async function openBlobs({ resources, clock, env, create, closing }: Parts): Promise<Blobs> {
  const { S3Blobs, s3Client } = await loadService(
    '@aws-sdk/client-s3',
    'Amazon S3',
    () => import('../s3/index.ts'),
  )
  const client = s3Client(clientOptions('s3', env))
  const blobs = new S3Blobs({ client, bucket: resources.bucket, clock })
  closing.push(
    () => blobs.close(),
    () => client.destroy(),
  )
  if (create) {
    const { createBucket } = await import('./create-resources.ts')
    await createBucket(client, resources.bucket, regionIn(env))
  }
  return blobs
}

async function openQueue(
  { app, resources, clock, env, create, logger, closing }: Parts,
  ports: { readonly blobs: Blobs; readonly table: Table; readonly longDelays: LongDelays | undefined },
): Promise<Queue> {
  const { SqsQueue, sqsClient } = await loadService(
    '@aws-sdk/client-sqs',
    'Amazon SQS',
    () => import('../sqs/index.ts'),
  )
  const client = sqsClient(clientOptions('sqs', env))
  const groups = new Set(
    app.queues.filter(({ group }) => group !== undefined).map(({ name }) => `queue/${name}`),
  )
  const { blobs, table, longDelays } = ports
  const queue = new SqsQueue({
    client,
    clock,
    resources,
    blobs,
    table,
    isFifo: (name) => groups.has(name),
    createQueues: create,
    ...(longDelays !== undefined && { longDelays }),
    ...(logger !== undefined && { logger }),
  })
  closing.push(
    () => queue.close(),
    () => client.destroy(),
  )
  return queue
}

async function openDelays(
  { resources, clock, env, create, closing }: Parts,
  roleArn: string,
): Promise<LongDelays> {
  const { Schedules, schedulerClient } = await loadService(
    '@aws-sdk/client-scheduler',
    'Amazon EventBridge Scheduler',
    () => import('../scheduler/index.ts'),
  )
  const client = schedulerClient(clientOptions('scheduler', env))
  closing.push(() => client.destroy())
  const groupName = scheduleGroupOf(resources)
  if (create) await (await import('./create-resources.ts')).createScheduleGroup(client, groupName)
  const { deadSchedulesArn: deadLetterArn } = resources
  return new Schedules({
    client,
    clock,
    groupName,
    roleArn,
    ...(deadLetterArn !== undefined && { deadLetterArn }),
  })
}

interface ClientOptions {
  readonly endpoint?: string
  readonly region?: string
  readonly credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
}

/** Credentials are left to the SDK, which knows many places, unless another environment than the process's was handed in. */
function clientOptions(service: ServiceName, env: Environment): ClientOptions {
  const endpoint = endpointOf(service, env)
  const region = regionIn(env)
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  const isHandedIn = env !== process.env && id !== undefined && secret !== undefined
  return {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(isHandedIn && {
      credentials: {
        accessKeyId: id,
        secretAccessKey: secret,
        ...(token !== undefined && { sessionToken: token }),
      },
    }),
  }
}

/** In the order in which they were opened: first nothing new is begun, then its connections go. */
async function closeAll(closing: readonly Closing[]): Promise<void> {
  for (const close of closing) await close()
}

/** In the profile, then. @throws InvalidOptionError */
async function requireRegion({ config }: { config: { region: () => Promise<string> } }): Promise<void> {
  await config.region().catch(() => {
    const expected =
      "the region of the application's resources, such as eu-west-1, here or in the AWS profile"
    throw new InvalidOptionError('AWS_REGION', expected, undefined)
  })
}

function regionIn(env: Environment): string | undefined {
  return env.AWS_REGION ?? env.AWS_DEFAULT_REGION
}
