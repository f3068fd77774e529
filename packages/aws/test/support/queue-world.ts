import { setTimeout as sleep } from 'node:timers/promises'
import { CreateScheduleGroupCommand } from '@aws-sdk/client-scheduler'
import {
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Clock, Engine } from '@eddy/core'
import { SimWorld } from '@eddy/testing'
import type { EngineFixture } from '@eddy/testing/contracts'
import { type RunningScheduler, type SchedulerOptions, startScheduler } from '@eddy/testing/scheduler'
import { Schedules, schedulerClient } from '../../src/scheduler/index.ts'
import { type ReceivedMessage, SqsQueue, type SqsQueueOptions, sqsClient } from '../../src/sqs/index.ts'

export const TEST_ACCESS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}
const ROLE = 'arn:aws:iam::000000000000:role/scheduler'

/** A service's endpoint with a stand-in for EventBridge Scheduler beside it, whose schedules send there. */
export interface QueueWorld {
  readonly sqs: SQSClient
  readonly scheduler: RunningScheduler
  /** Requests that are not answered yet. */
  inFlight(): number
  /** A new application: its queues, and what it is with them after a kill. */
  application(more?: Partial<SqsQueueOptions>): Promise<{ open(): SqsQueue; readonly world: SimWorld }>
  /** Queues of the application that was made last. */
  urlsOfLast(): Promise<readonly string[]>
  /** As somebody else sends and receives. */
  sendRaw(url: string, body: string): Promise<void>
  receiveRaw(url: string): Promise<readonly ReceivedMessage[]>
  close(): Promise<void>
}

let applications = 0

export async function startQueueWorld(
  endpoint: string,
  clock: Clock,
  options: Partial<SchedulerOptions> = {},
): Promise<QueueWorld> {
  const sqs = sqsClient({ endpoint, ...TEST_ACCESS })
  const scheduler = await startScheduler({ clock, invoke: (one) => sendTo(sqs, one), ...options })
  const client = schedulerClient({ endpoint: scheduler.endpoint, ...TEST_ACCESS })
  let inFlight = 0
  const counted =
    <A, R>(next: (args: A) => Promise<R>) =>
    async (args: A): Promise<R> => {
      inFlight += 1
      try {
        return await next(args)
      } finally {
        inFlight -= 1
      }
    }
  sqs.middlewareStack.add(counted, { step: 'initialize' })
  client.middlewareStack.add(counted, { step: 'initialize' })
  return {
    ...{ sqs, scheduler },
    inFlight: () => inFlight,
    async application(more = {}) {
      applications += 1
      const name = `app-${applications}`
      await client.send(new CreateScheduleGroupCommand({ Name: name }))
      // Table and blobs are those of the simulation: only the queue is under test.
      const world = new SimWorld({ seed: applications, startMs: clock.now() })
      const { table, blobs } = world.boot()
      const longDelays = new Schedules({ client, clock, groupName: name, roleArn: ROLE })
      const open = (): SqsQueue =>
        new SqsQueue({
          ...{ client: sqs, clock, resources: { name }, blobs, table, longDelays },
          ...{ createQueues: true, purgeMs: 0, ...more },
        })
      return { open, world }
    },
    async urlsOfLast() {
      const { QueueUrls: urls = [] } = await sqs.send(
        new ListQueuesCommand({ QueueNamePrefix: `app-${applications}-` }),
      )
      return urls
    },
    async sendRaw(url, body) {
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body }))
    },
    async receiveRaw(url) {
      const { Messages: messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          ...{ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 30 },
          MessageSystemAttributeNames: ['All'],
        }),
      )
      return messages.map(({ MessageId: messageId = '', ReceiptHandle: receiptHandle = '', ...rest }) => ({
        ...{ messageId, receiptHandle, body: rest.Body ?? '' },
        attributes: (rest.Attributes ?? {}) as Record<string, string>,
      }))
    },
    async close() {
      await scheduler.close()
      client.destroy()
      sqs.destroy()
    },
  }
}

/** As an engine for the contract suites, in real time: SQS counts seconds, so every wait is one or more. */
export async function queueFixture(
  world: QueueWorld,
  clock: Clock,
  more: Partial<SqsQueueOptions> = {},
): Promise<EngineFixture> {
  const { open, world: sim } = await world.application(more)
  const engine = (): Engine => ({ ...sim.boot(), queue: open(), clock })
  return {
    engine: engine(),
    advance: (ms) => sleep(Math.ceil(ms / 1_000) * 1_000 + 100),
    reopen: async () => engine(),
    close: async () => {},
  }
}

async function sendTo(
  sqs: SQSClient,
  {
    arn,
    input,
    messageGroupId,
  }: { readonly arn: string; readonly input: string; readonly messageGroupId?: string },
): Promise<void> {
  const { QueueUrl: url } = await sqs.send(new GetQueueUrlCommand({ QueueName: arn.split(':').at(-1) }))
  await sqs.send(
    new SendMessageCommand({
      ...{ QueueUrl: url, MessageBody: input },
      ...(messageGroupId !== undefined && { MessageGroupId: messageGroupId }),
    }),
  )
}
