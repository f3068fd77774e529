import { describe, expect, it } from 'vitest'
import { sdkErrorOf } from '../../src/sdk/sdk-error.ts'

const kindOf = (thrown: object, message = 'because'): string =>
  sdkErrorOf(Object.assign(new Error(message), thrown)).kind
const answered = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } })

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
