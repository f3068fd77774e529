import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export interface SqsClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: SQSClientConfig['credentials']
}

const CONNECT_MS = 5_000
/** Between two packets of an answer; a receive waits for 20 seconds. */
const SILENCE_MS = 30_000
/** Each queue that is read has a request that waits; sends and deletions must not queue up behind those. */
const MAX_SOCKETS = 1_000

/** An SQS client that fits `SqsQueue`: it sends every request once, and gives up on one that stays without an answer. */
export function sqsClient({ endpoint, region, credentials }: SqsClientOptions = {}): SQSClient {
  return knowingCredentials(
    new SQSClient({
      maxAttempts: 1,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        httpAgent: { maxSockets: MAX_SOCKETS },
        httpsAgent: { maxSockets: MAX_SOCKETS },
      },
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && { credentials }),
    }),
  )
}
