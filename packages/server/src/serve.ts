import { setMaxListeners } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidOptionError, PortInUseError, silentLogger } from '@eddy/core'
import { createAdaptorServer } from '@hono/node-server'
import { type AppOptions, createApp } from './create-app.ts'
import { isLoopbackHost } from './http/loopback.ts'
import { OpenConnections } from './http/open-connections.ts'

export interface ServeOptions extends Omit<AppOptions, 'stopping'> {
  /** An address of this machine. Other than a loopback one, it requires `token`. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** How long `close` waits for requests in flight; default 10,000. */
  readonly closeTimeoutMs?: number
  readonly timeouts?: Partial<SocketTimeouts>
}

/** How long a client may take, however slowly it writes. */
export interface SocketTimeouts {
  /** To send its headers; default 15,000. */
  readonly headersMs: number
  /** To send headers and body; default 120,000. */
  readonly requestMs: number
  /** Between two requests of a connection; default 65,000. */
  readonly keepAliveMs: number
  /** How often the first two are looked at; default 5,000. */
  readonly checkMs: number
}

export interface RunningServer {
  readonly url: string
  readonly port: number
  /** Stops accepting, ends event streams, waits for requests in flight, then closes what is left. */
  close(): Promise<void>
}

const TIMEOUTS: SocketTimeouts = {
  headersMs: 15_000,
  requestMs: 120_000,
  keepAliveMs: 65_000,
  checkMs: 5_000,
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
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
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
  const connections = new OpenConnections(server)
  await listen(server, options.host, options.port)
  const { port } = server.address() as AddressInfo
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`
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
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidOptionError('--port', 'a port from 0 to 65535', port)
  }
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

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port))
    server.once('error', refused)
    server.listen(port, host, () => {
      server.off('error', refused)
      resolve()
    })
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') return new PortInUseError(host, port)
  if (error.code === 'EACCES') return new InvalidOptionError('--port', 'a port that this user may open', port)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new InvalidOptionError('--host', 'an address of this machine', host)
  }
  return error
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
