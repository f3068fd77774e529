import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerOptions,
} from 'node:http2'
import type { Socket } from 'node:net'

export interface Http2Options {
  /** A session without a stream for this long is closed. */
  readonly idleMs: number
  readonly maxHeaderBytes: number
  onRequest(request: Http2ServerRequest, response: Http2ServerResponse): void
}

/** Streams of one session at a time; long polls are such. */
const MAX_STREAMS = 100
/** A 10 MiB PutRecords need not wait for a window every 64 KiB. */
const STREAM_WINDOW_BYTES = 1024 * 1024
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024
/** Megabytes that one session may make the parser hold. */
const MAX_SESSION_MB = 32

/** The HTTP/2 half of the port: limits for what a client may make it keep, and an end of what does nothing. */
export class Http2Sessions {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #idleMs: number
  #closing = false

  constructor({ idleMs, maxHeaderBytes, onRequest }: Http2Options) {
    this.#idleMs = idleMs
    this.#server = createServer(serverOptions(maxHeaderBytes))
    this.#server.on('session', (session) => this.#watch(session))
    this.#server.on('request', onRequest)
    // A session that breaks the protocol ends alone.
    this.#server.on('sessionError', () => {})
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  /** Tells clients to open no more streams; a session ends with its last one. */
  closeIdle(): void {
    this.#closing = true
    for (const session of this.#sessions) session.close()
  }

  #watch(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.setLocalWindowSize(SESSION_WINDOW_BYTES)
    let streams = 0
    const idle = () => session.destroy()
    let timer: NodeJS.Timeout | undefined = setTimeout(idle, this.#idleMs)
    session.on('stream', (stream) => {
      streams += 1
      clearTimeout(timer)
      timer = undefined
      stream.once('close', () => {
        streams -= 1
        if (streams === 0 && !session.destroyed) timer = setTimeout(idle, this.#idleMs)
      })
    })
    session.once('close', () => {
      clearTimeout(timer)
      this.#sessions.delete(session)
    })
    if (this.#closing) session.destroy()
  }
}

/** Beyond these a session ends: pings and settings that wait for an answer, frames and streams that were refused. */
function serverOptions(maxHeaderBytes: number): ServerOptions {
  const options: ServerOptions & { maxSessionInvalidFrames: number; maxSessionRejectedStreams: number } = {
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: maxHeaderBytes,
      enablePush: false,
    },
    maxSessionMemory: MAX_SESSION_MB,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxHeaderListPairs: 128,
  }
  return options
}
