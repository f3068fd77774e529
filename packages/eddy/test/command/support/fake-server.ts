import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** `reset`: the request was taken in and the connection breaks instead of an answer. */
export type FakeAnswer =
  | 'reset'
  | { readonly status?: number; readonly json?: unknown; readonly text?: string; readonly problem?: object }

export type FakeHandler = (request: FakeRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>

export interface FakeServer {
  readonly url: string
  readonly port: number
  readonly requests: FakeRequest[]
  close(): Promise<void>
}

/** A server of this process that answers what a test says. */
export async function fakeServer(handler: FakeHandler, port = 0): Promise<FakeServer> {
  const requests: FakeRequest[] = []
  const server: Server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    const respond = async () => {
      const url = new URL(incoming.url ?? '/', 'http://fake')
      const request: FakeRequest = {
        method: incoming.method ?? '',
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(parts).toString('utf8'),
      }
      requests.push(request)
      const answer = (await handler(request)) ?? problem(404, 'EDDY_ROUTE_NOT_FOUND', `no ${request.path}`)
      if (answer === 'reset') {
        incoming.socket.destroy()
        return
      }
      const { status = 200, json, text } = answer
      const body = answer.problem ?? json
      outgoing.writeHead(status, { 'content-type': 'application/json' })
      outgoing.end(text ?? (body === undefined ? '' : JSON.stringify(body)))
    }
    incoming.on('end', () => void respond())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function problem(
  status: number,
  code: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
): FakeAnswer {
  return { status, problem: { type: `urn:eddy:error:${code}`, title: code, status, code, detail, ...extra } }
}
