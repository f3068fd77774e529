import { type Handlers, handlers } from '@eddy/aws/lambda'
import {
  type AppDefinition,
  createInvocations,
  type Delivery,
  defineApp,
  encodeEvent,
  fixed,
  type LedgerItem,
  queue,
  silentLogger,
  stream,
  subscribe,
} from '@eddy/core'
import { SimWorld } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import { resourcesOf, synthesized } from '../support/synthesized.ts'

const SECOND_MS = 1_000
/** What the start of a process may take of a function's time. */
const START_MS = 2_500

type Handle = (id: string, exit: () => Promise<never>) => unknown

function makeApp(handle: Handle, exit: () => Promise<never>): AppDefinition {
  const failure = {
    blocks: 'nothing' as const,
    immediate: 0,
    retry: fixed({ delayMs: SECOND_MS, maxAttempts: 20 }),
  }
  const call = (event: { readonly id: string }) => handle(event.id, exit)
  return defineApp({
    subscriptions: [
      subscribe('work', stream('events', { shards: 1 }), { failure, timeoutMs: 30_000, handle: call }),
      subscribe('jobs', queue('jobs'), { failure, timeoutMs: 30_000, handle: call }),
    ],
  })
}

const nobody = makeApp(
  () => undefined,
  () => new Promise(() => {}),
)
/** The least that the options take: a second less is refused. */
const least = { timeoutSeconds: 45, maximumRecordAgeSeconds: 3_600 }
const made = synthesized(
  { subscriptions: { work: least, jobs: { timeoutSeconds: least.timeoutSeconds } } },
  nobody,
)

const functionOf = (handler: string) =>
  [...resourcesOf(made, 'AWS::Lambda::Function').values()]
    .map(({ Properties }) => Properties as { Handler: string; Timeout: number; Environment: Variables })
    .find(({ Handler }) => Handler === `index.${handler}`) as { Timeout: number; Environment: Variables }
const queueOf = (name: string) =>
  [...resourcesOf(made, 'AWS::SQS::Queue').values()]
    .map(({ Properties }) => Properties as unknown as RedrivenQueue)
    .find(({ QueueName }) => QueueName === name) as RedrivenQueue

interface Variables {
  readonly Variables: Readonly<Record<string, string>>
}

interface RedrivenQueue {
  readonly QueueName: string
  readonly VisibilityTimeout: number
  readonly RedrivePolicy: { readonly maxReceiveCount: number }
}

/** Functions of which each invocation has a process of its own, with the time that the constructs give it. */
class Functions {
  readonly world = new SimWorld({ seed: 1 })
  readonly #handle: Handle

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** @returns what the function answered; undefined: its process died */
  async invoke<K extends 'kinesis' | 'queue' | 'retry'>(
    kind: K,
    event: Parameters<Handlers[K]>[0],
  ): Promise<Awaited<ReturnType<Handlers[K]>> | undefined> {
    const { world } = this
    const engine = world.boot()
    let died = (): void => {}
    const death = new Promise<undefined>((resolve) => {
      died = () => resolve(undefined)
    })
    const app = makeApp(this.#handle, () => {
      world.crash(engine)
      died()
      return new Promise(() => {})
    })
    const { Environment, Timeout } = functionOf(kind)
    const env = Object.fromEntries(
      Object.entries(Environment.Variables).filter(([, value]) => typeof value === 'string'),
    )
    const subscription = kind === 'queue' ? 'jobs' : 'work'
    const remainingMs = Timeout * SECOND_MS - START_MS
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => remainingMs }
    const options = { engine: () => engine, logger: silentLogger, metrics: () => {}, traces: false }
    const handler = handlers(app, { ...options, env, subscription })[kind]
    const answer = (handler as (event: unknown, context: unknown) => Promise<never>)(event, context)
    return await world.clock.settle(Promise.race([answer, death]))
  }

  async failures(): Promise<readonly LedgerItem[]> {
    const looker = createInvocations({ engine: this.world.boot(), app: nobody, processId: 'looker' })
    return (await this.world.clock.settle(looker.operations.listFailures({}))).items
  }
}

const sqsEvent = ({
  messageId,
  receipt,
  body,
  receiveCount,
  sentAtMs,
}: Omit<Delivery, 'sequenceNumber'>) => ({
  Records: [
    {
      ...{ messageId, body, receiptHandle: receipt, eventSource: 'aws:sqs', eventSourceARN: 'arn' },
      attributes: { ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(sentAtMs) },
    },
  ],
})
const textOf = (id: string) =>
  Buffer.from(encodeEvent({ key: 'k', id, data: null }, { stream: 's', id, nowMs: 0 })).toString()
const kinesisEvent = (id: string, atMs: number) => ({
  Records: [
    {
      kinesis: {
        partitionKey: 'k',
        sequenceNumber: '1000000000000000',
        data: Buffer.from(textOf(id)).toString('base64'),
        approximateArrivalTimestamp: atMs / SECOND_MS,
      },
      eventID: 'shardId-000000000000:1000000000000000',
      eventSourceARN: 'arn',
    },
  ],
})

async function withStream(handle: Handle): Promise<Functions> {
  const functions = new Functions(handle)
  const { log } = functions.world.boot()
  const spec = { name: 'events', shardCount: 1, retentionMs: 86_400_000, durability: 'os' as const }
  await functions.world.clock.settle(log.createStream(spec))
  return functions
}

describe('What the constructs set is what the handlers need', () => {
  it('the least timeout leaves time for a handler, its start and the answer; less is refused', async () => {
    const handled: string[] = []
    const functions = await withStream((id) => void handled.push(id))
    const { world } = functions
    const atMs = world.clock.now()
    expect(await functions.invoke('kinesis', kinesisEvent('e1', atMs))).toEqual({ batchItemFailures: [] })
    const one = { messageId: 'm', receipt: 'm', body: textOf('m1'), receiveCount: 1, sentAtMs: atMs }
    expect(await functions.invoke('queue', sqsEvent(one))).toEqual({ batchItemFailures: [] })
    expect(handled).toEqual(['e1', 'm1'])
    const tooLittle = { subscriptions: { work: { timeoutSeconds: least.timeoutSeconds - 1 } } }
    expect(() => synthesized(tooLittle, nobody)).toThrow(/^subscriptions\["work"\]\.timeoutSeconds: expected/)
  })

  it('a message that ends each process is given up before its queue gives it up (I2)', async () => {
    const functions = await withStream((_id, exit) => exit())
    const { maxReceiveCount } = queueOf('shop-queue-jobs').RedrivePolicy
    let receives = 0
    for (let answer: unknown; answer === undefined; ) {
      receives += 1
      const one = { messageId: 'm', receipt: 'm', body: textOf('m1'), receiveCount: receives, sentAtMs: 0 }
      answer = await functions.invoke('queue', sqsEvent(one))
      expect(receives).toBeLessThanOrEqual(maxReceiveCount)
    }
    // What the guide asks of a queue that is made by hand.
    expect(receives).toBe(6)
    expect((await functions.failures()).map(({ status }) => status)).toEqual(['dead'])
  })

  it('a retry that ends each process is given up before its queue takes its timer (I2)', async () => {
    let isFirst = true
    const functions = await withStream((_id, exit) => {
      if (!isFirst) return exit()
      isFirst = false
      throw new Error('not yet')
    })
    const { clock } = functions.world
    await functions.invoke('kinesis', kinesisEvent('e1', clock.now()))
    const { RedrivePolicy, VisibilityTimeout } = queueOf('shop-retry-work')
    const visibilityMs = VisibilityTimeout * SECOND_MS
    let receives = 0
    for (
      let rounds = 0;
      (await functions.failures()).some(({ status }) => status === 'retrying');
      rounds += 1
    ) {
      expect(rounds).toBeLessThan(20)
      await clock.advance(visibilityMs)
      const service = functions.world.boot()
      const request = { queue: 'retry/work', maxMessages: 1, visibilityMs, waitMs: 0 }
      for (const delivery of await clock.settle(service.queue.receive(request))) {
        receives = Math.max(receives, delivery.receiveCount)
        await functions.invoke('retry', sqsEvent(delivery))
      }
    }
    expect((await functions.failures()).map(({ status }) => status)).toEqual(['dead'])
    // At least as often as it may end a process, or nothing was shown.
    expect(receives).toBeGreaterThanOrEqual(4)
    expect(receives).toBeLessThanOrEqual(5)
    expect(RedrivePolicy.maxReceiveCount).toBeGreaterThanOrEqual(5)
  })

  it('holds are kept for as long as a mapping brings records, and messages hidden while a function has them', () => {
    const ages = [...resourcesOf(made, 'AWS::Lambda::EventSourceMapping').values()].flatMap(
      ({ Properties }) => (Properties.MaximumRecordAgeInSeconds as number | undefined) ?? [],
    )
    expect(ages).toEqual([least.maximumRecordAgeSeconds])
    for (const handler of ['kinesis', 'retry', 'sweep', 'rescue'])
      expect(Number(functionOf(handler).Environment.Variables.EDDY_MAX_RECORD_AGE_MS)).toBeGreaterThanOrEqual(
        Math.max(...ages) * SECOND_MS,
      )
    for (const [name, handler] of [
      ['shop-queue-jobs', 'queue'],
      ['shop-retry-work', 'retry'],
      ['shop-dead-queue-jobs', 'rescue'],
    ] as const)
      expect(queueOf(name).VisibilityTimeout, name).toBeGreaterThanOrEqual(6 * functionOf(handler).Timeout)
  })
})
