/**
 * What Debian's model (botocore 1.29.27, December 2022) does not know yet, by hand. Sources:
 *  - [K], [Q]: the members and documentation of @aws-sdk/client-kinesis 3.1143.0 and @aws-sdk/client-sqs 3.1169.0; a
 *    test compares the members of every served operation with them;
 *  - [B]: the constraints of botocore 1.43, where the SDKs name none.
 */

const string = (constraints = {}) => ({ type: 'string', ...constraints })
const refs = (members) =>
  Object.fromEntries(Object.entries(members).map(([name, shape]) => [name, { shape }]))
const structure = (members, required = []) => ({ type: 'structure', members: refs(members), required })

/** [K] Every operation on a stream takes its ARN instead of its name; `StreamId` is "reserved for future use". */
const STREAM = { StreamARN: 'StreamARN', StreamId: 'StreamId' }
const RESOURCE = { ResourceARN: 'ResourceARN', StreamId: 'StreamId' }
const DRY_RUN = { DryRun: 'BooleanObject' }

export const KINESIS = {
  operations: {
    ListTagsForResource: { input: 'ListTagsForResourceInput', output: 'ListTagsForResourceOutput' },
    TagResource: { input: 'TagResourceInput' },
    UntagResource: { input: 'UntagResourceInput' },
    UpdateMaxRecordSize: { input: 'UpdateMaxRecordSizeInput' },
    UpdateStreamRecordDistributionStrategy: { input: 'UpdateStreamRecordDistributionStrategyInput' },
  },
  /** New, or in place of the older one. */
  shapes: {
    Data: { type: 'blob', min: 0, max: 10_485_760 }, // [B]
    MaxRecordSizeInKiB: { type: 'integer', min: 1024, max: 10_240 }, // [B]
    NaturalIntegerObject: { type: 'integer', min: 0 }, // [B]
    RecordDistributionStrategy: string({ enum: ['AUTO', 'USER_PARTITION_KEY'] }), // [K]
    ResourceARN: string({ min: 1, max: 2048, pattern: 'arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+' }), // [B]
    StreamARN: string({ min: 1, max: 2048, pattern: 'arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+' }), // [B]
    StreamId: string({ min: 1, max: 24, pattern: '[a-z0-9]{20}-[a-z0-9]{3}' }), // [B]
    // [K] from here on
    ListTagsForResourceInput: structure(RESOURCE, ['ResourceARN']),
    ListTagsForResourceOutput: structure({ Tags: 'TagList' }),
    TagResourceInput: structure({ Tags: 'TagMap', ...RESOURCE }, ['Tags', 'ResourceARN']),
    UntagResourceInput: structure({ TagKeys: 'TagKeyList', ...RESOURCE }, ['TagKeys', 'ResourceARN']),
    UpdateMaxRecordSizeInput: structure({ ...STREAM, MaxRecordSizeInKiB: 'MaxRecordSizeInKiB' }, [
      'MaxRecordSizeInKiB',
    ]),
    UpdateStreamRecordDistributionStrategyInput: structure(
      { ...STREAM, RecordDistributionStrategy: 'RecordDistributionStrategy' },
      ['StreamARN', 'RecordDistributionStrategy'],
    ),
    StreamSummary: structure(
      {
        StreamName: 'StreamName',
        StreamARN: 'StreamARN',
        StreamStatus: 'StreamStatus',
        StreamModeDetails: 'StreamModeDetails',
        StreamCreationTimestamp: 'Timestamp',
      },
      ['StreamName', 'StreamARN', 'StreamStatus'],
    ),
    StreamSummaryList: { type: 'list', member: { shape: 'StreamSummary' } },
    WarmThroughputObject: structure({
      TargetMiBps: 'NaturalIntegerObject',
      CurrentMiBps: 'NaturalIntegerObject',
    }),
  },
  /** [K] New members of structures that are there. */
  members: {
    AddTagsToStreamInput: STREAM,
    CreateStreamInput: {
      Tags: 'TagMap',
      WarmThroughputMiBps: 'NaturalIntegerObject',
      MaxRecordSizeInKiB: 'MaxRecordSizeInKiB',
      RecordDistributionStrategy: 'RecordDistributionStrategy',
    },
    DecreaseStreamRetentionPeriodInput: STREAM,
    DeleteStreamInput: STREAM,
    DescribeLimitsOutput: { ChannelCount: 'NaturalIntegerObject', ChannelCountLimit: 'NaturalIntegerObject' },
    DescribeStreamInput: STREAM,
    DescribeStreamSummaryInput: STREAM,
    GetRecordsInput: { ...STREAM, ...DRY_RUN },
    GetShardIteratorInput: { ...STREAM, ...DRY_RUN },
    IncreaseStreamRetentionPeriodInput: STREAM,
    ListShardsInput: STREAM,
    ListStreamsInput: { NextToken: 'NextToken' },
    ListStreamsOutput: { NextToken: 'NextToken', StreamSummaries: 'StreamSummaryList' },
    ListTagsForStreamInput: STREAM,
    MergeShardsInput: STREAM,
    PutRecordInput: { ...STREAM, ...DRY_RUN },
    PutRecordsInput: { ...STREAM, ...DRY_RUN },
    RemoveTagsFromStreamInput: STREAM,
    SplitShardInput: STREAM,
    StreamDescriptionSummary: {
      StreamId: 'StreamId',
      WarmThroughput: 'WarmThroughputObject',
      MaxRecordSizeInKiB: 'MaxRecordSizeInKiB',
      RecordDistributionStrategy: 'RecordDistributionStrategy',
      ChannelCount: 'NaturalIntegerObject',
    },
    UpdateShardCountInput: STREAM,
    UpdateShardCountOutput: { StreamARN: 'StreamARN' },
    UpdateStreamModeInput: { StreamId: 'StreamId', WarmThroughputMiBps: 'NaturalIntegerObject' },
  },
  /** [K] No longer required: a stream has a name or an ARN, and a key only where it decides the shard. */
  optional: {
    AddTagsToStreamInput: ['StreamName'],
    DecreaseStreamRetentionPeriodInput: ['StreamName'],
    DeleteStreamInput: ['StreamName'],
    DescribeStreamInput: ['StreamName'],
    DescribeStreamSummaryInput: ['StreamName'],
    GetShardIteratorInput: ['StreamName'],
    IncreaseStreamRetentionPeriodInput: ['StreamName'],
    ListTagsForStreamInput: ['StreamName'],
    MergeShardsInput: ['StreamName'],
    PutRecordInput: ['StreamName', 'PartitionKey'],
    PutRecordsInput: ['StreamName'],
    PutRecordsRequestEntry: ['PartitionKey'],
    Record: ['PartitionKey'],
    RemoveTagsFromStreamInput: ['StreamName'],
    SplitShardInput: ['StreamName'],
    UpdateShardCountInput: ['StreamName'],
  },
}

export const SQS = {
  operations: {
    CancelMessageMoveTask: { input: 'CancelMessageMoveTaskRequest', output: 'CancelMessageMoveTaskResult' },
    ListMessageMoveTasks: { input: 'ListMessageMoveTasksRequest', output: 'ListMessageMoveTasksResult' },
    StartMessageMoveTask: { input: 'StartMessageMoveTaskRequest', output: 'StartMessageMoveTaskResult' },
  },
  shapes: {
    Long: { type: 'long' },
    CancelMessageMoveTaskRequest: structure({ TaskHandle: 'String' }, ['TaskHandle']),
    CancelMessageMoveTaskResult: structure({ ApproximateNumberOfMessagesMoved: 'Long' }),
    ListMessageMoveTasksRequest: structure({ SourceArn: 'String', MaxResults: 'Integer' }, ['SourceArn']),
    ListMessageMoveTasksResult: structure({ Results: 'ListMessageMoveTasksResultEntryList' }),
    ListMessageMoveTasksResultEntryList: {
      type: 'list',
      // Named as the lists of the older operations are: no model of the query protocol that has it is at hand.
      member: {
        shape: 'ListMessageMoveTasksResultEntry',
        locationName: 'ListMessageMoveTasksResultEntry',
      },
      flattened: true,
    },
    ListMessageMoveTasksResultEntry: structure({
      TaskHandle: 'String',
      Status: 'String',
      SourceArn: 'String',
      DestinationArn: 'String',
      MaxNumberOfMessagesPerSecond: 'Integer',
      ApproximateNumberOfMessagesMoved: 'Long',
      ApproximateNumberOfMessagesToMove: 'Long',
      FailureReason: 'String',
      StartedTimestamp: 'Long',
    }),
    MessageSystemAttributeList: {
      type: 'list',
      // As `AttributeName` is named; see above.
      member: { shape: 'MessageSystemAttributeName', locationName: 'MessageSystemAttributeName' },
      flattened: true,
    },
    // The official list names attributes of queues; a receive asks for those of messages.
    ReceivedAttributeNameList: {
      type: 'list',
      member: { shape: 'MessageSystemAttributeName', locationName: 'AttributeName' },
      flattened: true,
    },
    MessageSystemAttributeName: string({
      enum: [
        'All',
        'SenderId',
        'SentTimestamp',
        'ApproximateReceiveCount',
        'ApproximateFirstReceiveTimestamp',
        'SequenceNumber',
        'MessageDeduplicationId',
        'MessageGroupId',
        'AWSTraceHeader',
        'DeadLetterQueueSourceArn',
      ],
    }),
    StartMessageMoveTaskRequest: structure(
      { SourceArn: 'String', DestinationArn: 'String', MaxNumberOfMessagesPerSecond: 'Integer' },
      ['SourceArn'],
    ),
    StartMessageMoveTaskResult: structure({ TaskHandle: 'String' }),
  },
  members: {
    ReceiveMessageRequest: {
      AttributeNames: 'ReceivedAttributeNameList',
      MessageSystemAttributeNames: 'MessageSystemAttributeList',
    },
  },
  optional: {},
}

/** [B], which the members of @aws-sdk/client-scheduler 3.1143.0 agree with. */
export const SCHEDULER = {
  operations: {},
  shapes: {
    ActionAfterCompletion: string({ enum: ['NONE', 'DELETE'] }),
    NamePrefix: string({ min: 1, max: 64, pattern: '[0-9a-zA-Z-_.]+' }),
    RoleArn: string({
      min: 1,
      max: 1600,
      pattern: 'arn:aws(-[a-z]+)?:iam::\\d{12}:role\\/[\\w+=,.@\\/-]+',
    }),
    ScheduleGroupNamePrefix: string({ min: 1, max: 64, pattern: '[0-9a-zA-Z-_.]+' }),
  },
  members: {
    CreateScheduleInput: { ActionAfterCompletion: 'ActionAfterCompletion' },
    GetScheduleOutput: { ActionAfterCompletion: 'ActionAfterCompletion' },
    UpdateScheduleInput: { ActionAfterCompletion: 'ActionAfterCompletion' },
  },
  optional: {},
}
