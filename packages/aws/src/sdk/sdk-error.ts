/** What an error of an AWS SDK client says, whichever service it is of. */
export interface SdkError {
  /** The service's name of it: `ResourceNotFoundException`. */
  readonly name: string
  /** Name and message. */
  readonly problem: string
  /** HTTP status; undefined: there was no answer. */
  readonly status: number | undefined
  /**
   * `throttled`: refused before anything was done. `unknown`: whatever was asked for may have been done. `refused`: it was
   * not, and asking again does not change that. `bug`: neither a service nor a connection said it.
   */
  readonly kind: 'throttled' | 'unknown' | 'refused' | 'bug'
}

/** The rate of a table, a shard, an account or its keys. */
const THROTTLES = new Set([
  'KMSThrottlingException',
  'KmsThrottled',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])

/** Credentials that were there and are not now, as `knowingCredentials` tells it. */
export const LOST_CREDENTIALS = 'CredentialsNotRenewed'

/** Or a request that the service gave up waiting for: it may have read all of it. */
const MAY_PASS = new Set([LOST_CREDENTIALS, 'RequestTimeout', 'RequestTimeoutException'])

/** Where credentials come from has none. */
const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError'])

/** Names and codes of errors that a connection, or the search for an address, ends with. */
const CONNECTION =
  /^(AbortError|TimeoutError|NetworkingError|E[A-Z]+|EAI_[A-Z]+|UND_ERR_[A-Z_]+|ERR_HTTP2_[A-Z_]+|ERR_SOCKET_[A-Z_]+|ERR_STREAM_[A-Z_]+|ERR_TLS_[A-Z_]+|HPE_[A-Z_]+)$/

/** What the SDK says when a stream of HTTP/2 ends without an answer: errors with neither a name nor a code of their own. */
const STREAM_ENDED =
  /^(Unexpected error: http2 request did not get a response|HTTP\/2 stream is abnormally aborted|Frame type id )/

interface Thrown {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

export function sdkErrorOf(thrown: unknown): SdkError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Thrown
  const name = typeof error.name === 'string' ? error.name : 'Error'
  const status = error.$metadata?.httpStatusCode
  const problem = `${name}: ${typeof error.message === 'string' ? error.message : 'no message'}`
  return { name, status, problem, kind: kindOf(error, name, status) }
}

/** The connection went before an answer came: a new one may do better. */
export function isBrokenConnection(thrown: unknown): boolean {
  const code = (thrown as Thrown | undefined)?.code
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function kindOf(error: Thrown, name: string, status: number | undefined): SdkError['kind'] {
  if (THROTTLES.has(name) || status === 429) return 'throttled'
  if (MAY_PASS.has(name) || isConnectionError(error)) return 'unknown'
  // An answer of 2xx or 3xx that became an error could not be read.
  if (status !== undefined) return status >= 500 || status < 400 || status === 408 ? 'unknown' : 'refused'
  return NO_CREDENTIALS.has(name) ? 'refused' : 'bug'
}

function isConnectionError({ name, code, message, cause }: Thrown): boolean {
  if (name === 'Error' && typeof message === 'string' && STREAM_ENDED.test(message)) return true
  if (typeof code === 'string' && CONNECTION.test(code)) return true
  if (typeof name === 'string' && CONNECTION.test(name)) return true
  const inner = (cause ?? {}) as Thrown
  return typeof inner.code === 'string' && CONNECTION.test(inner.code)
}
