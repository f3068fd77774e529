import { dynamoDbTableSchema, TTL_ATTRIBUTE } from '@eddy/aws/resources'
import { RemovalPolicy } from 'aws-cdk-lib'
import { CfnTable } from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/**
 * The one table: ledger, holds, checkpoints, leases, steps. Its shape is the engine's own; it is on demand, can be
 * restored to any second of 35 days, and removes expired items by itself.
 */
export function stateTable(
  scope: Construct,
  id: string,
  { name, key, removalPolicy }: { name: string; key: IKey | undefined; removalPolicy: RemovalPolicy },
): CfnTable {
  const { AttributeDefinitions = [], KeySchema = [], GlobalSecondaryIndexes = [] } = dynamoDbTableSchema(name)
  const keys = (schema: typeof KeySchema | undefined) =>
    (schema ?? []).map(({ AttributeName, KeyType }) => ({
      attributeName: AttributeName as string,
      keyType: KeyType as string,
    }))
  const table = new CfnTable(scope, id, {
    tableName: name,
    billingMode: 'PAY_PER_REQUEST',
    attributeDefinitions: AttributeDefinitions.map(({ AttributeName, AttributeType }) => ({
      attributeName: AttributeName as string,
      attributeType: AttributeType as string,
    })),
    keySchema: keys(KeySchema),
    globalSecondaryIndexes: GlobalSecondaryIndexes.map((index) => ({
      indexName: index.IndexName as string,
      keySchema: keys(index.KeySchema),
      projection: { projectionType: index.Projection?.ProjectionType as string },
    })),
    timeToLiveSpecification: { attributeName: TTL_ATTRIBUTE, enabled: true },
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtectionEnabled: removalPolicy !== RemovalPolicy.DESTROY,
    ...(key !== undefined && {
      sseSpecification: { sseEnabled: true, sseType: 'KMS', kmsMasterKeyId: key.keyArn },
    }),
  })
  table.applyRemovalPolicy(removalPolicy)
  return table
}
