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
 * two meta pages are looked at before LMDB is: they must be LMDB's, and the file as long as the newer of them says.
 *
 * @throws CorruptDataError
 */
export async function checkLmdbFile(folder: string): Promise<void> {
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
    checkHead(path, head, size)
  } finally {
    await handle.close()
  }
}

function checkHead(path: string, head: Buffer, fileBytes: number): void {
  if (head.length < META_BYTES || head.readUInt32LE(MAGIC_OFFSET) !== MAGIC) {
    throw new CorruptDataError(path, 'it is not an LMDB file')
  }
  const pageBytes = head.readUInt32LE(PAGE_SIZE_OFFSET)
  let newestTxn = -1n
  let lastPage = 0n
  for (const at of [0, pageBytes]) {
    if (at + META_BYTES > head.length || head.readUInt32LE(at + MAGIC_OFFSET) !== MAGIC) continue
    const txn = head.readBigUInt64LE(at + TXN_OFFSET)
    if (txn <= newestTxn) continue
    newestTxn = txn
    lastPage = head.readBigUInt64LE(at + LAST_PAGE_OFFSET)
  }
  const wantedBytes = (lastPage + 1n) * BigInt(pageBytes)
  if (BigInt(fileBytes) < wantedBytes) {
    throw new CorruptDataError(
      path,
      `it has ${fileBytes} bytes and should have ${wantedBytes}; it was cut off`,
    )
  }
}
