export { type SnsClientOptions, snsClient } from './sns-client.ts'
export { type SnsSinkOptions, snsSink } from './sns-sink.ts'
