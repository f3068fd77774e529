/** What a client is told of where and as whom it calls. */
export interface ClientOptions<Credentials extends object> {
  /** Another address than the region's own, such as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  /** Default: as the AWS SDK finds it, in AWS_REGION or the profile. */
  readonly region?: string
  /** Default: as the AWS SDK finds them. */
  readonly credentials?: Credentials
}

/** Part of a client's configuration: every request is sent once, since whoever calls the port knows what may be repeated. */
export function sentOnce<Credentials extends object>({
  endpoint,
  region,
  credentials,
}: ClientOptions<Credentials>): ClientOptions<Credentials> & {
  readonly maxAttempts: 1
  readonly retryMode: 'standard'
} {
  return {
    maxAttempts: 1,
    retryMode: 'standard',
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
  }
}
