import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { ForbiddenRequestError, ServerBusyError } from '@eddy/core'
import { BodyBudget, type BodyLease } from '../../http/body-budget.ts'
import { requireLoopbackHost, requireSameOrigin } from '../../http/guards.ts'
import { answerRequest, type Endpoint } from '../answer-request.ts'
import type { AwsAnswer, AwsRequest } from '../aws-request.ts'
import { readRequestBody } from './read-request-body.ts'
import { Refusal } from './refusal.ts'
import { RequestCall } from './request-call.ts'

export interface RequestHandlerOptions {
  readonly endpoint: Endpoint
  readonly region: string
  readonly accountId: string
  /** For the body to come, and again for the answer to go. */
  readonly requestMs: number
  /** Aborts when the endpoint begins to stop. */
  readonly stopping: AbortSignal
}

type AnyRequest = IncomingMessage | Http2ServerRequest
type AnyResponse = ServerResponse | Http2ServerResponse

/** Requests at work at a time, long polls among them (I6). */
const MAX_REQUESTS = 10_000
/** Bytes of all bodies that are read, worked on or written at a time (I6). */
const MAX_PENDING_BYTES = 512 * 1024 * 1024

/** One request of either HTTP version, from its head to the last byte of its answer. */
export class RequestHandler {
  readonly #options: RequestHandlerOptions
  readonly #budget = new BodyBudget(MAX_PENDING_BYTES)
  #requests = 0

  constructor(options: RequestHandlerOptions) {
    this.#options = options
  }

  get load(): { readonly requests: number; readonly pendingBytes: number } {
    return { requests: this.#requests, pendingBytes: this.#budget.takenBytes }
  }

  /** Never rejects. */
  async handle(request: AnyRequest, response: AnyResponse): Promise<void> {
    const startedMs = performance.now()
    this.#requests += 1
    const lease = this.#budget.lease()
    let isGone = false
    response.once('close', () => {
      isGone = true
      this.#requests -= 1
      lease.release()
    })
    // A client that goes in the middle of an answer is no error of ours.
    response.on('error', () => {})
    let operation = 'none'
    let answer: AwsAnswer
    try {
      const found = await this.#answer(request, response, lease)
      answer = found
      operation = found.operation
    } catch (error) {
      answer = this.#refusal(error)
    }
    this.#write(request, response, answer)
    // What was taken for the answer after the client had gone.
    if (isGone) lease.release()
    const durationMs = Math.round((performance.now() - startedMs) * 10) / 10
    const { logger } = this.#options.endpoint
    logger.debug({ operation, status: answer.status, durationMs }, 'AWS request')
  }

  async #answer(request: AnyRequest, response: AnyResponse, lease: BodyLease) {
    if (this.#requests > MAX_REQUESTS)
      throw new ServerBusyError('too many requests are at work', { limit: MAX_REQUESTS })
    const host = hostOf(request)
    this.#guard(request, host)
    const body = await readRequestBody(request, lease, this.#options.requestMs)
    const { method = '', url = '', headers } = request
    const { region, accountId, stopping, endpoint } = this.#options
    const whole: AwsRequest = { method, target: url, headers: { ...headers, host }, body }
    const call = new RequestCall({ region, accountId, baseUrl: `http://${host}`, stopping, response })
    try {
      const answer = await answerRequest(endpoint, whole, call)
      lease.reserve(heldBytes(answer))
      return answer
    } finally {
      call.release()
    }
  }

  /** Pages of other origins, which browsers let send simple requests anywhere; and names that were rebound to here. */
  #guard({ headers }: AnyRequest, host: string): void {
    const fetchSite = headers['sec-fetch-site']
    const caller = {
      host,
      authorization: undefined,
      origin: headers.origin,
      fetchSite: Array.isArray(fetchSite) ? fetchSite[0] : fetchSite,
    }
    requireSameOrigin(caller)
    if (this.#options.endpoint.signatures === undefined) requireLoopbackHost(caller)
    if (!/^[\w.:[\]-]{1,255}$/.test(host)) throw new Refusal(400)
  }

  #refusal(error: unknown): AwsAnswer {
    if (error instanceof Refusal) return error.answer
    if (error instanceof ForbiddenRequestError) return new Refusal(403).answer
    if (error instanceof ServerBusyError) return new Refusal(503).answer
    this.#options.endpoint.logger.error({ error }, 'AWS endpoint: failed')
    return new Refusal(500).answer
  }

  #write(request: AnyRequest, response: AnyResponse, answer: AwsAnswer): void {
    if (response.destroyed || response.writableEnded) return
    const { status, headers, body, release } = answer
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const unread = !request.readableEnded
    const own: Record<string, string | number> = { ...headers, 'content-length': bytes.length }
    // What is left of a body is not waited for; and a stopping endpoint takes no further request.
    if (request.httpVersionMajor === 1 && (unread || this.#options.stopping.aborted)) own.connection = 'close'
    // A client that does not read its answer would hold it for ever.
    const timer = setTimeout(() => destroy(request, response), this.#options.requestMs)
    response.once('close', () => clearTimeout(timer))
    if (release !== undefined) sentBy(response).once('finish', release)
    ;(response as ServerResponse).writeHead(status, own)
    ;(response as ServerResponse).end(bytes)
    if (unread) request.resume()
  }
}

/**
 * What says `finish` once the system has all bytes of the answer, or nobody will ask for them any more. An HTTP/2 response
 * says it of every stream that ends, however it does; the stream itself only when all of it was written.
 */
function sentBy(response: AnyResponse): NodeJS.EventEmitter {
  return 'stream' in response ? response.stream : response
}

/** A buffer that is used again is held whole. */
function heldBytes({ body, release }: AwsAnswer): number {
  return typeof body === 'string' || release === undefined ? body.length : body.buffer.byteLength
}

function hostOf({ headers }: AnyRequest): string {
  const host = headers[':authority'] ?? headers.host
  return typeof host === 'string' ? host : ''
}

function destroy(request: AnyRequest, response: AnyResponse): void {
  if ('stream' in response) response.stream.close(8)
  else request.socket.destroy()
}
