import { EddyError, InvalidRequestError, RequestTooLargeError, UnsupportedContentTypeError } from '@eddy/core'
import type { BodyLease } from './body-budget.ts'

/**
 * The whole request body, read with a limit.
 *
 * @throws RequestTooLargeError (EDDY_REQUEST_TOO_LARGE) as soon as the limit is passed
 * @throws ServerBusyError (EDDY_SERVER_BUSY) when the budget of all bodies is used up
 * @throws InvalidRequestError (EDDY_INVALID_REQUEST) when the body ends early
 */
export async function readBody(request: Request, limitBytes: number, lease: BodyLease): Promise<Uint8Array> {
  refuseEncodedBody(request)
  const declared = request.headers.get('content-length')
  try {
    if (declared === null) return await readChunks(request, limitBytes, lease)
    const bytes = Number(declared)
    if (bytes > limitBytes) throw tooLarge(limitBytes)
    lease.reserve(bytes)
    // The HTTP parser holds a body to its declared length; the check below is for callers without one.
    const body = new Uint8Array(await request.arrayBuffer())
    if (body.byteLength > limitBytes) throw tooLarge(limitBytes)
    return body
  } catch (error) {
    if (error instanceof EddyError) throw error
    throw new InvalidRequestError('the body ended before it was complete')
  }
}

async function readChunks(request: Request, limitBytes: number, lease: BodyLease): Promise<Uint8Array> {
  const reader = request.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let totalBytes = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Buffer.concat(chunks, totalBytes)
      totalBytes += value.byteLength
      if (totalBytes > limitBytes) throw tooLarge(limitBytes)
      lease.reserve(value.byteLength)
      chunks.push(value)
    }
  } finally {
    reader.releaseLock()
  }
}

function refuseEncodedBody(request: Request): void {
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new UnsupportedContentTypeError('content-encoding', encoding.slice(0, 80), 'the body unencoded')
  }
}

function tooLarge(limitBytes: number): RequestTooLargeError {
  return new RequestTooLargeError(
    `the body is over ${limitBytes} bytes. Split it into several requests; \`eddy put\` does that by itself.`,
    { limitBytes },
  )
}
