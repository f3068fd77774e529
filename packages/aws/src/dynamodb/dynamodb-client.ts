import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export interface DynamoDbClientOptions {
  /** Another address than the region's own, such as `http://127.0.0.1:8000`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: DynamoDBClientConfig['credentials']
}

const CONNECT_MS = 3_000
const ANSWER_MS = 10_000
/** Requests at a time; what waits for a connection longer than for an answer counts as unanswered. */
const AGENT = { keepAlive: true, maxSockets: 256 }

/** A DynamoDB client that fits `DynamoDbTable`: it sends every request once, and gives up on one without an answer. */
export function dynamoDbClient({
  endpoint,
  region,
  credentials,
}: DynamoDbClientOptions = {}): DynamoDBClient {
  return knowingCredentials(
    new DynamoDBClient({
      maxAttempts: 1,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
        httpAgent: AGENT,
        httpsAgent: AGENT,
      },
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(credentials !== undefined && { credentials }),
    }),
  )
}
