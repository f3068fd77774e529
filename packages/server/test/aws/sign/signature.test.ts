import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidOptionError } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import type { AwsError } from '../../../src/aws/aws-error.ts'
import type { AwsRequest } from '../../../src/aws/aws-request.ts'
import { canonicalHash, signatureOf } from '../../../src/aws/sign/canonical-request.ts'
import { readCredentials } from '../../../src/aws/sign/credentials.ts'
import { SignatureCheck } from '../../../src/aws/sign/signature-check.ts'
import { asker, formRequest, jsonRequest } from '../support/ask.ts'
import { plainServices } from '../support/plain-services.ts'

/** Of the service's own test suite for Signature Version 4. */
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const SIGNED_AT = '20150830T123600Z'
const NOW_MS = Date.UTC(2015, 7, 30, 12, 36)
const SCOPE = { date: '20150830', region: 'us-east-1', service: 'service' }

const get = (target: string, headers: Record<string, string> = {}): AwsRequest => ({
  method: 'GET',
  target,
  headers: { host: 'example.amazonaws.com', 'x-amz-date': SIGNED_AT, ...headers },
  body: new Uint8Array(0),
})

function check(nowMs = NOW_MS): SignatureCheck {
  return new SignatureCheck({ credentials: [KEYS], region: 'us-east-1', now: () => nowMs })
}

function refusalOf(request: AwsRequest, service = 'kinesis', nowMs = NOW_MS): string {
  try {
    check(nowMs).verify(request, service)
  } catch (error) {
    const { code, message } = error as AwsError
    return `${code}: ${message}`
  }
  return 'accepted'
}

interface Signing {
  readonly service?: string
  readonly region?: string
  readonly accessKeyId?: string
  readonly secret?: string
  readonly dateTime?: string
  /** Signed beside host and date; default: `x-amz-target`, when it is there. */
  readonly extraHeaders?: readonly string[]
}

/** Signs as a client does: host, date, and what is asked for. */
function signed(request: AwsRequest, signing: Signing = {}): AwsRequest {
  const { dateTime = SIGNED_AT, accessKeyId = KEYS.accessKeyId, secret = KEYS.secretAccessKey } = signing
  const scope = {
    date: dateTime.slice(0, 8),
    region: signing.region ?? 'us-east-1',
    service: signing.service ?? 'kinesis',
  }
  const dated = { ...request, headers: { ...request.headers, 'x-amz-date': dateTime } }
  const names = ['host', 'x-amz-date', ...(signing.extraHeaders ?? ['x-amz-target'])].filter(
    (name) => signing.extraHeaders !== undefined || name in dated.headers,
  )
  const signature = signatureOf(secret, scope, dateTime, canonicalHash(dated, names))
  const credential = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}/aws4_request`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...dated, headers: { ...dated.headers, authorization } }
}

describe('Signature Version 4', () => {
  it.each([
    [
      'get-vanilla',
      get('/'),
      'host;x-amz-date',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'get-vanilla-query-order-key-case',
      get('/?Param2=value2&Param1=value1'),
      'host;x-amz-date',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'post-vanilla',
      { ...get('/'), method: 'POST' },
      'host;x-amz-date',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
  ])('agrees with the test suite of the service: %s', (_, request, names, signature) => {
    const hash = canonicalHash(request, names.split(';'))
    expect(signatureOf(KEYS.secretAccessKey, SCOPE, SIGNED_AT, hash)).toBe(signature)
  })

  it('accepts what a known key signed, whatever is in body and query', () => {
    const body = new TextEncoder().encode('{"StreamName":"ä"}')
    const request = { ...get('/a%20b/c?x=1&y=a%2Fb&x=0&z'), method: 'POST', body }
    expect(refusalOf(signed(request))).toBe('accepted')
  })

  it('refuses what was changed after it was signed', () => {
    const request = signed({ ...get('/?a=1'), method: 'POST', body: new Uint8Array([1]) })
    for (const changed of [
      { ...request, method: 'GET' },
      { ...request, target: '/?a=2' },
      { ...request, target: '/b?a=1' },
      { ...request, body: new Uint8Array([2]) },
      { ...request, headers: { ...request.headers, host: 'other' } },
    ])
      expect(refusalOf(changed)).toMatch(
        /^InvalidSignatureException: The request signature we calculated does not match/,
      )
    expect(refusalOf(signed(get('/'), { secret: 'another' }))).toMatch(
      /^InvalidSignatureException: The request signature/,
    )
  })

  it('refuses what does not sign the operation that it asks for: another could be put in its place', () => {
    const request = { ...get('/', { 'x-amz-target': 'Kinesis_20131202.DeleteStream' }), method: 'POST' }
    expect(refusalOf(signed(request))).toBe('accepted')
    expect(refusalOf(signed(request, { extraHeaders: [] }))).toBe(
      "InvalidSignatureException: 'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.",
    )
  })

  it('a header that is signed and not there is empty, whatever its name', () => {
    const extraHeaders = ['constructor', '__proto__', 'x-none']
    const request = signed(get('/'), { extraHeaders: ['x-none'] })
    expect(refusalOf(request)).toBe('accepted')
    expect(refusalOf(signed(get('/'), { extraHeaders }))).toBe('accepted')
  })

  it('refuses unknown keys, other services and other regions', () => {
    expect(refusalOf(signed(get('/'), { accessKeyId: 'NOBODY' }))).toBe(
      'UnrecognizedClientException: The security token included in the request is invalid.',
    )
    expect(refusalOf(signed(get('/'), { service: 'sqs' }))).toBe(
      "InvalidSignatureException: Credential should be scoped to correct service: 'kinesis'.",
    )
    expect(refusalOf(signed(get('/'), { region: 'eu-west-1' }))).toBe(
      "InvalidSignatureException: Credential should be scoped to a valid region: 'us-east-1'.",
    )
  })

  it('a signature is good for five minutes, and a clock may be five minutes ahead', () => {
    const at = (offsetMs: number) => refusalOf(signed(get('/')), 'kinesis', NOW_MS + offsetMs)
    expect(at(5 * 60_000)).toBe('accepted')
    expect(at(5 * 60_000 + 1_000)).toBe(
      'InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T124101Z (5 min.)',
    )
    expect(at(-5 * 60_000)).toBe('accepted')
    expect(at(-5 * 60_000 - 1_000)).toBe(
      'InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than 20150830T123059Z (5 min.)',
    )
  })

  it.each([
    [{}, 'MissingAuthenticationTokenException: Missing Authentication Token'],
    [{ authorization: 'Basic eA==' }, "IncompleteSignatureException: Unsupported AWS 'algorithm': 'Basic'."],
    [
      { authorization: 'AWS4-HMAC-SHA256' },
      "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
    ],
    [
      { authorization: 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x' },
      'IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.',
    ],
    [
      {
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/kinesis/x, SignedHeaders=host, Signature=x',
      },
      "InvalidSignatureException: Credential should be scoped with a valid terminator: 'aws4_request'.",
    ],
    [
      {
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20150831/r/s/aws4_request, SignedHeaders=host, Signature=x',
      },
      'InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP',
    ],
    [
      {
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=x-a, Signature=x',
      },
      "InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      {
        'x-amz-date': 'today',
        authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=x',
      },
      "IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'today'. See http://en.wikipedia.org/wiki/ISO_8601",
    ],
  ])('refuses %j', (headers, refusal) => {
    expect(refusalOf(get('/', headers))).toBe(refusal)
  })

  it('takes the date of the Date header, when there is no other', () => {
    const request = signed(get('/'))
    const { 'x-amz-date': _, ...headers } = request.headers
    const refusal = refusalOf({ ...request, headers: { ...headers, date: 'Sun, 30 Aug 2015 12:36:00 GMT' } })
    // The signed header is gone, so that it does not match; but there was a date.
    expect(refusal).toMatch(/^InvalidSignatureException: The request signature/)
    expect(refusalOf({ ...request, headers })).toMatch(
      /requires existence of either a 'X-Amz-Date' or a 'Date' header/,
    )
  })

  it('takes presigned addresses until they expire', () => {
    const presigned = (expires: string) => {
      const query = [
        'Action=ListQueues',
        'X-Amz-Algorithm=AWS4-HMAC-SHA256',
        'X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsqs%2Faws4_request',
        `X-Amz-Date=${SIGNED_AT}`,
        `X-Amz-Expires=${expires}`,
        'X-Amz-SignedHeaders=host',
      ].join('&')
      const request = { ...get(`/?${query}`), headers: { host: 'localhost' } }
      const scope = { ...SCOPE, service: 'sqs' }
      const signature = signatureOf(KEYS.secretAccessKey, scope, SIGNED_AT, canonicalHash(request, ['host']))
      return { ...request, target: `${request.target}&X-Amz-Signature=${signature}` }
    }
    expect(refusalOf(presigned('3600'), 'sqs', NOW_MS + 3_600_000)).toBe('accepted')
    expect(refusalOf(presigned('3600'), 'sqs', NOW_MS + 3_601_000)).toMatch(
      /^InvalidSignatureException: Signature expired/,
    )
    expect(refusalOf(presigned('604801'), 'sqs')).toMatch(/^IncompleteSignatureException: X-Amz-Expires/)
    const both = presigned('60')
    expect(
      refusalOf({ ...both, headers: { ...both.headers, authorization: 'AWS4-HMAC-SHA256' } }, 'sqs'),
    ).toMatch(/^InvalidSignatureException: Found both/)
    expect(refusalOf(get('/?X-Amz-Algorithm=AWS4-HMAC-SHA256'))).toMatch(
      /^IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Credential'/,
    )
  })
})

describe('An endpoint with credentials', () => {
  it('answers nothing that is not signed, in the codes of each protocol', async () => {
    const { services, inputs } = plainServices()
    const ask = asker(services, { signatures: check() })
    const json = await ask(jsonRequest('Kinesis_20131202.CreateStream', { StreamName: 's' }))
    expect([json.status, JSON.parse(json.text)]).toEqual([
      400,
      { __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
    ])
    const form = await ask(formRequest('Action=TagQueue&QueueUrl=q'))
    expect([form.status, form.text]).toEqual([
      403,
      expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    ])
    // Not even whether there is such an operation.
    const unknown = await ask(jsonRequest('Kinesis_20131202.Nothing', {}))
    expect(unknown.text).toContain('MissingAuthenticationTokenException')
    expect(inputs).toEqual([])
  })
})

describe('Credentials', () => {
  const inFile = async (text: string, work: (file: string) => void) => {
    const folder = await mkdtemp(join(tmpdir(), 'eddy-keys-'))
    try {
      await writeFile(join(folder, 'keys'), text)
      work(join(folder, 'keys'))
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it('come from the environment and from a file', async () => {
    const env = { EDDY_AWS_ACCESS_KEY_ID: 'A', EDDY_AWS_SECRET_ACCESS_KEY: 'a' }
    expect(readCredentials({}, undefined)).toEqual([])
    await inFile('# two more\nB b\n\n  C\tc  \n', (file) =>
      expect(readCredentials(env, file)).toEqual([
        { accessKeyId: 'A', secretAccessKey: 'a' },
        { accessKeyId: 'B', secretAccessKey: 'b' },
        { accessKeyId: 'C', secretAccessKey: 'c' },
      ]),
    )
  })

  it('half a pair, an empty file and a wrong line are refused, and no secret is shown', async () => {
    expect(() => readCredentials({ EDDY_AWS_ACCESS_KEY_ID: 'A' }, undefined)).toThrow(
      /^EDDY_AWS_SECRET_ACCESS_KEY: /,
    )
    expect(() => readCredentials({ EDDY_AWS_SECRET_ACCESS_KEY: 'hush' }, undefined)).toThrow(
      /^EDDY_AWS_ACCESS_KEY_ID: /,
    )
    for (const text of ['', '# nothing\n', 'A\n', 'A hush more\n', 'A-B hush\n', 'A hush\u0001\n'])
      await inFile(text, (file) => {
        expect(() => readCredentials({}, file)).toThrow(InvalidOptionError)
        expect(() => readCredentials({}, file)).not.toThrow(/hush/)
      })
    expect(() => readCredentials({}, '/nowhere/at/all')).toThrow(
      /--aws-credentials: expected a file .*ENOENT/,
    )
  })
})
