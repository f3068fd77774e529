import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { QueueAddress } from './queue-addresses.ts'

/** What SQS says of a queue; approximate, and up to a minute behind. */
export interface QueueCounts {
  readonly ready: number
  readonly inFlight: number
  readonly delayed: number
}

/** @throws what the client throws */
export async function queueCounts(client: SQSClient, { url }: QueueAddress): Promise<QueueCounts> {
  const { Attributes: attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  )
  return {
    ready: Number(attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(attributes.ApproximateNumberOfMessagesDelayed ?? 0),
  }
}
