import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'
import { Http1Handler } from './http1-handler.ts'

export type KinesisClientOptions = ClientOptions<NonNullable<KinesisClientConfig['credentials']>>

/**
 * Of the SDK's HTTP/2: up to so many requests at a time on a connection, which stays for those that follow. By default the
 * SDK makes a connection for each request to Kinesis, with its own handshake, and the machine runs out of ports: a closed one
 * is taken for a minute. A subscription of fan-out has its own connection either way.
 *
 * A connection that nothing came or went on for a minute is left: its other end may be gone without a word, such as while a
 * function was frozen, whose timers come first when it goes on.
 */
export const KEPT_CONNECTIONS = {
  disableConcurrentStreams: false,
  maxConcurrentStreams: 32,
  sessionTimeout: 60_000,
} as const

/**
 * A Kinesis client that fits `KinesisLog`: it sends every request once. Over plain http it speaks HTTP/1.1, which every
 * emulator knows; over https the SDK's HTTP/2, on connections that are kept.
 */
export function kinesisClient(options: KinesisClientOptions = {}): KinesisClient {
  return knowingCredentials(
    new KinesisClient({
      ...sentOnce(options),
      requestHandler: options.endpoint?.startsWith('http:') === true ? new Http1Handler() : KEPT_CONNECTIONS,
    }),
  )
}
