import { createHash, createHmac } from 'node:crypto'
import { type AwsRequest, headerOf } from '../aws-request.ts'
import { pathOf, queryOf } from '../protocol/query-parameters.ts'

/** What a signature is made over. */
export interface Scope {
  /** `20150830`. */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** SHA-256 of the canonical form of a request (Signature Version 4), in hex. */
export function canonicalHash(request: AwsRequest, signedHeaders: readonly string[]): string {
  const headers = signedHeaders.map((name) => `${name}:${canonicalHeader(request, name)}\n`)
  const canonical = [
    request.method,
    canonicalPath(pathOf(request.target)),
    canonicalQuery(queryOf(request.target)),
    headers.join(''),
    signedHeaders.join(';'),
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n')
  return createHash('sha256').update(canonical).digest('hex')
}

/** The signature in hex. */
export function signatureOf(secret: string, scope: Scope, dateTime: string, requestHash: string): string {
  const text = ['AWS4-HMAC-SHA256', dateTime, scopeText(scope), requestHash].join('\n')
  const keyOfDate = hmac(`AWS4${secret}`, scope.date)
  const key = hmac(hmac(hmac(keyOfDate, scope.region), scope.service), 'aws4_request')
  return createHmac('sha256', key).update(text).digest('hex')
}

export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function canonicalHeader(request: AwsRequest, name: string): string {
  return (headerOf(request, name) ?? '').trim().replace(/ +/g, ' ')
}

/** Every service but S3 signs the path as it was sent, encoded once more. */
function canonicalPath(path: string): string {
  return path === '' ? '/' : path.split('/').map(encoded).join('/')
}

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((part) => part !== '' && !part.startsWith('X-Amz-Signature='))
    .map((part) => {
      const equals = part.indexOf('=')
      const name = equals < 0 ? part : part.slice(0, equals)
      return [reencoded(name), equals < 0 ? '' : reencoded(part.slice(equals + 1))] as const
    })
    .sort(([aName, aValue], [bName, bValue]) => compare(aName, bName) || compare(aValue, bValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function reencoded(part: string): string {
  try {
    return encoded(decodeURIComponent(part))
  } catch {
    return encoded(part)
  }
}

/** RFC 3986: `encodeURIComponent` leaves five more characters as they are. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
