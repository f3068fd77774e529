export { findViolations, type Violation } from './find-violations.ts'
export { kinesisModel } from './kinesis-model.ts'
export type { ServiceModel } from './service-model.ts'
export { sqsModel } from './sqs-model.ts'
