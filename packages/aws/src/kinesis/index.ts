export { type KinesisClientOptions, kinesisClient } from './kinesis-client.ts'
export { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'
export { KinesisLog, type KinesisLogOptions } from './kinesis-log.ts'
export { KinesisProducerLog, type KinesisProducerLogOptions } from './kinesis-producer-log.ts'
