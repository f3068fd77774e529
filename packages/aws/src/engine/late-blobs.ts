import type { BlobInfo, Blobs } from '@eddy/core'

/** Blobs that are opened with the first call: most functions never see a value that is too large for an item. */
export class LateBlobs implements Blobs {
  readonly #open: () => Promise<Blobs>
  #opened: Promise<Blobs> | undefined

  constructor(open: () => Promise<Blobs>) {
    this.#open = open
  }

  /** Now, so that what is missing comes up at a start. */
  opened(): Promise<Blobs> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    return (await this.opened()).put(key, content)
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.opened()).get(key)
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    yield* (await this.opened()).list(prefix)
  }

  async delete(key: string): Promise<void> {
    await (await this.opened()).delete(key)
  }
}
