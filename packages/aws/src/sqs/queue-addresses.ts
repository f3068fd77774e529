import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type AwsResources, queueNameOf } from '../resources/index.ts'
import { isQueueMissing, sqsError } from './sqs-errors.ts'

export interface QueueAddress {
  /** In the port. */
  readonly queue: string
  /** In SQS. */
  readonly name: string
  readonly url: string
  /** Its messages are delivered by groups, each in order. */
  readonly isFifo: boolean
}

/** What is asked for once it is needed. */
export interface QueueDetails {
  /** What schedules call it. */
  readonly arn: string
  /** Of a message. */
  readonly maxBytes: number
}

export interface QueueAddressesOptions {
  readonly client: SQSClient
  readonly resources: Pick<AwsResources, 'name'>
  readonly isFifo: (queue: string) => boolean
  /** Make what is not there. */
  readonly createQueues: boolean
}

/** 14 days, the most. */
export const RETENTION_MS: number = 14 * 24 * 3_600_000

/** Where the queues of the port are in SQS, each asked for once. */
export class QueueAddresses {
  readonly #options: QueueAddressesOptions
  readonly #found = new Map<string, Promise<QueueAddress>>()
  readonly #details = new Map<string, Promise<QueueDetails>>()

  constructor(options: QueueAddressesOptions) {
    this.#options = options
  }

  /** @throws StorageError, SqsRefusedError */
  find(queue: string): Promise<QueueAddress> {
    return kept(this.#found, queue, () => this.#find(queue))
  }

  /** @throws StorageError, SqsRefusedError */
  detailsOf({ queue, name, url }: QueueAddress): Promise<QueueDetails> {
    return kept(this.#details, queue, async () => {
      try {
        const { Attributes: attributes = {} } = await this.#options.client.send(
          new GetQueueAttributesCommand({
            QueueUrl: url,
            AttributeNames: ['QueueArn', 'MaximumMessageSize'],
          }),
        )
        const { QueueArn: arn = '', MaximumMessageSize: maxBytes } = attributes
        return { arn, maxBytes: maxBytes === undefined ? Number.POSITIVE_INFINITY : Number(maxBytes) }
      } catch (error) {
        throw sqsError(error, `GetQueueAttributes of queue "${name}"`)
      }
    })
  }

  /** It is not where it was. */
  forget(queue: string): void {
    this.#found.delete(queue)
    this.#details.delete(queue)
  }

  async #find(queue: string): Promise<QueueAddress> {
    const { client, resources, isFifo, createQueues } = this.#options
    const isOrdered = isFifo(queue)
    const name = queueNameOf(resources, queue, isOrdered)
    try {
      const { QueueUrl: url = '' } = await client.send(new GetQueueUrlCommand({ QueueName: name }))
      return { queue, name, url, isFifo: isOrdered }
    } catch (error) {
      if (!createQueues || !isQueueMissing(error)) throw sqsError(error, `GetQueueUrl of queue "${name}"`)
    }
    try {
      const { QueueUrl: url = '' } = await client.send(
        new CreateQueueCommand({ QueueName: name, Attributes: attributesOf(isOrdered) }),
      )
      return { queue, name, url, isFifo: isOrdered }
    } catch (error) {
      throw sqsError(error, `CreateQueue of queue "${name}"`)
    }
  }
}

/** Schedules send to a FIFO queue without an id of their own: its content tells a second copy. */
function attributesOf(isFifo: boolean): Record<string, string> {
  return {
    MessageRetentionPeriod: String(RETENTION_MS / 1_000),
    ...(isFifo && { FifoQueue: 'true', ContentBasedDeduplication: 'true' }),
  }
}

/** Of those who ask at the same time, one call; a failed one is not kept. */
function kept<T>(found: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  let asked = found.get(key)
  if (asked === undefined) {
    asked = ask()
    found.set(key, asked)
    asked.catch(() => found.delete(key))
  }
  return asked
}
