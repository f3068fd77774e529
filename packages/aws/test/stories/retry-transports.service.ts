import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { defineApp, encodeEvent, list, silentLogger, stream, subscribe } from '@eddy/core'
import {
  LambdaFunction,
  type LambdaHandler,
  type SqsSource,
  startKinesisMapping,
  startSqsMapping,
} from '@eddy/testing/lambda'
import { expect, onTestFinished, test } from 'vitest'
import { handlers } from '../../src/lambda/index.ts'
import { queueNameOf } from '../../src/resources/index.ts'
import { kinesisSource } from '../lambda/support/lambda-world.ts'
import { queueSource } from '../support/functions/event-sources.ts'
import { startVirtualQueues, type VirtualQueues } from '../support/virtual-queues.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DELAYS_MS = [1_000, 10 * MINUTE_MS, 40 * MINUTE_MS, 20 * HOUR_MS]
/** How often the queue is looked at here, where Lambda's poller waits with its request. */
const LOOK_MS = 15_000
const TIMEOUT_MS = 70_000
const EVENTS = stream('events', { shards: 1 })

test('I5: functions of AWS Lambda retry in 1 s, 10 min, 40 min and 20 h, each by its way and never early', async () => {
  const virtual = await startVirtualQueues(Date.UTC(2026, 10, 22, 5, 6, 7, 89))
  onTestFinished(() => virtual.close())
  const { world, queues, advanceTo } = virtual
  const { clock } = world
  const ways = waysOf(queues.sqs)
  const startedAtMs: number[] = []
  const endedAtMs: number[] = []
  const app = defineApp({
    subscriptions: [
      subscribe('work', EVENTS, {
        failure: { blocks: 'nothing', retry: list(DELAYS_MS), exhausted: 'dead-letter' },
        handle: async () => {
          startedAtMs.push(clock.now())
          await clock.sleep(5)
          endedAtMs.push(clock.now())
          throw new Error('planned')
        },
      }),
    ],
  })
  const resources = { name: 'retries' }
  const { open } = await queues.application({ resources })
  const functions = () =>
    handlers(app, {
      engine: () => ({ ...world.boot(), queue: open() }),
      subscription: 'work',
      logger: silentLogger,
      metrics: () => {},
      env: {},
    })
  // Each has its own process.
  const [live, later] = [functions(), functions()]
  const fn = (name: string, handler: LambdaHandler): LambdaFunction =>
    new LambdaFunction({ clock, name, timeoutMs: TIMEOUT_MS, handler })
  const engine = world.boot()
  await clock.settle(
    engine.log.createStream({
      name: 'events',
      shardCount: 1,
      retentionMs: 24 * HOUR_MS,
      durability: 'fsync',
    }),
  )
  const data = encodeEvent({ key: 'k', data: {} }, { stream: 'events', id: 'e1', nowMs: clock.now() })
  await clock.settle(engine.log.append('events', [{ partitionKey: 'k', data }]))

  const first = fn('live', live.kinesis)
  const mapped = startKinesisMapping({
    clock,
    source: kinesisSource(engine, 'events'),
    streamArn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/events',
    functionArn: first.arn,
    invoke: first.invoke,
    reportBatchItemFailures: true,
  })
  const queue = queueNameOf(resources, 'retry/work', false)
  const mappedRetries = startSqsMapping({
    clock,
    source: await lookingSource(virtual, queue),
    queueArn: `arn:aws:sqs:eu-west-1:000000000000:${queue}`,
    invoke: fn('retry', later.retry).invoke,
    reportBatchItemFailures: true,
  })
  await advanceTo(clock.now() + 10_000)
  const stopped = mapped.stop()
  const totalMs = DELAYS_MS.reduce((sum, delayMs) => sum + delayMs + 2 * MINUTE_MS, 0)
  await advanceTo(clock.now() + totalMs)
  await stopped

  const waitsMs = startedAtMs.slice(1).map((atMs, index) => atMs - (endedAtMs[index] as number))
  expect(waitsMs).toHaveLength(DELAYS_MS.length)
  for (const [index, delayMs] of DELAYS_MS.entries()) {
    expect(waitsMs[index]).toBeGreaterThanOrEqual(delayMs)
    // A second of SQS' grain and a look at the queue.
    expect(waitsMs[index]).toBeLessThanOrEqual(delayMs + LOOK_MS + 2_000)
  }
  // Hidden for 10 minutes; for longer it is sent anew, a minute or two early, and hidden for the rest.
  const rest = expect.stringMatching(/^VisibilityTimeout ([6-9]\d|1[01]\d)$/)
  expect(ways).toEqual(['DelaySeconds 1', 'VisibilityTimeout 600', rest, rest])
  const schedules = queues.scheduler.requests.filter(({ operation }) => operation === 'CreateSchedule')
  expect(schedules).toHaveLength(2)
  expect(queues.scheduler.refusals).toEqual([])

  const stopping = mappedRetries.stop()
  await advanceTo(clock.now() + 2 * LOOK_MS)
  await stopping
})

/** How messages are delayed, in the order of the requests. */
function waysOf(sqs: SQSClient): readonly string[] {
  const ways: string[] = []
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const input = args.input as { Entries?: { DelaySeconds?: number }[]; VisibilityTimeout?: number }
        if (commandName === 'SendMessageBatchCommand')
          ways.push(`DelaySeconds ${input.Entries?.map(({ DelaySeconds: delay }) => delay).join()}`)
        if (commandName === 'ChangeMessageVisibilityCommand')
          ways.push(`VisibilityTimeout ${input.VisibilityTimeout}`)
        return next(args)
      },
    { step: 'initialize' },
  )
  return ways
}

/** The queue that the constructs make, looked at from time to time: a request that waits would do so in real time. */
async function lookingSource({ world, queues }: VirtualQueues, name: string): Promise<SqsSource> {
  const Attributes = { VisibilityTimeout: String((6 * TIMEOUT_MS) / 1_000) }
  const { QueueUrl: url = '' } = await queues.sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes }),
  )
  const source = queueSource(queues.sqs, url)
  return {
    delete: (handles) => source.delete(handles),
    async receive(max, signal) {
      const messages = await source.receive(max, signal)
      if (messages.length === 0) await world.clock.sleep(LOOK_MS - 1_000, signal)
      return messages
    },
  }
}
