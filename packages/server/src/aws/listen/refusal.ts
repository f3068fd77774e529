import type { AwsAnswer } from '../aws-request.ts'

type RefusalStatus = 400 | 403 | 408 | 413 | 415 | 500 | 503

/** Names and texts are ours: the service's front gives little more than a status, and no next step. */
const WORDS: Readonly<Record<RefusalStatus, readonly [name: string, message: string]>> = {
  400: ['BadRequestException', 'The request is not whole, or its Host header names no host.'],
  403: [
    'AccessDeniedException',
    'Pages of other origins are refused; so is, without credentials, every host but localhost and 127.0.0.1. Connect to one ' +
      'of these, or start the endpoint with --aws-credentials.',
  ],
  408: ['RequestTimeoutException', 'The body of the request did not come in time.'],
  413: ['RequestEntityTooLargeException', 'The body of the request is over 16 MiB. Send less at a time.'],
  415: ['UnsupportedMediaTypeException', 'The Content-Encoding is not supported. Send the body as it is.'],
  500: ['InternalFailure', 'The request processing has failed because of an unknown error.'],
  503: ['ServiceUnavailable', 'Too much is at work at a time. Try again later.'],
}

/**
 * A request that is refused before it is known which service and protocol it is for. The text is JSON for all: clients of
 * other protocols show it as it is.
 */
export class Refusal extends Error {
  readonly status: RefusalStatus

  constructor(status: RefusalStatus) {
    super(`refused with status ${status}`)
    this.name = 'Refusal'
    this.status = status
  }

  get answer(): AwsAnswer {
    const [name, message] = WORDS[this.status]
    return {
      status: this.status,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify({ __type: name, message }),
    }
  }
}
