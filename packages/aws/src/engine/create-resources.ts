import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { S3Client } from '@aws-sdk/client-s3'
import type { SchedulerClient } from '@aws-sdk/client-scheduler'
import { type Clock, StorageError } from '@eddy/core'
import { dynamoDbError } from '../dynamodb/dynamodb-errors.ts'
import { s3Error } from '../s3/s3-errors.ts'
import { sdkErrorOf } from '../sdk/sdk-error.ts'

const LOOK_MS = 100
const MAX_LOOKS = 600

/** Makes the table unless it is there, and waits until it may be used. */
export async function createTable(client: DynamoDBClient, tableName: string, clock: Clock): Promise<void> {
  const { CreateTableCommand, DescribeTableCommand } = await import('@aws-sdk/client-dynamodb')
  const { dynamoDbTableSchema } = await import('../dynamodb/index.ts')
  const told = (error: unknown) => dynamoDbError(error, `CreateTable of table "${tableName}"`)
  await unlessThere('ResourceInUseException', told, async () => {
    await client.send(new CreateTableCommand(dynamoDbTableSchema(tableName)))
  })
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    if (table?.TableStatus === 'ACTIVE') return
    await clock.sleep(LOOK_MS)
  }
  throw new StorageError(`table "${tableName}" does not become active within a minute`)
}

/** Makes the bucket unless it is this account's already. */
export async function createBucket(
  client: S3Client,
  bucket: string,
  region: string | undefined,
): Promise<void> {
  const { CreateBucketCommand } = await import('@aws-sdk/client-s3')
  // The first region of S3 is the one that must not be named.
  const isElsewhere = region !== undefined && region !== 'us-east-1'
  const told = (error: unknown) => s3Error(error, `CreateBucket of bucket "${bucket}"`)
  await unlessThere('BucketAlreadyOwnedByYou', told, async () => {
    await client.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(isElsewhere && { CreateBucketConfiguration: { LocationConstraint: region as never } }),
      }),
    )
  })
}

export async function createScheduleGroup(client: SchedulerClient, name: string): Promise<void> {
  const { CreateScheduleGroupCommand } = await import('@aws-sdk/client-scheduler')
  const told = (error: unknown) =>
    new StorageError(`CreateScheduleGroup "${name}": ${sdkErrorOf(error).problem}`, {}, { cause: error })
  await unlessThere('ConflictException', told, async () => {
    await client.send(new CreateScheduleGroupCommand({ Name: name }))
  })
}

async function unlessThere(
  name: string,
  told: (error: unknown) => unknown,
  create: () => Promise<void>,
): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (sdkErrorOf(error).name !== name) throw told(error)
  }
}
