export { type AwsEngineOptions, awsEngine } from './aws-engine.ts'
export { MissingPackageError } from './load-service.ts'
export { withTopic } from './with-topic.ts'
