import { SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export type SnsClientOptions = ClientOptions<NonNullable<SNSClientConfig['credentials']>>

const CONNECT_MS = 5_000
const ANSWER_MS = 10_000

/** An SNS client that fits `snsSink`: it sends every request once, and gives up on one that stays without an answer. */
export function snsClient(options: SnsClientOptions = {}): SNSClient {
  return knowingCredentials(
    new SNSClient({
      ...sentOnce(options),
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
      },
    }),
  )
}
