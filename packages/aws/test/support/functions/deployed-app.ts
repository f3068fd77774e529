import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { CreateTopicCommand, PublishCommand, type SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { AppDefinition, Engine, SubscriptionDefinition } from '@eddy/core'
import { systemClock } from '@eddy/embedded'
import {
  type KinesisMapping,
  type KinesisMappingOptions,
  type SqsMapping,
  startKinesisMapping,
  startSqsMapping,
} from '@eddy/testing/lambda'
import { loadApp } from 'eddy/load-app'
import { awsEngine } from '../../../src/engine/index.ts'
import { kinesisClient } from '../../../src/kinesis/index.ts'
import { type AwsResources, queueNameOf, resourceEnv, streamNameOf } from '../../../src/resources/index.ts'
import { s3Client } from '../../../src/s3/index.ts'
import { snsClient } from '../../../src/sns/index.ts'
import { sqsClient } from '../../../src/sqs/index.ts'
import { type AwsWorld, SCHEDULER_ROLE } from '../aws-world.ts'
import { recordingEnv } from '../recorded-calls.ts'
import { DeployedFunction } from './deployed-function.ts'
import { queueSource, streamSource } from './event-sources.ts'

const MODULE = fileURLToPath(new URL('./app-functions.mjs', import.meta.url))
const ACCOUNT = '000000000000'
const REGION = 'us-east-1'
const TIMEOUT_MS = 75_000
/** As the constructs have it. */
const TIMEOUTS_MS: Partial<Record<Role, number>> = { rescue: 300_000 }
const HTTP_TRIES = 5
const ASYNC_TRIES = 5
const TOKEN = 'of-this-deployment'

export interface DeployOptions {
  readonly world: AwsWorld
  /** The application file. */
  readonly file: string
  /** What it defines here, where that depends on the functions' variables. Default: what the file exports. */
  readonly app?: AppDefinition
  /** Of the deployment. */
  readonly name: string
  /** Of every function. */
  readonly env?: Readonly<Record<string, string>>
  /** Of one process of a function, by its number among these. */
  readonly envOf?: (role: Role, number: number) => Readonly<Record<string, string>>
  /** Of the functions of subscriptions; default 75,000: twice what a handler may take, and more. */
  readonly timeoutMs?: number
  /** Of retry queues; default: six times what a function may take, as of the constructs. */
  readonly visibilityMs?: number
  /** Where the calls of its functions are recorded. */
  readonly calls?: string
}

interface HttpAnswer {
  readonly statusCode: number
  readonly body: string
}

type OnFailure = NonNullable<KinesisMappingOptions['onFailure']>
type Role = 'live' | 'retry' | 'http' | 'rescue' | 'sweep'

/** An application as the constructs deploy it: functions in processes of their own, on services that others made. */
export class DeployedApp {
  readonly app: AppDefinition
  readonly resources: AwsResources
  readonly engine: Engine
  readonly s3: S3Client
  readonly sns: SNSClient
  readonly sqs: SQSClient
  readonly #options: DeployOptions
  readonly #functions = new Map<string, DeployedFunction>()
  readonly #mappings: (KinesisMapping | SqsMapping)[] = []
  readonly #kinesis: ReturnType<typeof kinesisClient>

  private constructor(options: DeployOptions, app: AppDefinition, resources: AwsResources, engine: Engine) {
    const access = accessOf(options.world)
    this.#options = options
    this.app = app
    this.resources = resources
    this.engine = engine
    this.s3 = s3Client(access('S3'))
    this.sns = snsClient(access('SNS'))
    this.sqs = sqsClient(access('SQS'))
    this.#kinesis = kinesisClient(access('KINESIS'))
  }

  /** Makes the resources of an application file, as a deployment does. Nothing is invoked yet. */
  static async deploy(options: DeployOptions): Promise<DeployedApp> {
    const { file, name, world } = options
    const app = options.app ?? (await loadApp(file))
    const resources: AwsResources = {
      name,
      bucket: `${name}-payloads`,
      schedulerRoleArn: SCHEDULER_ROLE,
      topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`,
    }
    const engine = await awsEngine({ app, resources, create: true, env: { ...process.env, ...world.env } })
    const deployed = new DeployedApp(options, app, resources, engine)
    await deployed.#create()
    return deployed
  }

  /** A function, as it is invoked; made with its first use. */
  fn(role: Role, subscription?: string): DeployedFunction {
    const name = [this.#options.name, subscription, role].filter((part) => part !== undefined).join('-')
    const known = this.#functions.get(name)
    if (known !== undefined) return known
    const { calls, env, envOf, file, timeoutMs = TIMEOUT_MS, world } = this.#options
    const caller = subscription === undefined ? role : `${role} ${subscription}`
    const handler = role === 'live' ? this.#liveHandlerOf(subscription as string) : role
    const made = new DeployedFunction({
      clock: systemClock,
      ...{ name, file: MODULE, exportName: handler },
      timeoutMs: subscription === undefined ? (TIMEOUTS_MS[role] ?? TIMEOUT_MS) : timeoutMs,
      env: (number) => ({
        ...world.env,
        ...resourceEnv(this.resources),
        ...(subscription !== undefined && { EDDY_SUBSCRIPTION: subscription }),
        ...(role === 'http' && { EDDY_TOKEN: TOKEN }),
        ...(role === 'rescue' && { EDDY_FUNCTIONS: this.#servedBy() }),
        ...(calls !== undefined && recordingEnv(calls, caller)),
        EDDY_APP: file,
        ...env,
        ...envOf?.(role, number),
      }),
    })
    this.#functions.set(name, made)
    return made
  }

  /** The mapping of a subscription's stream, with what the constructs say where nothing else is said. */
  mapStream(subscription: string, options: Partial<KinesisMappingOptions> = {}): KinesisMapping {
    const stream = streamNameOf(this.resources, this.#subscription(subscription).stream)
    const fn = this.fn('live', subscription)
    const mapping = startKinesisMapping({
      clock: systemClock,
      source: streamSource(this.#kinesis, stream),
      streamArn: `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${stream}`,
      functionArn: fn.arn,
      invoke: fn.invoke,
      reportBatchItemFailures: true,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 100,
      onFailure: this.failuresToS3(),
      ...options,
    })
    this.#mappings.push(mapping)
    return mapping
  }

  /** The mapping of a subscription's retry queue. */
  async mapRetries(subscription: string): Promise<SqsMapping> {
    const queue = queueNameOf(this.resources, `retry/${subscription}`, false)
    return this.mapQueue(await this.queueUrl(queue), queue, this.fn('retry', subscription))
  }

  mapQueue(url: string, queue: string, fn: DeployedFunction): SqsMapping {
    const mapping = startSqsMapping({
      clock: systemClock,
      source: queueSource(this.sqs, url),
      queueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${queue}`,
      invoke: fn.invoke,
      reportBatchItemFailures: true,
    })
    this.#mappings.push(mapping)
    return mapping
  }

  /** Puts the document of a batch into the bucket; EventBridge then invokes the rescue with it. */
  failuresToS3(): OnFailure {
    const { bucket } = this.resources
    return {
      type: 's3',
      put: async (key, body) => {
        await this.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
        const object = { key: encodeURIComponent(key).replaceAll('%2F', '/') }
        await this.rescue({ Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: bucket }, object } }] })
      },
    }
  }

  /** Sends the document to a queue that the rescue is mapped to. */
  async failuresToSqs(): Promise<OnFailure> {
    const queue = `${this.#options.name}-lost`
    const url = await this.queueUrl(queue, { VisibilityTimeout: '60' })
    this.mapQueue(url, queue, this.fn('rescue'))
    return {
      type: 'sqs',
      send: async (body) => {
        await this.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }))
      },
    }
  }

  /** Publishes the document to a topic, and invokes the rescue with what the topic gives out. */
  async failuresToSns(): Promise<OnFailure> {
    const { TopicArn: arn = '' } = await this.sns.send(
      new CreateTopicCommand({ Name: `${this.#options.name}-lost` }),
    )
    const url = await this.subscribeQueue(arn, `${this.#options.name}-lost-told`)
    return {
      type: 'sns',
      send: async (body) => {
        await this.sns.send(new PublishCommand({ TopicArn: arn, Message: body }))
        const [envelope = ''] = await this.received(url, 1)
        const { SigningCertURL, UnsubscribeURL, ...told } = JSON.parse(envelope) as Record<string, unknown>
        const Sns = { ...told, SigningCertUrl: SigningCertURL, UnsubscribeUrl: UnsubscribeURL }
        const about = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: `${arn}:rescue` }
        await this.rescue({ Records: [{ ...about, Sns }] })
      },
    }
  }

  /** As an asynchronous invocation: until it succeeds; EventBridge would try for a day. */
  async rescue(event: unknown): Promise<void> {
    await this.#asynchronously(this.fn('rescue'), event)
  }

  /** What a schedule invokes each minute, until one of its rounds succeeds. */
  async sweep(): Promise<void> {
    await this.#asynchronously(this.fn('sweep'), {})
  }

  /** A request by the function's URL; sent again while it is answered 503. @throws for any other answer but 2xx */
  async http<T>(method: string, pathAndQuery: string, body?: unknown): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const { statusCode, body: text } = await this.#request(method, pathAndQuery, body)
      if (statusCode < 300) return (text === '' ? undefined : JSON.parse(text)) as T
      if (statusCode !== 503 || tries === HTTP_TRIES)
        throw new Error(`${method} ${pathAndQuery}: ${statusCode} ${text}`)
      await sleep(1_000)
    }
  }

  async queueUrl(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    const command = new CreateQueueCommand({ QueueName: name, Attributes: attributes })
    const { QueueUrl: url } = await this.sqs.send(command)
    return url as string
  }

  /** A queue that gets what is published to the topic, in the envelope of SNS. */
  async subscribeQueue(topicArn: string, queue: string): Promise<string> {
    const url = await this.queueUrl(queue)
    const endpoint = `arn:aws:sqs:${REGION}:${ACCOUNT}:${queue}`
    await this.sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: endpoint }))
    return url
  }

  /** Messages of a queue, until there are so many. @throws after 30 s */
  async received(url: string, count: number): Promise<readonly string[]> {
    const bodies: string[] = []
    for (let looks = 0; bodies.length < count && looks < 300; looks += 1) {
      const { Messages: messages = [] } = await this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: Math.min(10, count - bodies.length),
        }),
      )
      for (const { Body: body = '', ReceiptHandle: handle } of messages) {
        bodies.push(body)
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: handle }))
      }
      if (messages.length === 0) await sleep(100)
    }
    if (bodies.length < count) throw new Error(`${bodies.length} of ${count} messages came`)
    return bodies
  }

  /** What the functions printed last, for a test that fails. */
  get logs(): string {
    return [...this.#functions.values()].join('\n')
  }

  async stop(): Promise<void> {
    const stopping = this.#mappings.map((mapping) => mapping.stop())
    await Promise.all([...this.#functions.values()].map((fn) => fn.close()))
    await Promise.all(stopping)
    await this.engine.close()
    for (const client of [this.s3, this.sns, this.sqs, this.#kinesis]) client.destroy()
  }

  async #create(): Promise<void> {
    const { app, engine, resources, sns } = this
    for (const { name, shards, retentionMs, durability } of app.streams)
      await engine.log.createStream({ name, shardCount: shards, retentionMs, durability })
    const { timeoutMs = TIMEOUT_MS, visibilityMs = 6 * timeoutMs } = this.#options
    const visibility = { VisibilityTimeout: String(Math.ceil(visibilityMs / 1_000)) }
    for (const { name } of app.subscriptions)
      await this.queueUrl(queueNameOf(resources, `retry/${name}`, false), visibility)
    for (const { name, group } of app.queues) {
      const isFifo = group !== undefined
      const fifo: Record<string, string> = isFifo ? { FifoQueue: 'true' } : {}
      await this.queueUrl(queueNameOf(resources, `queue/${name}`, isFifo), { ...visibility, ...fifo })
    }
    await sns.send(new CreateTopicCommand({ Name: this.#options.name }))
    await this.s3
      .send(new CreateBucketCommand({ Bucket: resources.bucket }))
      .catch((error: { name: string }) => {
        if (error.name !== 'BucketAlreadyOwnedByYou') throw error
      })
  }

  async #asynchronously(fn: DeployedFunction, event: unknown): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const result = await fn.invoke(event)
      if (result.ok) return
      if (tries === ASYNC_TRIES) throw new Error(`it fails: ${fn}`)
      await sleep(1_000)
    }
  }

  async #request(method: string, pathAndQuery: string, body: unknown): Promise<HttpAnswer> {
    const [rawPath = '/', rawQueryString = ''] = pathAndQuery.split('?')
    const result = await this.fn('http').invoke({
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString,
      headers: {
        host: 'abc.lambda-url.us-east-1.on.aws',
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
      },
      requestContext: {
        accountId: ACCOUNT,
        domainName: 'abc.lambda-url.us-east-1.on.aws',
        stage: '$default',
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      isBase64Encoded: false,
    })
    if (!result.ok) throw new Error(`the function of HTTP fails: ${result.errorMessage}`)
    return result.payload as HttpAnswer
  }

  #liveHandlerOf(subscription: string): 'kinesis' | 'queue' {
    return this.#subscription(subscription).queue === undefined ? 'kinesis' : 'queue'
  }

  #subscription(name: string): SubscriptionDefinition {
    const found = this.app.subscriptions.find((definition) => definition.name === name)
    if (found === undefined) throw new Error(`the application has no subscription ${name}`)
    return found
  }

  #servedBy(): string {
    return JSON.stringify(
      Object.fromEntries(
        this.app.subscriptions.map(({ name }) => [`${this.#options.name}-${name}-live`, name]),
      ),
    )
  }
}

function accessOf({ env }: AwsWorld) {
  return (service: string) => ({
    endpoint: env[`AWS_ENDPOINT_URL_${service}`] ?? (env.AWS_ENDPOINT_URL as string),
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
}
