import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type BlobInfo, type Blobs, blobKeyParts, type Clock, EngineClosedError } from '@eddy/core'
import { putStream } from './multipart-upload.ts'
import { ObjectRequests } from './object-requests.ts'
import { readObject } from './read-object.ts'

export interface S3BlobsOptions {
  /** With `maxAttempts: 1`, such as `s3Client()` makes. */
  readonly client: S3Client
  readonly bucket: string
  /** Between two tries of a stream's parts. */
  readonly clock: Clock
  /** Begins the keys of all objects, followed by `/`: several applications share a bucket. Default: none. */
  readonly prefix?: string
}

/**
 * The `Blobs` port on S3: an object a blob, with a CRC32 that S3 checks. General purpose buckets, which list in key order.
 *
 * Whoever calls the port tries again, but for what only happens once: the parts of a stream, and the rest of a content
 * whose connection broke (object-requests.ts).
 */
export class S3Blobs implements Blobs {
  readonly #requests: ObjectRequests
  readonly #prefix: string
  #closed = false

  constructor({ client, bucket, clock, prefix }: S3BlobsOptions) {
    this.#requests = new ObjectRequests({ client, bucket, clock })
    this.#prefix = prefix === undefined || prefix === '' ? '' : `${blobKeyParts(prefix).join('/')}/`
  }

  /** Calls made from now on are refused. The client stays open. */
  close(): void {
    this.#closed = true
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const name = this.#nameOf(key)
    if (!(content instanceof Uint8Array))
      return { key, bytes: await putStream(this.#requests, name, content) }
    await this.#requests.once('PutObject', (client) =>
      client.send(new PutObjectCommand({ Bucket: this.#requests.bucket, Key: name, Body: content })),
    )
    return { key, bytes: content.length }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return await readObject(this.#requests, this.#nameOf(key))
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    let after: string | undefined
    do {
      const { Contents: found = [], NextContinuationToken: next } = await this.#page(prefix, after)
      for (const { Key: name = '', Size: bytes = 0 } of found)
        yield { key: name.slice(this.#prefix.length), bytes }
      after = next
    } while (after !== undefined)
  }

  async delete(key: string): Promise<void> {
    const name = this.#nameOf(key)
    await this.#requests.once('DeleteObject', (client) =>
      client.send(new DeleteObjectCommand({ Bucket: this.#requests.bucket, Key: name })),
    )
  }

  async #page(prefix: string, after: string | undefined): Promise<ListObjectsV2CommandOutput> {
    this.#requireOpen()
    return await this.#requests.once('ListObjectsV2', (client) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: this.#requests.bucket,
          Prefix: `${this.#prefix}${prefix}`,
          ...(after !== undefined && { ContinuationToken: after }),
        }),
      ),
    )
  }

  #nameOf(key: string): string {
    const name = `${this.#prefix}${blobKeyParts(key).join('/')}`
    this.#requireOpen()
    return name
  }

  #requireOpen(): void {
    if (this.#closed) throw new EngineClosedError()
  }
}
