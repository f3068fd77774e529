import { copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { InvalidOptionError } from '@eddy/core'
import { blobPath } from '../blobs/blob-paths.ts'
import type { FileBlobs } from '../blobs/file-blobs.ts'
import {
  type DataDirInfo,
  type DataDirPaths,
  dataDirPaths,
  FORMAT_VERSION,
  inspectDataDir,
  namesIn,
  writeFormat,
} from '../directory/data-dir.ts'
import { makeFolder, replaceFile } from '../store/durable-files.ts'
import type { Environment } from '../store/environment.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Stores } from '../store/stores.ts'
import { type BackupManifest, MANIFEST_FILE } from './backup-manifest.ts'
import { countEntries } from './count-entries.ts'
import { syncTree, treeBytes } from './file-tree.ts'

export interface BackupResult {
  /** Size of the copy. */
  readonly bytes: number
}

export interface BackupRequest {
  readonly paths: DataDirPaths
  readonly target: string
  readonly stores: Stores
  readonly blobs: FileBlobs
  readonly nowMs: number
}

/**
 * Copies the environments as of one moment each, then the blobs. The main one comes first: what it says of records
 * and blobs is then also in the parts copied after it, since deletes of blobs wait.
 *
 * @throws InvalidOptionError when the target is not empty
 */
export async function writeBackup(request: BackupRequest): Promise<BackupResult> {
  const target = resolve(request.target)
  const names = await namesIn(target)
  if (names !== undefined && names.length > 0) {
    throw new InvalidOptionError('backup target', 'a new or empty directory', request.target)
  }
  try {
    await makeFolder(target)
    return await request.blobs.holdDeletesWhile(() => copyAll(request, dataDirPaths(target)))
  } catch (error) {
    for (const name of (await namesIn(target)) ?? []) {
      await rm(join(target, name), { recursive: true, force: true })
    }
    throw toStorageError(error, target)
  }
}

async function copyAll(
  { paths, stores, blobs, nowMs }: BackupRequest,
  to: DataDirPaths,
): Promise<BackupResult> {
  await copyEnvironment(stores.main, to.store)
  if (stores.os !== undefined) await copyEnvironment(stores.os, to.osStore)
  const copied = await copyBlobs(blobs, to.blobs)
  const entries = await countEntries(to)
  await writeFormat(to.dir, (await inspectDataDir(paths.dir)) as DataDirInfo)
  const bytes = await treeBytes(to.dir)
  await syncTree(to.dir)
  const manifest: BackupManifest = {
    kind: 'eddy-backup',
    format: FORMAT_VERSION,
    createdAtMs: nowMs,
    entries,
    ...copied,
    bytes,
  }
  await replaceFile(join(to.dir, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
  return { bytes }
}

/** Compacts: the copy has no free pages, and LMDB reads every page of it while copying. */
async function copyEnvironment(environment: Environment, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await environment.root.backup(folder, true)
}

async function copyBlobs(blobs: FileBlobs, to: string): Promise<{ blobs: number; blobBytes: number }> {
  let count = 0
  let blobBytes = 0
  for await (const { key, bytes } of blobs.list('')) {
    const path = join(to, ...blobPath(key))
    await mkdir(dirname(path), { recursive: true })
    await copyFile(blobs.pathOf(key), path)
    count++
    blobBytes += bytes
  }
  return { blobs: count, blobBytes }
}
