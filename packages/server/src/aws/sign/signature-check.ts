import { createHash, timingSafeEqual } from 'node:crypto'
import { AwsError } from '../aws-error.ts'
import { type AwsRequest, headerOf } from '../aws-request.ts'
import { canonicalHash, signatureOf } from './canonical-request.ts'
import type { Credentials } from './credentials.ts'
import { invalidSignature, type SigningClaim, signingClaim } from './signing-claim.ts'

export interface SignatureCheckOptions {
  readonly credentials: readonly Credentials[]
  readonly region: string
  /** Epoch milliseconds. */
  now(): number
}

/** How far a client's clock may be off, and how long a signature stays good. */
const MAX_SKEW_MS = 5 * 60_000

/** Signature Version 4, in the header or in the address. */
export class SignatureCheck {
  readonly #secrets: ReadonlyMap<string, string>
  readonly #region: string
  readonly #now: () => number

  constructor({ credentials, region, now }: SignatureCheckOptions) {
    this.#secrets = new Map(
      credentials.map(({ accessKeyId, secretAccessKey }) => [accessKeyId, secretAccessKey]),
    )
    this.#region = region
    this.#now = now
  }

  /** @throws AwsError in the words of the service; nothing of the secret shows in its time either */
  verify(request: AwsRequest, service: string): void {
    const claim = signingClaim(request)
    const secret = this.#secrets.get(claim.accessKeyId)
    if (secret === undefined) {
      throw new AwsError(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
        {
          queryCode: 'InvalidClientTokenId',
          queryStatus: 403,
        },
      )
    }
    // There is no TLS: whoever saw the request could have another operation done with its body.
    if (headerOf(request, 'x-amz-target') !== undefined && !claim.signedHeaders.includes('x-amz-target'))
      throw invalidSignature("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.")
    const { scope } = claim
    if (scope.service !== service)
      throw invalidSignature(`Credential should be scoped to correct service: '${service}'.`)
    if (scope.region !== this.#region)
      throw invalidSignature(`Credential should be scoped to a valid region: '${this.#region}'.`)
    this.#checkTime(claim)
    const expected = signatureOf(secret, scope, claim.dateTime, canonicalHash(request, claim.signedHeaders))
    if (!timingSafeEqual(digest(expected), digest(claim.signature))) throw invalidSignature(MISMATCH)
  }

  #checkTime({ dateTime, expiresInSeconds }: SigningClaim): void {
    const signedAtMs = epochMsOf(dateTime)
    const nowMs = this.#now()
    const [now, limit] = [basicTime(nowMs), '(5 min.)']
    if (Number.isNaN(signedAtMs)) throw invalidSignature(`Date is not a time: ${dateTime}`)
    if (signedAtMs > nowMs + MAX_SKEW_MS)
      throw invalidSignature(`Signature not yet current: ${dateTime} is still later than ${now} ${limit}`)
    const goodForMs = expiresInSeconds === undefined ? MAX_SKEW_MS : expiresInSeconds * 1000
    if (signedAtMs + goodForMs < nowMs)
      throw invalidSignature(`Signature expired: ${dateTime} is now earlier than ${now} ${limit}`)
  }
}

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'

/** `20150830T123600Z`. */
function epochMsOf(dateTime: string): number {
  return Date.parse(dateTime.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function basicTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
