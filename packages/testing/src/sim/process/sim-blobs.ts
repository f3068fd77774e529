import { type BlobInfo, type Blobs, blobKeyParts, StorageError } from '@eddy/core'
import type { SimProcess } from './sim-process.ts'

const CHUNK_BYTES = 64 * 1_024

/** The Blobs port of one simulated process. */
export function simBlobs(process: SimProcess): Blobs {
  const { dice, store } = process.world
  const write = <T>(
    op: 'blobs.put' | 'blobs.delete',
    args: readonly unknown[],
    effect: () => T,
  ): Promise<T> =>
    process.write(
      op,
      args,
      () => {
        if (!dice.strikes('writeRejected')) return effect()
        if (dice.tookEffect()) effect()
        throw new StorageError('simulated: the write was not answered')
      },
      effect,
    )
  return {
    put: async (key, content) => {
      blobKeyParts(key)
      const bytes = await collect(content)
      return write('blobs.put', [key, bytes.byteLength], (): BlobInfo => {
        store.blobs.set(key, bytes)
        return { key, bytes: bytes.byteLength }
      })
    },
    get: async (key) => {
      blobKeyParts(key)
      return process.read('blobs.get', [key], () => {
        if (dice.strikes('readRejected')) throw new StorageError('simulated: the read failed')
        const bytes = store.blobs.get(key)
        return bytes && inChunks(bytes)
      })
    },
    async *list(prefix) {
      yield* await process.read('blobs.list', [prefix], () =>
        [...store.blobs]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, bytes]): BlobInfo => ({ key, bytes: bytes.byteLength }))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
      )
    },
    delete: async (key) => {
      blobKeyParts(key)
      return write('blobs.delete', [key], () => {
        store.blobs.delete(key)
      })
    },
  }
}

async function collect(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return new Uint8Array(content)
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(new Uint8Array(chunk))
  return new Uint8Array(Buffer.concat(chunks))
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.slice(at, at + CHUNK_BYTES)
}
