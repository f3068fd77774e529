import { connect } from 'node:net'

/** One HTTP/1.1 request as written here, and all that comes back until the server closes. */
export function exchange(
  port: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<string> {
  const lines = Object.entries({
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return rawExchange(port, `POST / HTTP/1.1\r\n${head}\r\n${body}`)
}

/** Sends bytes and resolves with what came back when the connection is over. */
export function rawExchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.write(bytes)
  })
}
