import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'

/** What the SDK asks of a request handler, as far as it is used here. */
interface SdkRequest {
  readonly hostname: string
  readonly port?: number
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: IncomingMessage
}

const MAX_SOCKETS = 64

/**
 * HTTP/1.1 without TLS for the AWS SDK, whose own handler speaks HTTP/2 to Kinesis: emulators on a plain port often
 * know HTTP/1.1 alone. Connections are kept.
 */
export class Http1Handler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })

  handle(
    request: SdkRequest,
    { abortSignal }: { readonly abortSignal?: unknown } = {},
  ): Promise<{ readonly response: SdkResponse }> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          agent: this.#agent,
          hostname: request.hostname.replace(/^\[|\]$/g, ''),
          method: request.method,
          path: pathOf(request),
          headers: { ...request.headers },
          ...(request.port !== undefined && { port: request.port }),
          ...(abortSignal instanceof AbortSignal && { signal: abortSignal }),
        },
        (message) => {
          const response = { statusCode: message.statusCode ?? 0, headers: headersOf(message), body: message }
          resolve({ response })
        },
      )
      sent.on('error', reject)
      sent.end(request.body)
    })
  }

  /** The SDK sets options of handlers that it made itself; this one has none. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {}
  }

  destroy(): void {
    this.#agent.destroy()
  }
}

function pathOf({ path, query = {} }: SdkRequest): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) parameters.append(name, one as string)
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`
}

function headersOf(message: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}
