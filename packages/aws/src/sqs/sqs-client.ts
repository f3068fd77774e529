import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export type SqsClientOptions = ClientOptions<NonNullable<SQSClientConfig['credentials']>>

const CONNECT_MS = 5_000
/** Between two packets of an answer; a receive waits for 20 seconds. */
const SILENCE_MS = 30_000
/** Each queue that is read has a request that waits; sends and deletions must not queue up behind those. */
const MAX_SOCKETS = 1_000

/** An SQS client that fits `SqsQueue`: it sends every request once, and gives up on one that stays without an answer. */
export function sqsClient(options: SqsClientOptions = {}): SQSClient {
  return knowingCredentials(
    new SQSClient({
      ...sentOnce(options),
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        httpAgent: { maxSockets: MAX_SOCKETS },
        httpsAgent: { maxSockets: MAX_SOCKETS },
      },
    }),
  )
}
