import { WEEKS_PREFIX, YEAR_PREFIX } from '@eddy/aws/resources'
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'

/** Where Lambda puts batches that it gave up: its own names, which nobody chooses. */
export const FAILED_BATCHES = 'aws/lambda/'

/**
 * Payloads that are too large for items and messages, and batches whose function died. Closed to the public, TLS only,
 * and it tells EventBridge of new objects.
 */
export function payloadBucket(
  scope: Construct,
  id: string,
  { key, removalPolicy }: { key: IKey | undefined; removalPolicy: RemovalPolicy },
): Bucket {
  const bucket = new Bucket(scope, id, {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    encryption: key === undefined ? BucketEncryption.S3_MANAGED : BucketEncryption.KMS,
    ...(key !== undefined && { encryptionKey: key, bucketKeyEnabled: true }),
    removalPolicy: removalPolicy === RemovalPolicy.DESTROY ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    lifecycleRules: [
      { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      // No message waits for them any more: 14 days in a queue and 14 in its dead queue (a FIFO queue counts anew there), and
      // a year before that in a schedule.
      { id: 'left-of-queues', prefix: WEEKS_PREFIX, expiration: Duration.days(29) },
      { id: 'left-of-schedules', prefix: YEAR_PREFIX, expiration: Duration.days(400) },
      // The rescue has long read them; a person may still want to look.
      { id: 'failed-batches', prefix: FAILED_BATCHES, expiration: Duration.days(30) },
    ],
  })
  // By the resource itself: the construct's own way is a function with a role over all buckets.
  const resource = bucket.node.defaultChild as CfnBucket
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'only the roles of the application reach it; access logs of every payload would be larger than the payloads',
  })
  return bucket
}
