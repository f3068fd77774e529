export { KinesisLog, type KinesisLogOptions } from './kinesis-log.ts'
