import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WatchingProxy {
  readonly url: string
  /** Append requests whose whole body went to the server and which have no answer yet. */
  unacknowledged(): number
  /** Lines of append requests that were answered with 200. */
  acknowledgedLines(): number
  close(): Promise<void>
}

/**
 * Stands between `eddy put` and the server, so that a test knows which appends are unacknowledged at a given moment.
 * A server that dies takes the client's connection with it.
 */
export async function watchingProxy(targetPort: number): Promise<WatchingProxy> {
  const waiting = new Set<IncomingMessage>()
  let acknowledged = 0
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, outgoing) => {
    const isAppend = incoming.method === 'POST'
    let lines = 0
    const { method, url, headers } = incoming
    const onward = request(
      { agent, host: '127.0.0.1', port: targetPort, method, path: url, headers },
      (answer) => {
        waiting.delete(incoming)
        if (isAppend && answer.statusCode === 200) acknowledged += lines
        passBack(answer, outgoing)
      },
    )
    incoming.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) lines++
    })
    incoming.pipe(onward)
    onward.once('finish', () => isAppend && waiting.add(incoming))
    onward.once('error', () => {
      waiting.delete(incoming)
      incoming.socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    unacknowledged: () => waiting.size,
    acknowledgedLines: () => acknowledged,
    async close() {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function passBack(answer: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.once('error', () => outgoing.destroy())
  answer.pipe(outgoing)
}
