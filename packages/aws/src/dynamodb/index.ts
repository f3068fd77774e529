export { type DynamoDbClientOptions, dynamoDbClient } from './dynamodb-client.ts'
export { DynamoDbTable, type DynamoDbTableOptions } from './dynamodb-table.ts'
export { dynamoDbTableSchema } from './table-schema.ts'
