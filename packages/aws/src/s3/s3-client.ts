import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export type S3ClientOptions = ClientOptions<NonNullable<S3ClientConfig['credentials']>>

const CONNECT_MS = 5_000
/** Between two packets of an answer. */
const SILENCE_MS = 30_000

/**
 * An S3 client that fits `S3Blobs`: it sends every request once, and gives up on one that stays without an answer. With an
 * `endpoint`, buckets are named in the path.
 */
export function s3Client(options: S3ClientOptions = {}): S3Client {
  return knowingCredentials(
    new S3Client({
      ...sentOnce(options),
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
      ...(options.endpoint !== undefined && { forcePathStyle: true }),
    }),
  )
}
