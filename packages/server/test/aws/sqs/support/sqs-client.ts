import { quietFaults, SimWorld, type VirtualClock } from '@eddy/testing'
import { AwsError } from '../../../../src/aws/aws-error.ts'
import type { AwsCall, AwsService, AwsStructure } from '../../../../src/aws/aws-service.ts'
import { callOperation } from '../../../../src/aws/call-operation.ts'
import type { SqsLimits } from '../../../../src/aws/sqs/sqs-limits.ts'
import { sqsService } from '../../../../src/aws/sqs/sqs-service.ts'

export const BASE_URL = 'http://localhost:4566'
export const ACCOUNT = '000000000000'

export function urlOf(name: string): string {
  return `${BASE_URL}/${ACCOUNT}/${name}`
}

export function arnOf(name: string): string {
  return `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`
}

export type Answer = { readonly [member: string]: unknown }

export interface ReceivedMessage {
  readonly MessageId: string
  readonly ReceiptHandle: string
  readonly Body: string
  readonly MD5OfBody: string
  readonly MD5OfMessageAttributes?: string
  readonly Attributes?: Readonly<Record<string, string>>
  readonly MessageAttributes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The service over a simulated table, called as the protocols call it; answers take no time unless they wait. */
export class SqsClient {
  readonly world: SimWorld
  #service: AwsService
  #stop = new AbortController()
  readonly #limits: Partial<SqsLimits>
  readonly #readOnly: boolean

  constructor(
    options: {
      readonly seed?: number
      readonly world?: SimWorld
      readonly limits?: Partial<SqsLimits>
      readonly readOnly?: boolean
    } = {},
  ) {
    this.#readOnly = options.readOnly === true
    this.world = options.world ?? new SimWorld({ seed: options.seed ?? 1, faults: quietFaults })
    this.#limits = options.limits ?? {}
    this.#service = this.#boot()
  }

  get clock(): VirtualClock {
    return this.world.clock
  }

  /** The process ends without a word, and the next one has only the table. */
  restart(): void {
    this.#stop.abort()
    this.world.crash()
    this.#service = this.#boot()
  }

  /** Another process on the same world, which only reads. */
  readingOnly(): SqsClient {
    return new SqsClient({ world: this.world, readOnly: true })
  }

  stop(): void {
    this.#stop.abort()
  }

  /** As a client's request, without driving the clock. */
  async request(operation: string, input: AwsStructure = {}, signal?: AbortSignal): Promise<Answer> {
    const call: AwsCall = {
      signal: signal ?? new AbortController().signal,
      region: 'us-east-1',
      accountId: ACCOUNT,
      baseUrl: BASE_URL,
    }
    return await callOperation(this.#service, operation, input, call)
  }

  /** Drives the clock until it is answered. */
  async call(operation: string, input: AwsStructure = {}): Promise<Answer> {
    return await this.clock.settle(this.request(operation, input))
  }

  /** The error that it is answered with. */
  async refused(operation: string, input: AwsStructure = {}): Promise<AwsError> {
    const answer = await this.call(operation, input).catch((error: unknown) => error)
    if (answer instanceof AwsError) return answer
    throw new Error(`${operation} was not refused: ${JSON.stringify(answer)}`, { cause: answer })
  }

  async createQueue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
    await this.call('CreateQueue', { QueueName: name, Attributes: { ...fifo, ...attributes } })
    return urlOf(name)
  }

  async send(queue: string, body: string, more: AwsStructure = {}): Promise<Answer> {
    return await this.call('SendMessage', { QueueUrl: urlOf(queue), MessageBody: body, ...more })
  }

  async receive(queue: string, more: AwsStructure = {}): Promise<readonly ReceivedMessage[]> {
    const answer = await this.call('ReceiveMessage', {
      QueueUrl: urlOf(queue),
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
      ...more,
    })
    return messagesIn(answer)
  }

  async receiveBodies(queue: string, more: AwsStructure = {}): Promise<readonly string[]> {
    return (await this.receive(queue, more)).map(({ Body }) => Body)
  }

  async delete(queue: string, message: ReceivedMessage | undefined): Promise<void> {
    if (message === undefined) throw new Error('there is no message to delete')
    await this.call('DeleteMessage', { QueueUrl: urlOf(queue), ReceiptHandle: message.ReceiptHandle })
  }

  async hide(queue: string, message: ReceivedMessage | undefined, seconds: number): Promise<void> {
    if (message === undefined) throw new Error('there is no message to hide')
    await this.call('ChangeMessageVisibility', {
      QueueUrl: urlOf(queue),
      ReceiptHandle: message.ReceiptHandle,
      VisibilityTimeout: seconds,
    })
  }

  async attributes(queue: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.call('GetQueueAttributes', {
      QueueUrl: urlOf(queue),
      AttributeNames: ['All'],
    })
    return answer.Attributes as Record<string, string>
  }

  /** Ready, in flight, delayed. */
  async counts(queue: string): Promise<readonly number[]> {
    const shown = await this.attributes(queue)
    return ['', 'NotVisible', 'Delayed'].map((what) => Number(shown[`ApproximateNumberOfMessages${what}`]))
  }

  /** Sort keys of what the table has of the queues: their `messages`, `contents` or `deduplication`. */
  stored(what: string): readonly string[] {
    const { table } = this.world.store
    const query = (partition: string) => table.query({ partition, limit: 1_000 }, this.clock.now()).items
    const ids = query('aws-sqs/queues').map(({ value }) => (value as { readonly id: string }).id)
    return ids.flatMap((id) => query(`aws-sqs/${what}/${id}`).map(({ sort }) => sort))
  }

  async seconds(count: number): Promise<void> {
    await this.clock.advance(1_000 * count)
  }

  #boot(): AwsService {
    this.#stop = new AbortController()
    const { table, clock } = this.world.boot()
    return sqsService({
      table,
      clock,
      signal: this.#stop.signal,
      limits: this.#limits,
      readOnly: this.#readOnly,
    })
  }
}

export function messagesIn(answer: Answer): readonly ReceivedMessage[] {
  return (answer.Messages ?? []) as readonly ReceivedMessage[]
}
