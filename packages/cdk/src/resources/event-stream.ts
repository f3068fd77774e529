import { type RemovalPolicy, Validations } from 'aws-cdk-lib'
import { CfnStream } from 'aws-cdk-lib/aws-kinesis'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { StreamDescription } from '../app/app-description.ts'

const HOUR_MS = 3_600_000
const MIB = 1024 * 1024
/** The service keeps records at least so long. */
const MIN_RETENTION_HOURS = 24

/** A stream as the application defines it. Its keys decide about shards: distribution AUTO would ignore them. */
export function eventStream(
  scope: Construct,
  stream: StreamDescription,
  { name, key, removalPolicy }: { name: string; key: IKey | undefined; removalPolicy: RemovalPolicy },
): CfnStream {
  const { shards, isOnDemand, maxRecordBytes } = stream
  const created = new CfnStream(scope, stream.name, {
    name,
    retentionPeriodHours: retentionHoursOf(stream),
    streamEncryption: { encryptionType: 'KMS', keyId: key?.keyArn ?? 'alias/aws/kinesis' },
    ...(isOnDemand
      ? { streamModeDetails: { streamMode: 'ON_DEMAND' } }
      : { streamModeDetails: { streamMode: 'PROVISIONED' }, shardCount: shards }),
    ...(maxRecordBytes !== undefined &&
      maxRecordBytes > MIB && { maxRecordSizeInKiB: Math.ceil(maxRecordBytes / 1024) }),
  })
  created.applyRemovalPolicy(removalPolicy)
  if (key !== undefined) {
    const reason = 'the key that was asked for encrypts all that the application stores'
    Validations.of(created).acknowledge({ id: 'AwsSolutions-KDS3', reason })
  }
  return created
}

/** Whole hours, 24 at least. */
export function retentionHoursOf({ retentionMs }: Pick<StreamDescription, 'retentionMs'>): number {
  return Math.max(MIN_RETENTION_HOURS, Math.ceil(retentionMs / HOUR_MS))
}
