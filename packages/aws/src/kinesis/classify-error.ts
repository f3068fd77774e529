import type { EddyError } from '@eddy/core'
import { KinesisRefusedError, KinesisUnavailableError } from './kinesis-errors.ts'

/** What an error of a request says of what the request carried. */
export type Refusal =
  /** Nothing was stored, for now: the same may be sent again. */
  | { readonly kind: 'throttled' | 'internal'; readonly message: string }
  /** `error.retryable`: any of it may have been stored. Else none was, and none will be. */
  | { readonly kind: 'error'; readonly error: EddyError }

/** Refused before anything was done: the rate, of the shard, the stream, the account or its keys. */
const THROTTLES = new Set([
  'KMSThrottlingException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestThrottled',
  'RequestThrottledException',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

/** The stream is being made or deleted; one that is being made becomes active. */
const NOT_YET = new Set(['ResourceInUseException'])

/** A request that the service gave up waiting for: it may have read all of it. */
const TIMED_OUT = new Set(['RequestTimeout', 'RequestTimeoutException'])

/** Names and codes of errors that a connection ends with, HTTP/1.1 and HTTP/2. */
const CONNECTION =
  /^(AbortError|TimeoutError|NetworkingError|E[A-Z]+|UND_ERR_[A-Z_]+|ERR_HTTP2_[A-Z_]+|ERR_SOCKET_[A-Z_]+|ERR_STREAM_[A-Z_]+|ERR_TLS_[A-Z_]+|HPE_[A-Z_]+)$/

interface SdkError {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/**
 * @param what - `PutRecords on stream "orders"`
 * @returns undefined for what neither Kinesis nor a connection said: a bug
 */
export function classifyError(thrown: unknown, what: string): Refusal | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const error = thrown as SdkError
  const name = typeof error.name === 'string' ? error.name : 'Error'
  const problem = `${name}: ${typeof error.message === 'string' ? error.message : 'no message'}`
  const status = error.$metadata?.httpStatusCode
  if (THROTTLES.has(name) || status === 429) return { kind: 'throttled', message: problem }
  if (NOT_YET.has(name)) return { kind: 'internal', message: problem }
  const unavailable = () =>
    ({ kind: 'error', error: new KinesisUnavailableError(what, problem, { cause: thrown }) }) as const
  if (TIMED_OUT.has(name) || isConnectionError(error)) return unavailable()
  if (status !== undefined) {
    // An answer of 2xx or 3xx that became an error could not be read.
    if (status >= 500 || status < 400 || status === 408) return unavailable()
    return { kind: 'error', error: new KinesisRefusedError(what, problem, { cause: thrown }) }
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return { kind: 'error', error: new KinesisRefusedError(what, problem, { cause: thrown }) }
  return undefined
}

function isConnectionError({ name, code, cause }: SdkError): boolean {
  if (typeof code === 'string' && CONNECTION.test(code)) return true
  if (typeof name === 'string' && CONNECTION.test(name)) return true
  const inner = (cause ?? {}) as SdkError
  return typeof inner.code === 'string' && CONNECTION.test(inner.code)
}
