import { type Clock, StorageError } from '@eddy/core'
import { type Environment, endpointOf } from '../engine/service-endpoints.ts'
import type { ReadObject } from './lost-batches.ts'

/** Objects of S3 as text. The SDK's client is loaded with the first one: most functions read none. */
export function objectReader(clock: Clock, env: Environment): ReadObject {
  return async (bucket, key) => {
    const { S3Blobs, s3Client } = await import('../s3/index.ts')
    const endpoint = endpointOf('s3', env)
    const client = s3Client(endpoint === undefined ? {} : { endpoint })
    try {
      const content = await new S3Blobs({ client, bucket, clock }).get(key)
      if (content === undefined)
        throw new StorageError(`object "${key}" of bucket "${bucket}" is not there (yet)`)
      const chunks: Uint8Array[] = []
      for await (const chunk of content) chunks.push(chunk)
      return Buffer.concat(chunks).toString('utf8')
    } finally {
      client.destroy()
    }
  }
}
