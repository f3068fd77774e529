import { describe, expect, it } from 'vitest'
import { DynamoDbRefusedError } from '../../src/dynamodb/dynamodb-errors.ts'
import { KinesisRefusedError } from '../../src/kinesis/index.ts'
import { S3RefusedError } from '../../src/s3/index.ts'
import { sdkErrorOf } from '../../src/sdk/sdk-error.ts'
import { SqsRefusedError } from '../../src/sqs/sqs-errors.ts'

const kindOf = (thrown: object, message = 'because'): string =>
  sdkErrorOf(Object.assign(new Error(message), thrown)).kind
const answered = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } })

describe('what a first attempt meets is told with the next step', () => {
  it.each([
    ['Kinesis', KinesisRefusedError],
    ['DynamoDB', DynamoDbRefusedError],
    ['SQS', SqsRefusedError],
    ['S3', S3RefusedError],
  ] as const)('by %s', (service, Refused) => {
    const none = new Refused('a request', 'CredentialsProviderError: Could not load credentials')
    expect(none.message).toBe(
      `${service} refused a request: CredentialsProviderError: Could not load credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.`,
    )
    const old = new Refused('a request', 'ExpiredTokenException: The token has expired.')
    expect(old.message).toMatch(/has expired\. Sign in again, or renew the session token\.$/)
    expect(new Refused('a request', 'AccessDenied: no').message).toBe(
      `${service} refused a request: AccessDenied: no`,
    )
  })
})

describe('an error of the SDK', () => {
  it.each([
    'EAI_AGAIN',
    'EAI_FAIL',
    'ENOTFOUND',
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ERR_HTTP2_GOAWAY_SESSION',
  ])('of a connection, or of the search for an address, may be over soon: %s', (code) => {
    expect(kindOf({ code })).toBe('unknown')
  })

  it('of a key that is asked for too often is a throttle, whichever service tells it', () => {
    expect(kindOf(answered('KmsThrottled', 400))).toBe('throttled')
    expect(kindOf(answered('KMSThrottlingException', 400))).toBe('throttled')
  })

  it('that the service is to blame for may have done something; one that the caller is to blame for has not', () => {
    expect(kindOf(answered('InternalFailure', 500))).toBe('unknown')
    expect(kindOf(answered('ValidationException', 400))).toBe('refused')
  })

  it('is a bug when neither a service nor a connection said it', () => {
    expect(kindOf({ name: 'TypeError' }, 'x is not a function')).toBe('bug')
    expect(kindOf({ code: 'ERR_INVALID_ARG_TYPE' })).toBe('bug')
  })
})
