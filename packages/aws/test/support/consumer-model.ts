import type { ServiceModel } from '@eddy/server/aws-models'

const CONSUMER_ARN =
  '(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+'
const NAME = '[a-zA-Z0-9_.-]+'

/**
 * What botocore's model of Kinesis (1.43, Apache-2.0) says of requests about consumers, which Eddy's endpoint does not
 * serve.
 */
export const consumerModel: ServiceModel = {
  name: 'kinesis',
  apiVersion: '2013-12-02',
  targetPrefix: 'Kinesis_20131202',
  jsonVersion: '1.1',
  operations: {
    DescribeStreamConsumer: { input: 'DescribeStreamConsumerInput' },
    RegisterStreamConsumer: { input: 'RegisterStreamConsumerInput' },
    SubscribeToShard: { input: 'SubscribeToShardInput' },
  },
  shapes: {
    DescribeStreamConsumerInput: {
      type: 'structure',
      members: {
        StreamARN: { shape: 'StreamARN' },
        ConsumerName: { shape: 'ConsumerName' },
        ConsumerARN: { shape: 'ConsumerARN' },
      },
    },
    RegisterStreamConsumerInput: {
      type: 'structure',
      members: { StreamARN: { shape: 'StreamARN' }, ConsumerName: { shape: 'ConsumerName' } },
      required: ['StreamARN', 'ConsumerName'],
    },
    SubscribeToShardInput: {
      type: 'structure',
      members: {
        ConsumerARN: { shape: 'ConsumerARN' },
        ShardId: { shape: 'ShardId' },
        StartingPosition: { shape: 'StartingPosition' },
      },
      required: ['ConsumerARN', 'ShardId', 'StartingPosition'],
    },
    StartingPosition: {
      type: 'structure',
      members: {
        Type: { shape: 'ShardIteratorType' },
        SequenceNumber: { shape: 'SequenceNumber' },
        Timestamp: { shape: 'Timestamp' },
      },
      required: ['Type'],
    },
    StreamARN: { type: 'string', min: 1, max: 2048, pattern: 'arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+' },
    ConsumerARN: { type: 'string', min: 1, max: 2048, pattern: CONSUMER_ARN },
    ConsumerName: { type: 'string', min: 1, max: 128, pattern: NAME },
    ShardId: { type: 'string', min: 1, max: 128, pattern: NAME },
    SequenceNumber: { type: 'string', pattern: '0|([1-9]\\d{0,128})' },
    ShardIteratorType: {
      type: 'string',
      enum: ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER', 'TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'],
    },
    Timestamp: { type: 'timestamp' },
  },
}
