import { EddyError, type ErrorDetails } from './eddy-error.ts'

/** A request that cannot be read: not JSON, not UTF-8, a wrong header. */
export class InvalidRequestError extends EddyError {
  override readonly code = 'EDDY_INVALID_REQUEST'
  override readonly retryable = false

  constructor(problem: string, details: ErrorDetails = {}) {
    super(`invalid request: ${problem}`, details)
  }
}

export class RequestTooLargeError extends EddyError {
  override readonly code = 'EDDY_REQUEST_TOO_LARGE'
  override readonly retryable = false

  constructor(problem: string, details: ErrorDetails = {}) {
    super(`request too large: ${problem}`, details)
  }
}

export class UnsupportedContentTypeError extends EddyError {
  override readonly code = 'EDDY_UNSUPPORTED_CONTENT_TYPE'
  override readonly retryable = false

  constructor(header: string, received: string, expected: string) {
    super(`${header} "${received}" is not supported. Send ${expected}.`, { header, received, expected })
  }
}

export class RouteNotFoundError extends EddyError {
  override readonly code = 'EDDY_ROUTE_NOT_FOUND'
  override readonly retryable = false

  constructor() {
    super('there is nothing at this address. The routes are listed in /openapi.json', {})
  }
}

export class MethodNotAllowedError extends EddyError {
  override readonly code = 'EDDY_METHOD_NOT_ALLOWED'
  override readonly retryable = false

  constructor(allowed: string) {
    super(`this address answers ${allowed} only. The routes are listed in /openapi.json`, { allowed })
  }
}

/** A browser page of another origin, or a host name that is not this machine, asks a server that has no token. */
export class ForbiddenRequestError extends EddyError {
  override readonly code = 'EDDY_FORBIDDEN'
  override readonly retryable = false

  constructor(problem: string) {
    super(`${problem}. To serve others than this machine's own programs, start the server with --token.`, {})
  }
}

export class ServerBusyError extends EddyError {
  override readonly code = 'EDDY_SERVER_BUSY'
  override readonly retryable = true

  constructor(problem: string, details: ErrorDetails = {}) {
    super(`the server is busy: ${problem}. Try again later.`, details)
  }
}
