import { setMaxListeners } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidOptionError, silentLogger } from '@eddy/core'
import { createAdaptorServer } from '@hono/node-server'
import { type AppOptions, createApp } from './create-app.ts'
import { listen, requirePort, urlOf } from './http/listen.ts'
import { isLoopbackHost } from './http/loopback.ts'
import { OpenConnections } from './http/open-connections.ts'
import { DEFAULT_TIMEOUTS, type SocketTimeouts } from './http/socket-timeouts.ts'

export interface ServeOptions extends Omit<AppOptions, 'stopping'> {
  /** An address of this machine. Other than a loopback one, it requires `token`. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How long `close` waits for requests in flight; default 10,000. */
  readonly closeTimeoutMs?: number
  readonly timeouts?: Partial<SocketTimeouts>
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  /** Stops accepting, ends event streams, waits for requests in flight, then closes what is left. */
  close(): Promise<void>
}

const MAX_HEADER_BYTES = 16 * 1024
const MAX_CONNECTIONS = 2_000
const CLOSE_TIMEOUT_MS = 10_000

/**
 * Serves the API over HTTP.
 *
 * @throws InvalidOptionError (EDDY_INVALID_OPTION) for a port that is none, an address that is not this machine's, and
 * a missing token
 * @throws PortInUseError (EDDY_PORT_IN_USE)
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  checkOptions(options)
  const stopping = new AbortController()
  // One listener for each request that waits; their number is bounded by the connections.
  setMaxListeners(0, stopping.signal)
  const app = createApp({ ...options, stopping: stopping.signal })
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkMs,
    },
  }) as Server
  server.maxConnections = MAX_CONNECTIONS
  const connections = new OpenConnections()
  connections.watch(server)
  await listen(server, options)
  const { port } = server.address() as AddressInfo
  const url = urlOf(options.host, port)
  const logger = options.logger ?? silentLogger
  // Such as no file descriptor left for a connection: without a listener it would end the process.
  server.on('error', (error) => logger.error({ error }, 'server error'))
  logger.info({ url }, 'listening')
  let closed: Promise<void> | undefined
  return {
    url,
    port,
    close() {
      closed ??= close(server, connections, stopping, options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS)
      return closed
    },
  }
}

function checkOptions({ host, port, token }: ServeOptions): void {
  requirePort('--port', port)
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new InvalidOptionError('--token', 'printable ASCII characters without spaces', '(not shown)')
  }
  if (token === undefined && !isLoopbackHost(host)) {
    throw new InvalidOptionError(
      '--token',
      `a token, since ${JSON.stringify(host)} can be reached from other machines (127.0.0.1 needs none)`,
      undefined,
    )
  }
}

async function close(
  server: Server,
  connections: OpenConnections,
  stopping: AbortController,
  timeoutMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  stopping.abort()
  connections.closeIdle()
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs)
  await closed
  clearTimeout(timer)
}
