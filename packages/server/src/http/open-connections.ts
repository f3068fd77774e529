import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Knows which connections have a request under way. Node's own `closeIdleConnections` counts one that never sent a
 * request as busy, and browsers and clients open such ones ahead of need: a stop would wait for them.
 */
export class OpenConnections {
  readonly #requests: Map<Socket, number> = new Map()
  #closing = false

  /** With those of a server, from its first one on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.add(socket))
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.begin(request, response),
    )
  }

  add(socket: Socket): void {
    this.#requests.set(socket, 0)
    socket.once('close', () => this.#requests.delete(socket))
  }

  /** For a connection that somebody else watches from now on. */
  remove(socket: Socket): void {
    this.#requests.delete(socket)
  }

  /** A request is under way until its answer is closed. */
  begin({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#count(socket, 1)
    response.once('close', () => this.#count(socket, -1))
  }

  /** Closes every connection without a request, now and whenever one becomes so. */
  closeIdle(): void {
    this.#closing = true
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroySoon()
  }

  #count(socket: Socket, change: number): void {
    const requests = this.#requests.get(socket)
    if (requests === undefined) return
    this.#requests.set(socket, requests + change)
    if (this.#closing && requests + change === 0) socket.destroySoon()
  }
}
