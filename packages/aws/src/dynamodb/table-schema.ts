import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'

/** The index that `byIndex` asks. */
export const INDEX_NAME = 'by-index'
/** The attribute of DynamoDB's own TTL, in epoch seconds. It removes within days; reads filter on the exact time. */
export const TTL_ATTRIBUTE = 'ttl'

/**
 * The one table that Eddy needs, on demand: what CreateTable takes. Turn its time to live on as well, by
 * UpdateTimeToLive on `ttl`.
 */
export function dynamoDbTableSchema(tableName: string): CreateTableCommandInput {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'ipk', 'isk'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: INDEX_NAME,
        KeySchema: [
          { AttributeName: 'ipk', KeyType: 'HASH' },
          { AttributeName: 'isk', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  }
}
