import type { IncomingHttpHeaders } from 'node:http'

/** A request as it came, whole. */
export interface AwsRequest {
  readonly method: string
  /** Path and query as they were sent: `/?Action=ListQueues`. */
  readonly target: string
  /** Names in lower case; `host` is there over HTTP/2 too. */
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

export interface AwsAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
  /** Of a body in a buffer that is used again, by `RawAnswer`. */
  readonly release?: () => void
}

/** The value of a header that may be there once. */
export function headerOf(request: Pick<AwsRequest, 'headers'>, name: string): string | undefined {
  // A signature may name any header, such as "constructor".
  const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined
  return Array.isArray(value) ? value.join(',') : value
}
