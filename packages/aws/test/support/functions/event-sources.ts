import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis'
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { KinesisSource, SqsSource } from '@eddy/testing/lambda'

/** A stream as Lambda's poller reads it. Of up to 1,000 shards: one page of ListShards. */
export function streamSource(client: KinesisClient, stream: string): KinesisSource {
  return {
    async listShards() {
      const { Shards: shards = [] } = await again(() =>
        client.send(new ListShardsCommand({ StreamName: stream })),
      )
      return shards.map(({ ShardId, ParentShardId, AdjacentParentShardId }) => ({
        shardId: ShardId as string,
        parentShardIds: [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined),
      }))
    },
    async start(shardId, position) {
      const { ShardIterator: iterator } = await again(() =>
        client.send(
          new GetShardIteratorCommand({
            StreamName: stream,
            ShardId: shardId,
            ShardIteratorType: position.at satisfies ShardIteratorType,
            ...(position.at === 'AT_TIMESTAMP' && { Timestamp: new Date(position.timestampMs) }),
          }),
        ),
      )
      return iterator as string
    },
    async read(_shardId, from, limit) {
      const { Records: records = [], NextShardIterator: next } = await again(() =>
        client.send(new GetRecordsCommand({ ShardIterator: from, Limit: limit })),
      )
      return {
        next: next ?? undefined,
        records: records.map((record) => ({
          sequenceNumber: record.SequenceNumber as string,
          data: record.Data as Uint8Array,
          approximateArrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? Date.now(),
          ...(record.PartitionKey !== undefined && { partitionKey: record.PartitionKey }),
        })),
      }
    },
  }
}

/** A queue as Lambda's poller receives from it. */
export function queueSource(client: SQSClient, url: string): SqsSource {
  return {
    async receive(max, signal) {
      const command = new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: max,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      })
      if (signal.aborted) return []
      const { Messages: messages = [] } = await again(() => client.send(command))
      return messages.map((message) => ({
        messageId: message.MessageId as string,
        receiptHandle: message.ReceiptHandle as string,
        body: message.Body as string,
        attributes: message.Attributes ?? {},
        md5OfBody: message.MD5OfBody ?? '',
      }))
    },
    async delete(handles) {
      for (const handle of handles)
        await again(() => client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: handle })))
    },
  }
}

const TRIES = 5
const WAIT_MS = 300

/** A poller goes on through connections that break: the emulators have one process with the test, which may be late. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call()
    } catch (error) {
      if (tries === TRIES) throw error
      await sleep(WAIT_MS * tries)
    }
  }
}
