import { cp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CorruptDataError, DataDirForeignError, InvalidOptionError } from '@eddy/core'
import { FileBlobs } from '../blobs/file-blobs.ts'
import { type DataDirPaths, dataDirPaths, inspectDataDir, namesIn } from '../directory/data-dir.ts'
import { checkSegment, readChunkHeader, segmentsFrom } from '../log/chunk-codec.ts'
import { sequenceOfChunkKey } from '../log/log-store.ts'
import { asBuffer } from '../store/as-buffer.ts'
import { makeFolder, syncFolder } from '../store/durable-files.ts'
import type { ByteMap } from '../store/environment.ts'
import { checkLmdbFile } from '../store/lmdb-file-check.ts'
import { toStorageError } from '../store/storage-error.ts'
import { type BackupManifest, MANIFEST_FILE } from './backup-manifest.ts'
import { entryCount, visitMaps } from './count-entries.ts'
import { syncTree } from './file-tree.ts'

export interface RestoreResult {
  readonly records: number
  readonly blobs: number
  readonly bytes: number
}

/** Chunks checked between two turns of the event loop. */
const CHUNKS_A_TURN = 64

/**
 * Checks a copy made by `backup` (format, the CRC of every chunk, the number of entries and blobs), then places it.
 *
 * @param options.to - a new or empty directory; it appears whole or not at all
 * @throws DataDirForeignError, DataDirVersionError, CorruptDataError, InvalidOptionError, StorageError
 */
export async function restoreBackup(options: { from: string; to: string }): Promise<RestoreResult> {
  const from = dataDirPaths(resolve(options.from))
  const to = resolve(options.to)
  const names = await namesIn(to)
  if (names !== undefined && names.length > 0) {
    throw new InvalidOptionError('restore target', 'a new or empty directory', options.to)
  }
  const manifest = await readManifest(from)
  const records = await checkMaps(from, manifest)
  await checkBlobs(from, manifest)
  await place(from.dir, to)
  return { records, blobs: manifest.blobs, bytes: manifest.bytes }
}

async function readManifest(from: DataDirPaths): Promise<BackupManifest> {
  const info = await inspectDataDir(from.dir)
  if (info === undefined) throw new DataDirForeignError(from.dir, 'it is empty; expected a backup')
  const path = join(from.dir, MANIFEST_FILE)
  let manifest: Partial<BackupManifest> | undefined
  try {
    manifest = JSON.parse(await readFile(path, 'utf8')) as Partial<BackupManifest>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CorruptDataError(from.dir, `${MANIFEST_FILE} is missing: the backup did not come to its end`)
    }
    throw new CorruptDataError(path, 'it cannot be read')
  }
  if (manifest?.kind !== 'eddy-backup' || manifest.format !== info.format || manifest.entries === undefined) {
    throw new CorruptDataError(path, 'it does not describe this backup')
  }
  return manifest as BackupManifest
}

/** Returns the number of records. */
async function checkMaps(from: DataDirPaths, manifest: BackupManifest): Promise<number> {
  await checkLmdbFile(from.store, 'fsync')
  await checkLmdbFile(from.osStore, 'fsync')
  const missing = new Set(Object.keys(manifest.entries))
  let records = 0
  await visitMaps(from, async (name, map) => {
    missing.delete(name)
    const entries = entryCount(map)
    if (entries !== manifest.entries[name]) {
      throw new CorruptDataError(join(from.dir, name), `${entries} entries, not ${manifest.entries[name]}`)
    }
    if (name.endsWith('/chunks')) records += await checkChunks(from, name, map)
  })
  for (const name of missing) throw new CorruptDataError(join(from.dir, name), 'it is missing')
  return records
}

async function checkChunks(from: DataDirPaths, name: string, map: ByteMap): Promise<number> {
  let records = 0
  let start: Buffer | undefined
  for (;;) {
    let seen = 0
    const range = start === undefined ? {} : { start, exclusiveStart: true }
    for (const { key, value } of map.getRange({ ...range, limit: CHUNKS_A_TURN })) {
      records += checkChunk(asBuffer(key), asBuffer(value), () => join(from.dir, name))
      start = Buffer.from(key)
      seen++
    }
    if (seen < CHUNKS_A_TURN) return records
    await new Promise((resume) => setImmediate(resume))
  }
}

function checkChunk(key: Buffer, bytes: Buffer, where: () => string): number {
  const { records } = readChunkHeader(key, bytes, where)
  const first = sequenceOfChunkKey(key)
  for (const segment of segmentsFrom(bytes, first, first)) checkSegment(bytes, segment, where)
  return records
}

async function checkBlobs(from: DataDirPaths, manifest: BackupManifest): Promise<void> {
  const files = new FileBlobs(from.blobs, from.temporary, new AbortController().signal)
  let blobs = 0
  let blobBytes = 0
  for await (const { bytes } of files.list('')) {
    blobs++
    blobBytes += bytes
  }
  if (blobs !== manifest.blobs || blobBytes !== manifest.blobBytes) {
    const found = `${blobs} blobs of ${blobBytes} bytes`
    throw new CorruptDataError(from.blobs, `${found}, not ${manifest.blobs} of ${manifest.blobBytes}`)
  }
}

/** Copies beside the target and renames, so that a restore that is cut short leaves no half directory. */
async function place(from: string, to: string): Promise<void> {
  const beside = `${to}.restoring-${process.pid}`
  try {
    await makeFolder(dirname(to))
    await cp(from, beside, { recursive: true, errorOnExist: true, force: false })
    await rm(join(beside, MANIFEST_FILE))
    await rm(join(beside, 'store', 'lock.mdb'), { force: true })
    await rm(join(beside, 'os-store', 'lock.mdb'), { force: true })
    await syncTree(beside)
    // The target is missing or empty: rename replaces an empty directory.
    await rename(beside, to)
    await syncFolder(dirname(to))
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    throw toStorageError(error, to)
  }
}
