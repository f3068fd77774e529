import { ConnectionError } from '@eddy/core'
import { backoffDelayMs, wait } from './backoff.ts'
import { RemoteError, remoteErrorFrom } from './remote-error.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with `/`; segments are already encoded. */
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  readonly contentType?: string
  /** Until the whole answer is there; default 30,000. 0: no limit. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface TransportOptions {
  readonly url: string
  readonly token?: string
}

const SAFE_TRIES = 3
const SAFE_BACKOFF = { initialMs: 100, maxMs: 1_000 }

/**
 * One HTTP server, spoken to with global fetch.
 *
 * Only GET is repeated on its own (a lost connection or a retryable answer, three tries): whoever sends a change
 * decides whether it may be sent again.
 *
 * @throws ConnectionError no answer came; RemoteError the server answered with a problem
 */
export class Transport {
  readonly url: string
  readonly #token: string | undefined

  constructor({ url, token }: TransportOptions) {
    this.url = url.replace(/\/+$/, '')
    this.#token = token
  }

  async json<T>(request: HttpRequest): Promise<T> {
    const text = await this.text(request)
    if (text === '') return undefined as T
    try {
      return JSON.parse(text) as T
    } catch {
      throw remoteErrorFrom(200, text, this.url)
    }
  }

  async text(request: HttpRequest): Promise<string> {
    const tries = request.method === 'GET' ? SAFE_TRIES : 1
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(request, async (response) => await response.text())
      } catch (error) {
        if (attempt >= tries || !isWorthRepeating(error)) throw error
        await wait(backoffDelayMs(attempt, SAFE_BACKOFF), request.signal)
      }
    }
  }

  /** Hands the answer's body on while it arrives; nothing is repeated. */
  async *stream(request: HttpRequest): AsyncGenerator<Uint8Array> {
    const chunks = await this.#once({ ...request, timeoutMs: 0 }, async (response) => response.body)
    if (chunks === null) return
    try {
      for await (const chunk of chunks) yield chunk as Uint8Array
    } catch (error) {
      request.signal?.throwIfAborted()
      throw new ConnectionError(this.url, `the answer broke off (${problemOf(error)})`, { cause: error })
    }
  }

  async #once<T>(request: HttpRequest, take: (response: Response) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = 30_000 } = request
    signal?.throwIfAborted()
    // Not AbortSignal.any: on Node 20 it leaks under a signal that lives as long as the command.
    const abort = new AbortController()
    const forward = () => abort.abort(signal?.reason)
    signal?.addEventListener('abort', forward, { once: true })
    let timedOut = false
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            timedOut = true
            abort.abort()
          }, timeoutMs)
    try {
      const response = await fetch(this.#address(request), {
        method: request.method,
        headers: this.#headers(request),
        redirect: 'error',
        signal: abort.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      if (!response.ok) throw remoteErrorFrom(response.status, await response.text(), this.url)
      return await take(response)
    } catch (error) {
      if (error instanceof RemoteError) throw error
      signal?.throwIfAborted()
      const problem = timedOut ? `none within ${timeoutMs} ms` : problemOf(error)
      throw new ConnectionError(this.url, problem, { cause: error })
    } finally {
      clearTimeout(timer)
      // A streamed body still needs the signal; it ends with the stream or the command.
      if (timeoutMs !== 0) signal?.removeEventListener('abort', forward)
    }
  }

  #address({ path, query = {} }: HttpRequest): string {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value))
    }
    return `${this.url}${path}${parameters.size === 0 ? '' : `?${parameters}`}`
  }

  #headers({ headers, body, contentType }: HttpRequest): Record<string, string> {
    return {
      accept: 'application/json, application/problem+json',
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      ...headers,
    }
  }
}

/** True when no answer came because nothing listens there: waiting half a second would not change it. */
function isRefused(error: unknown): boolean {
  return error instanceof ConnectionError && problemOf(error.cause).includes('ECONNREFUSED')
}

/** Failures of a connection that was never made. */
const UNSENT_CODES: readonly string[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]

/** True when the request cannot have reached a server. */
export function isUnsent(error: unknown): boolean {
  return error instanceof ConnectionError && UNSENT_CODES.includes(problemOf(error.cause))
}

function isWorthRepeating(error: unknown): boolean {
  if (error instanceof RemoteError) return error.retryable && error.status >= 500
  return error instanceof ConnectionError && !isRefused(error)
}

function problemOf(error: unknown): string {
  const cause = (error as { cause?: unknown } | undefined)?.cause ?? error
  const { code, message, errors } = cause as { code?: unknown; message?: unknown; errors?: unknown[] }
  if (typeof code === 'string') return code
  if (Array.isArray(errors) && errors.length > 0) return problemOf(errors[0])
  return typeof message === 'string' && message !== '' ? message : String(cause)
}
