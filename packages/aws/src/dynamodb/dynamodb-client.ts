import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { type ClientOptions, sentOnce } from '../sdk/client-options.ts'
import { knowingCredentials } from '../sdk/knowing-credentials.ts'

export type DynamoDbClientOptions = ClientOptions<NonNullable<DynamoDBClientConfig['credentials']>>

const CONNECT_MS = 3_000
const ANSWER_MS = 10_000
/** Requests at a time; what waits for a connection longer than for an answer counts as unanswered. */
const AGENT = { keepAlive: true, maxSockets: 256 }

/** A DynamoDB client that fits `DynamoDbTable`: it sends every request once, and gives up on one without an answer. */
export function dynamoDbClient(options: DynamoDbClientOptions = {}): DynamoDBClient {
  return knowingCredentials(
    new DynamoDBClient({
      ...sentOnce(options),
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
        httpAgent: AGENT,
        httpsAgent: AGENT,
      },
    }),
  )
}
