import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type BlobInfo, type Blobs, EngineClosedError } from '@eddy/core'
import { makeFolder, syncFolder } from '../store/durable-files.ts'
import { toStorageError } from '../store/storage-error.ts'
import { blobPath, keyFragment } from './blob-paths.ts'

const READ_BYTES = 256 * 1024

/** The `Blobs` port on files. A blob is written under a temporary name, flushed, then renamed: whole or not at all. */
export class FileBlobs implements Blobs {
  readonly #root: string
  readonly #temporary: string
  readonly #closing: AbortSignal
  #names = 0
  #deletesAllowed: Promise<void> = Promise.resolve()

  /** @param temporary - a folder on the same file system, emptied when the engine is opened */
  constructor(root: string, temporary: string, closing: AbortSignal) {
    this.#root = root
    this.#temporary = temporary
    this.#closing = closing
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobInfo> {
    const path = this.pathOf(key)
    this.#requireOpen()
    const temporary = join(this.#temporary, `${process.pid}-${++this.#names}`)
    try {
      await makeFolder(this.#temporary)
      const bytes = await writeWhole(temporary, content)
      await makeFolder(dirname(path))
      await rename(temporary, path)
      await syncFolder(dirname(path))
      return { key, bytes }
    } catch (error) {
      await rm(temporary, { force: true })
      throw isSystemError(error) ? toStorageError(error, this.#root) : error
    }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.pathOf(key)
    this.#requireOpen()
    if ((await fileBytes(path)) === undefined) return undefined
    return createReadStreamLazily(path, this.#root)
  }

  async *list(prefix: string): AsyncIterable<BlobInfo> {
    this.#requireOpen()
    yield* listFolder(this.#root, '', prefix)
  }

  async delete(key: string): Promise<void> {
    const path = this.pathOf(key)
    this.#requireOpen()
    await this.#deletesAllowed
    try {
      await rm(path, { force: true })
    } catch (error) {
      throw toStorageError(error, this.#root)
    }
  }

  /** The file that holds the blob. */
  pathOf(key: string): string {
    return join(this.#root, ...blobPath(key))
  }

  /** Keeps deletes waiting while `action` runs, so that what it copied from the tables finds its blobs. */
  async holdDeletesWhile<T>(action: () => Promise<T>): Promise<T> {
    const before = this.#deletesAllowed
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#deletesAllowed = before.then(() => held)
    try {
      return await action()
    } finally {
      release()
    }
  }

  #requireOpen(): void {
    if (this.#closing.aborted) throw new EngineClosedError()
  }
}

async function writeWhole(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(path, 'wx')
  try {
    let bytes = 0
    for await (const part of content instanceof Uint8Array ? [content] : content) {
      await writeFully(handle, part)
      bytes += part.length
    }
    await handle.datasync()
    return bytes
  } finally {
    await handle.close()
  }
}

async function writeFully(handle: FileHandle, part: Uint8Array): Promise<void> {
  let written = 0
  while (written < part.length) written += (await handle.write(part, written)).bytesWritten
}

async function* createReadStreamLazily(path: string, dir: string): AsyncIterable<Uint8Array> {
  try {
    for await (const part of createReadStream(path, { highWaterMark: READ_BYTES })) yield part as Uint8Array
  } catch (error) {
    throw toStorageError(error, dir)
  }
}

async function* listFolder(folder: string, keyPrefix: string, wanted: string): AsyncIterable<BlobInfo> {
  for (const { name, fragment, isFolder } of await entriesInKeyOrder(folder)) {
    const key = keyPrefix + fragment
    if (!(key.startsWith(wanted) || (isFolder && wanted.startsWith(key)))) continue
    if (isFolder) {
      yield* listFolder(join(folder, name), key, wanted)
      continue
    }
    const bytes = await fileBytes(join(folder, name))
    if (bytes !== undefined) yield { key, bytes }
  }
}

async function entriesInKeyOrder(
  folder: string,
): Promise<{ name: string; fragment: string; isFolder: boolean }[]> {
  try {
    const names = await readdir(folder)
    return names
      .map((name) => ({ name, ...keyFragment(name) }))
      .sort((a, b) => (a.fragment < b.fragment ? -1 : 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw toStorageError(error, folder)
  }
}

async function fileBytes(path: string): Promise<number | undefined> {
  try {
    const info = await stat(path)
    return info.isFile() ? info.size : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw toStorageError(error, path)
  }
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException | null)?.syscall === 'string'
}
