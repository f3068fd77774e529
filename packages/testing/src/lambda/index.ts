export {
  type AsyncInvocationOptions,
  AsyncInvocations,
  type DeadLetterAttributes,
} from './async-invocation.ts'
export type { LambdaCallback, LambdaContext, LambdaHandler } from './call-handler.ts'
export type { FilterCriteria } from './filter-criteria.ts'
export type { InvocationResult, Invoke } from './invocation.ts'
export type { KinesisEvent, KinesisEventRecord, KinesisSourceRecord } from './kinesis-event.ts'
export { type KinesisMapping, startKinesisMapping } from './kinesis-mapping.ts'
export type { KinesisMappingOptions } from './kinesis-mapping-options.ts'
export type { KinesisSource, ShardPage, SourceShard, StartingPosition } from './kinesis-source.ts'
export { FunctionExit, LambdaFunction, type LambdaFunctionOptions } from './lambda-function.ts'
export type { OnFailureDestination } from './on-failure.ts'
export { type FunctionProcess, ProcessFunction, type ProcessFunctionOptions } from './process-function.ts'
export type { SqsEvent, SqsEventRecord, SqsMessageAttribute, SqsSourceMessage } from './sqs-event.ts'
export { type SqsMapping, type SqsMappingOptions, type SqsSource, startSqsMapping } from './sqs-mapping.ts'
