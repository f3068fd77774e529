import { randomUUID } from 'node:crypto'
import { type EddyError, isEddyError, type Logger } from '@eddy/core'
import { errorStatus } from './error-status.ts'

/** An RFC 9457 problem document. */
export interface Problem {
  /** `urn:eddy:error:<code>`. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** For failures of the server itself: the id under which it logged what happened. */
  readonly instance?: string
  readonly code: string
  readonly retryable: boolean
  readonly details: Readonly<Record<string, string | number | boolean>>
}

/** Extension members that some problems carry besides, such as the fate of each record. */
export type ProblemExtension = Readonly<Record<string, unknown>>

/**
 * The problem document for a thrown value. An error that is not Eddy's own tells the caller an id and nothing of the
 * inside; the log has the rest under the same id.
 */
export function problemOf(error: unknown, logger: Logger): Problem {
  if (!isEddyError(error)) return unexpected(error, logger)
  const status = errorStatus(error.code, error.retryable)
  const instance = status === 500 ? `urn:uuid:${randomUUID()}` : undefined
  // Errors of the engine name places and causes, never what an event carries; those of requests (4xx) may quote.
  if (status >= 500) {
    logger.error({ code: error.code, status, instance, problem: error.message }, 'request failed')
  }
  return {
    type: `urn:eddy:error:${error.code}`,
    title: titleOf(error),
    status,
    detail: error.message,
    ...(instance === undefined ? {} : { instance }),
    code: error.code,
    retryable: error.retryable,
    details: error.details,
  }
}

export function problemResponse(problem: Problem, extension: ProblemExtension = {}): Response {
  const body = JSON.stringify({ ...problem, ...extension })
  const headers = new Headers({
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
  })
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer realm="eddy"')
  if (problem.status === 405) headers.set('allow', String(problem.details.allowed ?? ''))
  // Whole seconds are all that the header knows; the details have the milliseconds.
  if (problem.status === 429) {
    headers.set('retry-after', String(Math.ceil(Number(problem.details.retryAfterMs ?? 1_000) / 1_000)))
  }
  if (problem.status === 503) headers.set('retry-after', '1')
  return new Response(body, { status: problem.status, headers })
}

function unexpected(error: unknown, logger: Logger): Problem {
  const instance = `urn:uuid:${randomUUID()}`
  logger.error({ code: 'EDDY_INTERNAL', status: 500, instance, ...traceOf(error) }, 'request failed')
  return {
    type: 'urn:eddy:error:EDDY_INTERNAL',
    title: 'Internal error',
    status: 500,
    detail: `the server failed on this request; its log tells more under ${instance}`,
    instance,
    code: 'EDDY_INTERNAL',
    retryable: false,
    details: {},
  }
}

/** Where it happened, without the message: an unexpected error may quote what was sent. */
function traceOf(error: unknown): { errorType: string; frames: readonly string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, frames: [] }
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim())
  return { errorType: error.name, frames: lines.filter((line) => line.startsWith('at ')).slice(0, 20) }
}

function titleOf(error: EddyError): string {
  const words = error.code.slice('EDDY_'.length).toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
