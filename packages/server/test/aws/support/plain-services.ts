import { EventEmitter, once } from 'node:events'
import { AwsError } from '../../../src/aws/aws-error.ts'
import type { AwsOperation, AwsService, AwsStructure } from '../../../src/aws/aws-service.ts'
import { kinesisModel } from '../../../src/aws/model/kinesis-model.ts'
import { sqsModel } from '../../../src/aws/model/sqs-model.ts'

/** Services as small as can be, for tests of what lies around services. */
export interface PlainServices {
  readonly services: readonly AwsService[]
  /** What reached an operation, in order. */
  readonly inputs: AwsStructure[]
  /** Resolves when so many calls of DescribeLimits wait: they do until their client goes or the endpoint stops. */
  untilWaiting(calls: number): Promise<void>
}

export const ARRIVED_AT: Date = new Date(1_700_000_000_123)

export function plainServices(): PlainServices {
  const inputs: AwsStructure[] = []
  let waiting = 0
  const arrivals = new EventEmitter()
  const answers = (answer: (input: AwsStructure) => AwsStructure): AwsOperation => {
    return async (input) => {
      inputs.push(input)
      return answer(input)
    }
  }
  const kinesis: AwsService = {
    model: kinesisModel,
    operations: new Map<string, AwsOperation>([
      ['PutRecord', answers(() => ({ ShardId: 'shardId-000000000000', SequenceNumber: '1' }))],
      [
        'PutRecords',
        answers((input) => ({
          FailedRecordCount: 0,
          Records: (input.Records as AwsStructure[]).map((_, index) => ({
            ShardId: 'shardId-000000000000',
            SequenceNumber: String(index),
          })),
        })),
      ],
      [
        'GetRecords',
        answers(() => ({
          Records: inputs
            .filter(({ PartitionKey }) => PartitionKey !== undefined)
            .map(({ Data, PartitionKey }, index) => ({
              Data,
              PartitionKey,
              SequenceNumber: String(index),
              ApproximateArrivalTimestamp: ARRIVED_AT,
            })),
          NextShardIterator: 'next',
          MillisBehindLatest: 0,
        })),
      ],
      ['GetShardIterator', answers(() => ({ ShardIterator: 'it' }))],
      ['CreateStream', answers(() => ({}))],
      [
        'DeleteStream',
        async () => {
          throw new AwsError('ResourceNotFoundException', 'Stream <a> & "b" not found.')
        },
      ],
      [
        'DescribeLimits',
        async (_input, { signal }) => {
          waiting += 1
          arrivals.emit('arrival')
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
          waiting -= 1
          arrivals.emit('departure')
          return { ShardLimit: 0, OpenShardCount: 0 }
        },
      ],
      [
        'ListStreams',
        async () => {
          throw new Error('a bug')
        },
      ],
    ]),
  }
  const sqs: AwsService = {
    model: sqsModel,
    operations: new Map<string, AwsOperation>([
      ['SendMessage', answers(() => ({ MessageId: 'id-1', MD5OfMessageBody: 'md5' }))],
      [
        'GetQueueUrl',
        async (input, { baseUrl, accountId }) => ({
          QueueUrl: `${baseUrl}/${accountId}/${String(input.QueueName)}`,
        }),
      ],
      [
        'ReceiveMessage',
        answers(() => ({
          Messages: [
            {
              MessageId: 'id-1',
              Body: 'a <b> & "c"\r\n\u0001',
              Attributes: { SenderId: 'me', SentTimestamp: '1' },
              MessageAttributes: {
                blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
              },
            },
          ],
        })),
      ],
      [
        'DeleteQueue',
        async () => {
          throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', {
            queryCode: 'AWS.SimpleQueueService.NonExistentQueue',
          })
        },
      ],
      ['TagQueue', answers(() => ({}))],
      ['SendMessageBatch', answers(() => ({ Successful: [], Failed: [] }))],
    ]),
  }
  return {
    services: [kinesis, sqs],
    inputs,
    async untilWaiting(calls) {
      while (waiting !== calls) await once(arrivals, waiting < calls ? 'arrival' : 'departure')
    },
  }
}
