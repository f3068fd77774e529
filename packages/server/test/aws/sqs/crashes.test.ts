import { type FaultPlan, Prng, quietFaults, SimWorld } from '@eddy/testing'
import { describe, expect, it } from 'vitest'
import { AwsError } from '../../../src/aws/aws-error.ts'
import { type ReceivedMessage, SqsClient, urlOf } from './support/sqs-client.ts'

/** Calls take a while, some fail, done or not, pages are short; a crash leaves what is under way done or not. */
const ROUGH: FaultPlan = {
  ...quietFaults,
  writeRejected: 0.05,
  readRejected: 0.02,
  shortPage: 0.2,
  callMs: { minMs: 0, maxMs: 8 },
  answerMs: { minMs: 0, maxMs: 8 },
}
const SEEDS = 8
const STEPS = 70
const GROUPS = 3
const VISIBILITY_S = 20

interface Sent {
  readonly body: string
  /** False: its answer was lost, so it may be there or not. */
  acknowledged: boolean
}

/** One client that notes what it was told, and holds the service to it over crashes and failures. */
class Witness {
  readonly #sqs: SqsClient
  readonly #queue: string
  readonly #dead: string
  readonly #prng: Prng
  readonly #sent: Sent[] = []
  readonly #deleted = new Set<string>()
  readonly #maybeDeleted = new Set<string>()
  readonly #hidden = new Map<string, { readonly untilMs: number; readonly count: number }>()
  readonly #held: ReceivedMessage[] = []
  readonly #lastOfGroup = new Map<string, number>()
  #isDown = false
  #crashed: (() => void) | undefined

  constructor(seed: number, fifo: boolean) {
    this.#prng = new Prng(`sqs ${seed}`)
    const onCrash = (): void => {
      this.#isDown = true
      this.#crashed?.()
    }
    const world = new SimWorld({ seed, faults: ROUGH, onCrash })
    this.#sqs = new SqsClient({ world })
    this.#queue = fifo ? 'work.fifo' : 'work'
    this.#dead = fifo ? 'dead.fifo' : 'dead'
  }

  async play(): Promise<void> {
    const fifo = this.#queue.endsWith('.fifo')
    await this.#surely('CreateQueue', this.#creation(this.#dead, {}))
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${this.#dead}`
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 4 })
    await this.#surely('CreateQueue', this.#creation(this.#queue, { RedrivePolicy }))
    for (let step = 0; step < STEPS; step++) {
      const drawn = this.#prng.next()
      if (drawn < 0.08) this.#sqs.world.crashAtCall(this.#sqs.world.callCount + 1 + this.#prng.int(6))
      if (drawn < 0.45) await this.#send(step, fifo)
      else if (drawn < 0.75) await this.#receive()
      else if (drawn < 0.9) await this.#deleteOne()
      else await this.#sqs.seconds(this.#prng.int(VISIBILITY_S))
    }
    this.#sqs.world.faults = quietFaults
    this.#sqs.world.crashAtCall(Number.POSITIVE_INFINITY)
    this.#restartIfDown()
    await this.#sqs.seconds(VISIBILITY_S)
    await this.#drain()
  }

  #creation(name: string, attributes: Readonly<Record<string, string>>): Record<string, string | object> {
    const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true', ContentBasedDeduplication: 'true' } : {}
    return { QueueName: name, Attributes: { ...fifo, ...attributes, VisibilityTimeout: `${VISIBILITY_S}` } }
  }

  /** Undefined: no answer, or one that says nothing. */
  async #try(operation: string, input: object): Promise<{ readonly [member: string]: unknown } | undefined> {
    this.#restartIfDown()
    const crash = new Promise<undefined>((resolve) => {
      this.#crashed = () => resolve(undefined)
    })
    const answer = this.#sqs.request(operation, input as never).catch((error: unknown) => {
      if (error instanceof AwsError) throw error
      return undefined
    })
    return await this.#sqs.clock.settle(Promise.race([answer, crash]))
  }

  #restartIfDown(): void {
    if (!this.#isDown) return
    this.#sqs.restart()
    this.#isDown = false
  }

  async #surely(operation: string, input: object): Promise<{ readonly [member: string]: unknown }> {
    for (let tries = 0; tries < 50; tries++) {
      const answer = await this.#try(operation, input)
      if (answer !== undefined) return answer
    }
    throw new Error(`${operation} was never answered`)
  }

  /** A FIFO sender repeats until it is answered: that may not make two of one. */
  async #send(step: number, fifo: boolean): Promise<void> {
    const group = `g${this.#prng.int(GROUPS)}`
    const sent: Sent = { body: `${group} ${step}`, acknowledged: false }
    const input = {
      QueueUrl: urlOf(this.#queue),
      MessageBody: sent.body,
      ...(fifo && { MessageGroupId: group }),
    }
    this.#sent.push(sent)
    sent.acknowledged =
      (await (fifo ? this.#surely('SendMessage', input) : this.#try('SendMessage', input))) !== undefined
  }

  async #receive(): Promise<void> {
    const answer = await this.#try('ReceiveMessage', {
      QueueUrl: urlOf(this.#queue),
      MaxNumberOfMessages: 3,
      MessageSystemAttributeNames: ['All'],
    })
    for (const message of (answer?.Messages ?? []) as readonly ReceivedMessage[]) this.#check(message)
  }

  #check(message: ReceivedMessage): void {
    const { Body } = message
    const nowMs = this.#sqs.clock.now()
    const count = Number(message.Attributes?.ApproximateReceiveCount)
    const before = this.#hidden.get(Body)
    expect(this.#deleted, `${Body} was deleted`).not.toContain(Body)
    expect(this.#sent.map(({ body }) => body)).toContain(Body)
    expect(count, `receive count of ${Body}`).toBeGreaterThan(before?.count ?? 0)
    // From the receive's start to its answer time passes: a few calls, and the waits of repeated writes.
    expect(nowMs, `${Body} is hidden`).toBeGreaterThanOrEqual((before?.untilMs ?? 0) - 1_500)
    this.#hidden.set(Body, { untilMs: nowMs + 1_000 * VISIBILITY_S, count })
    this.#held.push(message)
  }

  async #deleteOne(): Promise<void> {
    const [message] = this.#held.splice(this.#prng.int(this.#held.length + 1), 1)
    if (message === undefined) return
    const input = { QueueUrl: urlOf(this.#queue), ReceiptHandle: message.ReceiptHandle }
    this.#maybeDeleted.add(message.Body)
    try {
      if ((await this.#try('DeleteMessage', input)) !== undefined) this.#deleted.add(message.Body)
    } catch (error) {
      // A FIFO receipt that is too old: nothing was deleted, unless an earlier try did.
      expect(error).toMatchObject({ queryCode: 'InvalidParameterValue' })
    }
  }

  /** Everything that is left, from both queues, is what it should be. */
  async #drain(): Promise<void> {
    const left: string[] = []
    for (const queue of [this.#queue, this.#dead]) {
      for (let rounds = 0; rounds < 200; rounds++) {
        const messages = await this.#sqs.receive(queue, { VisibilityTimeout: 3_600 })
        if (messages.length === 0) break
        for (const message of messages) {
          left.push(message.Body)
          expect(this.#deleted, `${message.Body} was deleted`).not.toContain(message.Body)
          if (queue.endsWith('.fifo')) this.#checkOrder(queue, message.Body)
          await this.#sqs.delete(queue, message)
        }
      }
      expect(await this.#sqs.counts(queue)).toEqual([0, 0, 0])
    }
    expect(new Set(left).size, 'nothing is there twice').toBe(left.length)
    for (const { body, acknowledged } of this.#sent) {
      if (acknowledged && !this.#maybeDeleted.has(body)) expect(left, 'nothing is lost').toContain(body)
    }
    await this.#sqs.seconds(1)
    expect(this.#sqs.stored('messages')).toEqual([])
    expect(this.#sqs.stored('contents')).toEqual([])
  }

  #checkOrder(queue: string, body: string): void {
    const [group = '', number = ''] = body.split(' ')
    const key = `${queue} ${group}`
    expect(Number(number), `order of ${key}`).toBeGreaterThan(this.#lastOfGroup.get(key) ?? -1)
    this.#lastOfGroup.set(key, Number(number))
  }
}

describe('SQS: crashes and failing writes', () => {
  for (const fifo of [false, true]) {
    it(`lose nothing, bring nothing back and keep visibility, ${fifo ? 'FIFO' : 'standard'}`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        await new Witness(seed, fifo).play().catch((error: unknown) => {
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
        })
      }
    })
  }
})
