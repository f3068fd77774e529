import type { S3Client } from '@aws-sdk/client-s3'
import { type Clock, StorageError } from '@eddy/core'
import { s3Error } from './s3-errors.ts'

export interface ObjectRequestsOptions {
  /** With `maxAttempts: 1`. */
  readonly client: S3Client
  readonly bucket: string
  readonly clock: Clock
}

const MAX_TRIES = 5
const FIRST_WAIT_MS = 100

/** Requests to one bucket, whose errors are those of the port. */
export class ObjectRequests {
  readonly #options: ObjectRequestsOptions

  constructor(options: ObjectRequestsOptions) {
    this.#options = options
  }

  get bucket(): string {
    return this.#options.bucket
  }

  /**
   * Sends one request, once.
   * @throws StorageError, S3RefusedError
   */
  async once<T>(operation: string, send: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await send(this.#options.client)
    } catch (error) {
      throw s3Error(error, `${operation} on bucket "${this.#options.bucket}"`)
    }
  }

  /**
   * Up to five tries, for what nobody above can ask for again: the parts of a stream that is gone once it is read, and the
   * rest of a content of which the first part is handed out.
   */
  async persistently<T>(
    operation: string,
    send: (client: S3Client, tries: number) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#options
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.once(operation, (client) => send(client, tries))
      } catch (error) {
        if (!(error instanceof StorageError) || tries === MAX_TRIES) throw error
        await clock.sleep(clock.random() * FIRST_WAIT_MS * 2 ** tries)
      }
    }
  }
}
