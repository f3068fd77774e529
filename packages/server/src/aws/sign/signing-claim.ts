import { AwsError } from '../aws-error.ts'
import { type AwsRequest, headerOf } from '../aws-request.ts'
import { queryOf } from '../protocol/query-parameters.ts'
import type { Scope } from './canonical-request.ts'

/** What a request says of its own signature. */
export interface SigningClaim {
  readonly accessKeyId: string
  readonly scope: Scope
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** `20150830T123600Z`. */
  readonly dateTime: string
  /** Of a presigned address: seconds from `dateTime` on. */
  readonly expiresInSeconds?: number
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const WEEK_SECONDS = 604_800
const MAX_SIGNED_HEADERS = 100

/**
 * From the authorization header, or from the address (a presigned one).
 *
 * @throws AwsError MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException
 */
export function signingClaim(request: AwsRequest): SigningClaim {
  const authorization = headerOf(request, 'authorization')
  const query = new URLSearchParams(queryOf(request.target))
  const inQuery = query.has('X-Amz-Algorithm')
  if (authorization !== undefined && inQuery)
    throw invalidSignature(
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
  if (authorization !== undefined) return claimOfHeader(authorization, request)
  if (inQuery) return claimOfQuery(query)
  throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', {
    queryCode: 'MissingAuthenticationToken',
    queryStatus: 403,
    queryMessage: 'Request is missing Authentication Token',
  })
}

export function invalidSignature(message: string): AwsError {
  return new AwsError('InvalidSignatureException', message, {
    queryCode: 'SignatureDoesNotMatch',
    queryStatus: 403,
  })
}

function claimOfHeader(authorization: string, request: AwsRequest): SigningClaim {
  const [algorithm = '', ...rest] = authorization.split(' ')
  if (algorithm !== ALGORITHM) throw incomplete(`Unsupported AWS 'algorithm': '${shortened(algorithm)}'.`)
  const parts = new Map(
    rest
      .join('')
      .split(',')
      .map((part) => [part.slice(0, Math.max(part.indexOf('='), 0)), part.slice(part.indexOf('=') + 1)]),
  )
  const dateTime = headerOf(request, 'x-amz-date') ?? fromHttpDate(headerOf(request, 'date'))
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => (parts.get(name) ?? '') === '')
    .map((name) => `Authorization header requires '${name}' parameter.`)
  if (dateTime === undefined)
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  if (missing.length > 0) throw incomplete(`${missing.join(' ')} Authorization=${ALGORITHM}`)
  return claimOf((name) => parts.get(name) ?? '', dateTime ?? '')
}

function claimOfQuery(query: URLSearchParams): SigningClaim {
  const missing = ['Algorithm', 'Credential', 'Signature', 'SignedHeaders', 'Date']
    .filter((name) => (query.get(`X-Amz-${name}`) ?? '') === '')
    .map((name) => `AWS query-string parameters must include 'X-Amz-${name}'.`)
  if (missing.length > 0) throw incomplete(`${missing.join(' ')} Re-examine the query-string parameters.`)
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw incomplete("Unsupported AWS 'algorithm'.")
  const expires = query.get('X-Amz-Expires')
  if (expires !== null && !(/^\d{1,6}$/.test(expires) && Number(expires) <= WEEK_SECONDS))
    throw incomplete('X-Amz-Expires must be a number of seconds up to 604800.')
  return {
    ...claimOf((name) => query.get(`X-Amz-${name}`) ?? '', query.get('X-Amz-Date') ?? ''),
    ...(expires !== null && { expiresInSeconds: Number(expires) }),
  }
}

function claimOf(part: (name: string) => string, dateTime: string): SigningClaim {
  const credential = part('Credential').split('/')
  const [accessKeyId = '', date = '', region = '', service = '', terminator] = credential
  if (credential.length !== 5)
    throw incomplete(
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.',
    )
  if (terminator !== 'aws4_request')
    throw invalidSignature("Credential should be scoped with a valid terminator: 'aws4_request'.")
  if (!/^\d{8}T\d{6}Z$/.test(dateTime))
    throw incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${shortened(dateTime)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  if (!dateTime.startsWith(date) || date.length !== 8)
    throw invalidSignature(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP',
    )
  const signedHeaders = part('SignedHeaders').split(';')
  if (
    signedHeaders.length > MAX_SIGNED_HEADERS ||
    !signedHeaders.some((name) => name === 'host' || name === ':authority')
  )
    throw invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  return {
    accessKeyId,
    scope: { date, region, service },
    signedHeaders,
    signature: part('Signature'),
    dateTime,
  }
}

/** `Sun, 30 Aug 2015 12:36:00 GMT` → `20150830T123600Z`. */
function fromHttpDate(date: string | undefined): string | undefined {
  const epochMs = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(epochMs)) return undefined
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function incomplete(message: string): AwsError {
  return new AwsError('IncompleteSignatureException', message, { queryCode: 'IncompleteSignature' })
}

function shortened(text: string): string {
  return text.slice(0, 100)
}
