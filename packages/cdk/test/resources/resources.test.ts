import { defineApp, stream } from '@eddy/core'
import { RemovalPolicy } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, it } from 'vitest'
import { resourcesOf, synthesized } from '../support/synthesized.ts'

const shop = synthesized()
const { template } = shop

describe('Streams', () => {
  it('have the shards, the mode and the retention that the application says', () => {
    template.hasResourceProperties('AWS::Kinesis::Stream', {
      Name: 'shop-orders',
      ShardCount: 2,
      RetentionPeriodHours: 72,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    })
    template.hasResourceProperties('AWS::Kinesis::Stream', {
      Name: 'shop-clicks',
      ShardCount: Match.absent(),
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    })
  })

  it('go by their keys: nothing asks for a distribution that ignores them', () => {
    for (const { Properties } of resourcesOf(shop, 'AWS::Kinesis::Stream').values())
      expect(Properties).not.toHaveProperty('RecordDistributionStrategy')
  })

  it('keep records for a day at least, and take records as large as their limits', () => {
    const app = defineApp({
      streams: [
        stream('short', { shards: 1, retentionMs: 3_600_000 }),
        stream('large', { shards: 1, limits: { maxRecordBytes: 4 * 1024 * 1024 } }),
      ],
      subscriptions: [],
    })
    const made = synthesized({}, app).template
    made.hasResourceProperties('AWS::Kinesis::Stream', { Name: 'shop-short', RetentionPeriodHours: 24 })
    made.hasResourceProperties('AWS::Kinesis::Stream', { Name: 'shop-large', MaxRecordSizeInKiB: 4_096 })
  })

  it('that are there are read under their own name, and neither made nor changed', () => {
    const existing = synthesized({ streams: { orders: 'orders-v2' } })
    const names = [...resourcesOf(existing, 'AWS::Kinesis::Stream').values()].map(
      ({ Properties }) => Properties.Name,
    )
    expect(names).toEqual(['shop-clicks'])
    const functions = [...resourcesOf(existing, 'AWS::Lambda::Function').values()]
    for (const { Properties } of functions)
      expect(Properties.Environment).toMatchObject({ Variables: { EDDY_STREAMS: '{"orders":"orders-v2"}' } })
    const sources = [...resourcesOf(existing, 'AWS::Lambda::EventSourceMapping').values()]
    expect(JSON.stringify(sources)).toContain(':stream/orders-v2')
  })
})

describe('The table', () => {
  it('has the shape of the engine, expiry, recovery to any second, and is protected', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TableName: 'shop',
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      GlobalSecondaryIndexes: [Match.objectLike({ IndexName: 'by-index' })],
    })
  })
})

describe('The bucket', () => {
  it('is closed, asks for TLS, tells EventBridge, and forgets unfinished uploads and old failed batches', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }),
          Match.objectLike({ Prefix: 'queue-payloads/weeks/', ExpirationInDays: 29 }),
          Match.objectLike({ Prefix: 'queue-payloads/year/', ExpirationInDays: 400 }),
          Match.objectLike({ Prefix: 'aws/lambda/', ExpirationInDays: 30 }),
        ],
      },
    })
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    })
  })

  it('needs no function of the deployment to tell EventBridge', () => {
    template.resourceCountIs('Custom::S3BucketNotifications', 0)
  })
})

describe('Queues', () => {
  const queues = [...resourcesOf(shop, 'AWS::SQS::Queue').values()].map(({ Properties }) => Properties)
  const named = (name: string) => queues.find(({ QueueName }) => QueueName === name)

  it('are one a queue source and one a subscription, each with a dead queue behind it', () => {
    expect(queues.map(({ QueueName }) => QueueName).sort()).toEqual([
      'shop-dead-invocations',
      'shop-dead-queue-emails.fifo',
      'shop-dead-retry-charge',
      'shop-dead-retry-count',
      'shop-dead-retry-ledger',
      'shop-dead-retry-mail',
      'shop-dead-schedules',
      'shop-queue-emails.fifo',
      'shop-retry-charge',
      'shop-retry-count',
      'shop-retry-ledger',
      'shop-retry-mail',
    ])
    const redriven = queues.filter(({ QueueName }) => !(QueueName as string).includes('-dead-'))
    for (const queue of redriven) expect(queue).toHaveProperty('RedrivePolicy.maxReceiveCount')
  })

  it('with groups are FIFO, and so is the dead queue of such a one', () => {
    expect(named('shop-queue-emails.fifo')).toMatchObject({ FifoQueue: true })
    expect(named('shop-dead-queue-emails.fifo')).toMatchObject({ FifoQueue: true })
  })

  it('hide a message for six times as long as the function may take', () => {
    // charge: 2 × 30 s for the handler and 10 s for Eddy; mail: the shortest, 60 s.
    expect(named('shop-retry-charge')).toMatchObject({ VisibilityTimeout: 6 * 75 })
    expect(named('shop-queue-emails.fifo')).toMatchObject({ VisibilityTimeout: 6 * 60 })
  })

  it('are encrypted, keep messages as long as SQS can, and refuse what comes without TLS', () => {
    for (const queue of queues)
      expect(queue).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 })
    template.resourceCountIs('AWS::SQS::QueuePolicy', queues.length)
  })
})

describe('The topic', () => {
  it('takes alarms of this account, and nothing without TLS', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    })
  })
})

describe('What holds data', () => {
  const KEEPING = ['AWS::Kinesis::Stream', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::SQS::Queue']

  it('stays when the stack is removed, unless another policy is asked for', () => {
    for (const type of KEEPING) template.allResources(type, { DeletionPolicy: 'Retain' })
    const passing = synthesized({ removalPolicy: RemovalPolicy.DESTROY }).template
    for (const type of KEEPING) passing.allResources(type, { DeletionPolicy: 'Delete' })
    passing.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false })
  })

  it('is encrypted with the key that is given, which every role may then use', () => {
    const own = synthesized((stack) => ({
      encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
    }))
    const key = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] }
    own.template.allResourcesProperties('AWS::Kinesis::Stream', { StreamEncryption: { KeyId: key } })
    own.template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: key })
    own.template.allResourcesProperties('AWS::DynamoDB::Table', { SSESpecification: { KMSMasterKeyId: key } })
    own.template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: key })
    own.template.allResourcesProperties('AWS::Lambda::Function', { KmsKeyArn: key })
    own.template.allResourcesProperties('AWS::IAM::Role', {
      Policies: Match.arrayWith([Match.objectLike({ PolicyName: 'kms' })]),
    })
  })
})
