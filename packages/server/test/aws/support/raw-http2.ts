import { connect, type Socket } from 'node:net'

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  window: 8,
  continuation: 9,
} as const
export const END_STREAM = 1
export const END_HEADERS = 4

/** An HTTP/2 frame, right or wrong. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header block, nothing in it compressed. */
export function headerBlock(headers: Readonly<Record<string, string>> = {}): Buffer {
  const all = { ':method': 'POST', ':scheme': 'http', ':path': '/', ':authority': 'localhost', ...headers }
  const text = (value: string) => {
    const { length } = value
    const size = length < 127 ? [length] : [127, ...varint(length - 127)]
    return Buffer.concat([Buffer.from(size), Buffer.from(value, 'latin1')])
  }
  return Buffer.concat(
    Object.entries(all).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  )
}

/** Setting 4: how much may be sent on a stream before more is allowed. */
export function initialWindow(bytes: number): Buffer {
  const payload = Buffer.alloc(6)
  payload.writeUInt16BE(4, 0)
  payload.writeUInt32BE(bytes, 2)
  return frame(FRAME.settings, 0, 0, payload)
}

/** A connection that keeps what it got and never minds how it ends. */
export function rawConnection(port: number): { socket: Socket; closed: Promise<void>; received(): Buffer } {
  const chunks: Buffer[] = []
  const socket = connect(port, '127.0.0.1')
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { socket, closed, received: () => Buffer.concat(chunks) }
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}
