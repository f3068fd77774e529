import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'

export interface SqsClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: SQSClientConfig['credentials']
}

/** An SQS client that fits `SqsQueue`: it sends every request once. */
export function sqsClient({ endpoint, region, credentials }: SqsClientOptions = {}): SQSClient {
  return new SQSClient({
    maxAttempts: 1,
    retryMode: 'standard',
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  })
}
