import { SNSClient, type SNSClientConfig } from '@aws-sdk/client-sns'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export interface SnsClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: SNSClientConfig['credentials']
}

const CONNECT_MS = 5_000
const ANSWER_MS = 10_000

/** An SNS client that fits `snsSink`: it sends every request once, and gives up on one that stays without an answer. */
export function snsClient({ endpoint, region, credentials }: SnsClientOptions = {}): SNSClient {
  return knowingCredentials(
    new SNSClient({
      maxAttempts: 1,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
      },
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && { credentials }),
    }),
  )
}
