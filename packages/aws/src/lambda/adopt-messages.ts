import { type Delivery, type Engine, InvalidOptionError, type Invocations } from '@eddy/core'
import type { ReceivedMessage } from '../sqs/index.ts'
import { sqsDelivery } from './deliveries.ts'
import type { SqsRecord } from './lambda-events.ts'

/** What an engine's queue has that knows messages of SQS by more than their text. */
interface Adopts {
  adopt(
    queue: string,
    messages: readonly ReceivedMessage[],
    visibilityMs: number,
  ): Promise<readonly (Delivery | undefined)[]>
}

/** A function's messages, as the queue's port delivers them. */
export interface AdoptedMessages {
  readonly deliveries: readonly Delivery[]
  /**
   * Removes what was sent beside the messages that are done with, such as a body in a blob.
   * @returns ids of the messages that are left
   */
  settle(left: readonly Delivery[]): Promise<readonly string[]>
}

/** @param queue - of the port */
export async function adoptMessages(
  { queue: port }: Pick<Engine, 'queue'>,
  queue: string,
  records: readonly SqsRecord[],
  visibilityMs: number,
): Promise<AdoptedMessages> {
  if (!('adopt' in port)) {
    const deliveries = records.map(sqsDelivery)
    return { deliveries, settle: async (left) => left.map(({ messageId }) => messageId) }
  }
  const adopted = inOrder(records, await (port as unknown as Adopts).adopt(queue, records, visibilityMs))
  return {
    deliveries: adopted.filter((delivery) => delivery !== undefined),
    settle: async (left) => {
      const isDone = (delivery: Delivery | undefined): delivery is Delivery =>
        delivery !== undefined && !left.includes(delivery)
      await port.ack(
        queue,
        adopted.filter(isDone).map(({ receipt }) => receipt),
      )
      return records.filter((_record, index) => !isDone(adopted[index])).map(({ messageId }) => messageId)
    },
  }
}

/** Of a group nothing is handled behind a message that is not to be handled now: not due, or its body is missing (I3). */
function inOrder(
  records: readonly SqsRecord[],
  adopted: readonly (Delivery | undefined)[],
): readonly (Delivery | undefined)[] {
  const waiting = new Set<string | undefined>()
  return adopted.map((delivery, index) => {
    const { attributes, eventSourceARN } = records[index] as SqsRecord
    // A standard queue has groups for fairness, not for order.
    if (!eventSourceARN.endsWith('.fifo')) return delivery
    if (delivery === undefined) waiting.add(attributes.MessageGroupId)
    return waiting.has(attributes.MessageGroupId) ? undefined : delivery
  })
}

/** Of the port. @throws InvalidOptionError for a subscription of a stream */
export function queueOf(
  { app }: Pick<Invocations, 'app'>,
  kind: 'messages' | 'tokens',
  subscription: string,
): string {
  if (kind === 'tokens') return `retry/${subscription}`
  const definition = app.subscriptions.find(({ name }) => name === subscription)
  if (definition?.queue === undefined)
    throw new InvalidOptionError('the subscription of the function', 'one of a queue', subscription)
  return definition.stream
}
