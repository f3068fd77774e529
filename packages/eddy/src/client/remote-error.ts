import { EddyError, type ErrorDetails } from '@eddy/core'

type ErrorCode = `EDDY_${string}`

/** What a server answered instead of a result: its problem document (RFC 9457), with the same `code` as the error there. */
export class RemoteError extends EddyError {
  override readonly code: ErrorCode
  override readonly retryable: boolean
  readonly status: number
  /** The whole problem document, extension members included; empty when the answer was none. */
  readonly problem: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    options: {
      readonly code: ErrorCode
      readonly retryable: boolean
      readonly status: number
      readonly details?: ErrorDetails
      readonly problem?: Readonly<Record<string, unknown>>
    },
  ) {
    super(message, options.details ?? {})
    this.code = options.code
    this.retryable = options.retryable
    this.status = options.status
    this.problem = options.problem ?? {}
  }
}

const RETRYABLE_STATUSES: readonly number[] = [408, 429, 502, 503, 504]

/** Reads a problem document; an answer that is none still becomes an error that says what came. */
export function remoteErrorFrom(status: number, body: string, url: string): RemoteError {
  const problem = parseProblem(body)
  if (problem === undefined) {
    const start = body.replace(/\s+/g, ' ').trim().slice(0, 120)
    return new RemoteError(
      `${url} answered ${status}${start === '' ? '' : ` with "${start}"`}. Is it an Eddy server? Check --url.`,
      { code: 'EDDY_REMOTE', retryable: RETRYABLE_STATUSES.includes(status), status },
    )
  }
  const { code, detail, title, retryable, details } = problem
  return new RemoteError(String(detail ?? title ?? `the server answered ${status}`), {
    code: typeof code === 'string' && code.startsWith('EDDY_') ? (code as ErrorCode) : 'EDDY_REMOTE',
    retryable: typeof retryable === 'boolean' ? retryable : RETRYABLE_STATUSES.includes(status),
    status,
    problem,
    ...(isDetails(details) ? { details } : {}),
  })
}

function parseProblem(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null) return undefined
    return 'code' in value || 'title' in value || 'detail' in value
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function isDetails(value: unknown): value is ErrorDetails {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((entry) => ['string', 'number', 'boolean'].includes(typeof entry))
  )
}
