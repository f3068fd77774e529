import type { BlobInfo, Blobs } from '../../../src/ports/blobs.ts'

export class MemoryBlobs implements Blobs {
  readonly #blobs = new Map<string, Uint8Array>()

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const parts: Uint8Array[] = []
    if (content instanceof Uint8Array) parts.push(content)
    else for await (const part of content) parts.push(part)
    const whole = Buffer.concat(parts)
    this.#blobs.set(key, whole)
    return { key, bytes: whole.length }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const bytes = this.#blobs.get(key)
    if (bytes === undefined) return undefined
    return (async function* () {
      yield bytes.subarray(0, 100)
      yield bytes.subarray(100)
    })()
  }

  async *list(prefix: string): AsyncGenerator<BlobInfo, void, undefined> {
    for (const key of [...this.#blobs.keys()].sort()) {
      if (key.startsWith(prefix)) yield { key, bytes: (this.#blobs.get(key) as Uint8Array).length }
    }
  }

  async delete(key: string): Promise<void> {
    this.#blobs.delete(key)
  }
}
