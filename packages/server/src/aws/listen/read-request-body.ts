import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { BodyLease } from '../../http/body-budget.ts'
import { Refusal } from './refusal.ts'

/**
 * PutRecords takes 10 MiB of data, which is 13.4 MiB in base64, and up to 500 keys and names. SQS takes 1 MiB, which
 * is at most 3 MiB in a form.
 */
export const MAX_BODY_BYTES: number = 16 * 1024 * 1024

/**
 * Node's HTTP/2 client takes no answer while megabytes of its request wait to be sent: it would be told of a stream that
 * was closed (ENHANCE_YOUR_CALM) rather than of a body that is too large. Up to this size it is let finish.
 */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024

/**
 * The whole body of a request.
 *
 * @throws Refusal with the status for what is too large, and for one that is cut off or too slow
 * @throws ServerBusyError when all bodies together take too much
 */
export async function readRequestBody(
  request: IncomingMessage | Http2ServerRequest,
  lease: BodyLease,
  timeoutMs: number,
): Promise<Uint8Array> {
  const declared = request.headers['content-length']
  const declaredBytes = declared === undefined ? undefined : Number(declared)
  if (declaredBytes === 0) return NOTHING
  if (declaredBytes !== undefined && declaredBytes > MAX_BODY_BYTES) {
    if (request.httpVersionMajor === 2 && declaredBytes <= MAX_DISCARDED_BYTES)
      await discard(request, timeoutMs)
    throw new Refusal(413)
  }
  if (declaredBytes !== undefined) lease.reserve(declaredBytes)
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw new Refusal(415)
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = setTimeout(() => fail(new Refusal(408)), timeoutMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      chunks.length = 0
      request.off('data', take)
      reject(error)
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) return fail(new Refusal(413))
      try {
        if (declaredBytes === undefined) lease.reserve(chunk.length)
      } catch (error) {
        return fail(error as Error)
      }
      chunks.push(chunk)
    }
    request.on('data', take)
    request.on('end', () => {
      clearTimeout(timer)
      if (declaredBytes !== undefined && bytes !== declaredBytes) return fail(new Refusal(400))
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes))
    })
    request.on('error', () => fail(new Refusal(400)))
    request.on('close', () => fail(new Refusal(400)))
  })
}

/** Reads to the end, and keeps nothing. */
function discard(request: IncomingMessage | Http2ServerRequest, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(end, timeoutMs)
    request.once('end', end)
    request.once('close', end)
    request.resume()
  })
}

const NOTHING = new Uint8Array(0)
