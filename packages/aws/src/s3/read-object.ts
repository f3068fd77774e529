import { GetObjectCommand } from '@aws-sdk/client-s3'
import { StorageError } from '@eddy/core'
import type { ObjectRequests } from './object-requests.ts'
import { isMissing, s3Error } from './s3-errors.ts'

/** In a row, without a byte between them. */
const MAX_BREAKS = 5

/**
 * An object's content: of one version, whatever is written meanwhile. When the connection breaks on the way, the rest is
 * asked for. Undefined: there is no such object.
 *
 * The answer is open from now on: read it, or end its iterator.
 */
export async function readObject(
  requests: ObjectRequests,
  key: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const found = await requests.once('GetObject', async (client) => {
    try {
      return await client.send(new GetObjectCommand({ Bucket: requests.bucket, Key: key }))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })
  if (found === undefined) return undefined
  const { Body: body, ETag: etag } = found
  return contentOf(requests, key, body as AsyncIterable<Uint8Array>, etag)
}

async function* contentOf(
  requests: ObjectRequests,
  key: string,
  first: AsyncIterable<Uint8Array>,
  etag: string | undefined,
): AsyncGenerator<Uint8Array> {
  let body = first
  let bytes = 0
  for (let breaks = 0; ; ) {
    try {
      for await (const chunk of body) {
        bytes += chunk.length
        breaks = 0
        yield chunk
      }
      return
    } catch (error) {
      breaks += 1
      const told = s3Error(error, `GetObject on bucket "${requests.bucket}"`)
      if (!(told instanceof StorageError) || breaks === MAX_BREAKS || etag === undefined) throw told
    }
    const rest = await restOf(requests, key, bytes, etag)
    if (rest === undefined) throw new StorageError(`blob "${key}" was replaced while it was read`)
    body = rest
  }
}

/** Undefined: another content has taken its place. */
async function restOf(
  requests: ObjectRequests,
  key: string,
  from: number,
  etag: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  return await requests.persistently('GetObject', async (client) => {
    try {
      const { Body: body } = await client.send(
        new GetObjectCommand({
          Bucket: requests.bucket,
          Key: key,
          IfMatch: etag,
          Range: `bytes=${from}-`,
        }),
      )
      return body as AsyncIterable<Uint8Array>
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
      // All of it had come, and only its end was lost.
      if (status === 416) return nothing()
      if (status === 412 || isMissing(error)) return undefined
      throw error
    }
  })
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
