import type { Socket } from 'node:net'

/** What every HTTP/2 connection begins with, and no HTTP/1 request does. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * Tells HTTP/1 from HTTP/2 without TLS (prior knowledge) by the first bytes of a connection, which are put back. A
 * connection that sends none within `timeoutMs` is closed.
 */
export function onFirstBytes(socket: Socket, timeoutMs: number, on: (version: 1 | 2) => void): void {
  let seen: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), timeoutMs)
  const forget = () => clearTimeout(timer)
  // Without a listener a reset would end the process; what serves the connection later has its own.
  const ignore = () => {}
  const read = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const version = versionOf(seen)
    if (version === undefined) return
    forget()
    socket.pause()
    socket.off('data', read)
    socket.off('close', forget)
    socket.unshift(seen)
    on(version)
    socket.off('error', ignore)
  }
  socket.on('error', ignore)
  socket.on('close', forget)
  socket.on('data', read)
}

function versionOf(seen: Buffer): 1 | 2 | undefined {
  const length = Math.min(seen.length, HTTP2_PREFACE.length)
  if (!seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) return 1
  return length === HTTP2_PREFACE.length ? 2 : undefined
}
