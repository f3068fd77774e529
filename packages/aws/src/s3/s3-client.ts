import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export interface S3ClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. Buckets are then named in the path. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: S3ClientConfig['credentials']
}

const CONNECT_MS = 5_000
/** Between two packets of an answer. */
const SILENCE_MS = 30_000

/** An S3 client that fits `S3Blobs`: it sends every request once, and gives up on one that stays without an answer. */
export function s3Client({ endpoint, region, credentials }: S3ClientOptions = {}): S3Client {
  return knowingCredentials(
    new S3Client({
      maxAttempts: 1,
      retryMode: 'standard',
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && { credentials }),
    }),
  )
}
