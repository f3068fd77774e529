import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptDataError } from '@eddy/core'

const MAGIC = 0xbeefc0de
const MAGIC_OFFSET = 24
const PAGE_SIZE_OFFSET = 48
const LAST_PAGE_OFFSET = 144
const TXN_OFFSET = 152
const META_BYTES = 160

/**
 * LMDB reads its file through a memory map, and a page that the file should have but has not ends the process. So the
 * two meta pages are looked at before LMDB is: they must be LMDB's, and the file as long as the newer of them says. Where flushes come
 * later, a power cut can leave the older one alone valid; LMDB then goes back to it.
 *
 * @throws CorruptDataError
 */
export async function checkLmdbFile(folder: string, sync: 'fsync' | 'later'): Promise<void> {
  const path = join(folder, 'data.mdb')
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (handle === undefined) return
  try {
    const { size } = await handle.stat()
    // A first open that was cut short leaves an empty file; LMDB starts it anew.
    if (size === 0) return
    const head = Buffer.alloc(Math.min(size, 8_192))
    await handle.read(head, 0, head.length, 0)
    checkHead(path, head, size, sync)
  } finally {
    await handle.close()
  }
}

function checkHead(path: string, head: Buffer, fileBytes: number, sync: 'fsync' | 'later'): void {
  if (head.length < META_BYTES || head.readUInt32LE(MAGIC_OFFSET) !== MAGIC) {
    throw new CorruptDataError(path, 'it is not an LMDB file')
  }
  const pageBytes = head.readUInt32LE(PAGE_SIZE_OFFSET)
  const metas = [0, pageBytes]
    .filter((at) => at + META_BYTES <= head.length && head.readUInt32LE(at + MAGIC_OFFSET) === MAGIC)
    .map((at) => ({
      txn: head.readBigUInt64LE(at + TXN_OFFSET),
      lastPage: head.readBigUInt64LE(at + LAST_PAGE_OFFSET),
    }))
    .sort((a, b) => (a.txn < b.txn ? -1 : 1))
  const lastPage = (sync === 'fsync' ? metas.at(-1) : metas[0])?.lastPage ?? 0n
  const wantedBytes = (lastPage + 1n) * BigInt(pageBytes)
  if (BigInt(fileBytes) < wantedBytes) {
    throw new CorruptDataError(
      path,
      `it has ${fileBytes} bytes and should have ${wantedBytes}; it was cut off`,
    )
  }
}
