import { setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { InvalidOptionError, type Logger, silentLogger } from '@eddy/core'
import { listen, requirePort, urlOf } from '../../http/listen.ts'
import { isLoopbackHost } from '../../http/loopback.ts'
import { OpenConnections } from '../../http/open-connections.ts'
import { DEFAULT_TIMEOUTS, type SocketTimeouts } from '../../http/socket-timeouts.ts'
import type { RunningServer } from '../../serve.ts'
import type { AwsService } from '../aws-service.ts'
import type { Credentials } from '../sign/credentials.ts'
import { SignatureCheck } from '../sign/signature-check.ts'
import { onFirstBytes } from './first-bytes.ts'
import { Http2Sessions } from './http2-sessions.ts'
import { RequestHandler } from './request-handler.ts'

export interface ServeAwsOptions {
  readonly services: readonly AwsService[]
  /** An address of this machine. Other than a loopback one, it requires `credentials`. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** In ARNs, and in what clients sign. */
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
  /** With any, requests are answered only when one of them signed. */
  readonly credentials?: readonly Credentials[]
  /** Refuse operations that change something. */
  readonly readOnly?: boolean
  readonly logger?: Logger
  /** How long `close` waits for requests in flight; default 10,000. */
  readonly closeTimeoutMs?: number
  readonly timeouts?: Partial<SocketTimeouts>
  /** Epoch milliseconds, for signatures; default the machine's clock. */
  readonly now?: () => number
}

const MAX_HEADER_BYTES = 16 * 1024
/** What clients make the endpoint hold at the moment. */
export interface AwsLoad {
  readonly connections: number
  readonly requests: number
  /** Of bodies that are read, worked on or written. */
  readonly pendingBytes: number
}

export interface AwsServer extends RunningServer {
  readonly load: AwsLoad
}

export const MAX_CONNECTIONS = 2_000
const CLOSE_TIMEOUT_MS = 10_000

/**
 * Serves the AWS-compatible endpoint: HTTP/1.1 and HTTP/2 without TLS on one port.
 *
 * @throws InvalidOptionError (EDDY_INVALID_OPTION) for a port that is none, an address that is not this machine's, and
 * for missing credentials
 * @throws PortInUseError (EDDY_PORT_IN_USE)
 */
export async function serveAws(options: ServeAwsOptions): Promise<AwsServer> {
  checkOptions(options)
  const stopping = new AbortController()
  // One listener for each request that waits; their number is bounded by the connections and their streams.
  setMaxListeners(0, stopping.signal)
  const logger = options.logger ?? silentLogger
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  const handler = requestHandler(options, logger, timeouts, stopping.signal)
  const { server, connections, sessions, sockets } = createListener(handler, timeouts)
  await listen(server, { host: options.host, port: options.port, portOption: '--aws-port' })
  const { port } = server.address() as AddressInfo
  const url = urlOf(options.host, port)
  // Such as no file descriptor left for a connection: without a listener it would end the process.
  server.on('error', (error) => logger.error({ error }, 'AWS endpoint: server error'))
  logger.info({ url }, 'AWS endpoint listening')
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    stopping.abort()
    connections.closeIdle()
    sessions.closeIdle()
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS)
    await closed
    clearTimeout(timer)
  }
  let closed: Promise<void> | undefined
  return {
    url,
    port,
    get load() {
      return { connections: sockets.size, ...handler.load }
    },
    close() {
      closed ??= close()
      return closed
    },
  }
}

function checkOptions({ host, port, region, credentials }: ServeAwsOptions): void {
  requirePort('--aws-port', port)
  if (!/^[a-z0-9-]{1,32}$/.test(region))
    throw new InvalidOptionError('--aws-region', 'the name of a region, such as us-east-1', region)
  if ((credentials ?? []).length === 0 && !isLoopbackHost(host)) {
    throw new InvalidOptionError(
      '--aws-credentials, or EDDY_AWS_ACCESS_KEY_ID and EDDY_AWS_SECRET_ACCESS_KEY',
      `credentials, since ${JSON.stringify(host)} can be reached from other machines (127.0.0.1 needs none)`,
      undefined,
    )
  }
}

function requestHandler(
  { services, region, accountId, readOnly, credentials = [], now = Date.now }: ServeAwsOptions,
  logger: Logger,
  { requestMs }: SocketTimeouts,
  stopping: AbortSignal,
): RequestHandler {
  const signatures = credentials.length === 0 ? undefined : new SignatureCheck({ credentials, region, now })
  return new RequestHandler({
    endpoint: {
      services,
      logger,
      readOnly: readOnly ?? false,
      ...(signatures !== undefined && { signatures }),
    },
    region,
    accountId,
    requestMs,
    stopping,
  })
}

function createListener(handler: RequestHandler, timeouts: SocketTimeouts) {
  const sockets = new Set<Socket>()
  const connections = new OpenConnections()
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkMs,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      connections.begin(request, response)
      void handler.handle(request, response)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  const sessions = new Http2Sessions({
    idleMs: timeouts.keepAliveMs,
    maxHeaderBytes: MAX_HEADER_BYTES,
    onRequest: (request, response) => void handler.handle(request, response),
  })
  // The server's own listener gets the connections that turn out to be HTTP/1.
  const [http1] = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    connections.add(socket)
    // HTTP/1 may be half closed; a session of HTTP/2 would wait for ever.
    socket.allowHalfOpen = false
    onFirstBytes(socket, timeouts.headersMs, (version) => {
      if (version === 2) {
        connections.remove(socket)
        sessions.accept(socket)
      } else {
        socket.allowHalfOpen = true
        http1?.call(server, socket)
        socket.resume()
      }
    })
  })
  return { server, connections, sessions, sockets }
}
