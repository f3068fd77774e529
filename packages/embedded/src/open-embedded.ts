import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Clock, DataDirForeignError, type Logger, silentLogger } from '@eddy/core'
import { MANIFEST_FILE } from './backup/backup-manifest.ts'
import {
  createDataDir,
  dataDirPaths,
  FORMAT_VERSION,
  fileExists,
  inspectDataDir,
  writeFormat,
} from './directory/data-dir.ts'
import { OwnerGuard } from './directory/owner-guard.ts'
import { EmbeddedEngine } from './embedded-engine.ts'
import { FIRST_SEQUENCE } from './log/stream-shape.ts'
import { makeFolder, syncFolder } from './store/durable-files.ts'
import { checkLmdbFile } from './store/lmdb-file-check.ts'
import { toStorageError } from './store/storage-error.ts'
import { systemClock } from './time/system-clock.ts'

/** More than a shard can lose in a power cut; 8,000 of them fit into the numbers. */
const SEQUENCES_A_POWER_CUT = 1_000_000_000_000

export interface OpenEmbeddedOptions {
  /** Made when it is missing; must be empty or an Eddy data directory. */
  readonly dataDir: string
  /** Default: the machine's. */
  readonly clock?: Clock
  readonly logger?: Logger
  /** Where this process is reached; shown to a second one that finds the directory taken. */
  readonly address?: string
  /** Opens for reading alone and changes nothing; every write is refused. */
  readonly readOnly?: boolean
}

/**
 * Opens the five ports on a directory of this machine. One process at a time owns a directory.
 *
 * @throws DataDirLockedError, DataDirForeignError, DataDirVersionError, CorruptDataError, StorageError
 */
export async function openEmbedded(options: OpenEmbeddedOptions): Promise<EmbeddedEngine> {
  const dir = resolve(options.dataDir)
  const clock = options.clock ?? systemClock
  const logger = options.logger ?? silentLogger
  const readOnly = options.readOnly ?? false
  // Looked at before anything is touched: a directory that is refused stays as it was found.
  const found = await inspectDataDir(dir)
  if (await fileExists(join(dir, MANIFEST_FILE))) {
    // Run on, it would no longer be what was backed up.
    throw new DataDirForeignError(dir, 'it is a backup. Restore it with: eddy restore BACKUP DIR')
  }
  if (readOnly) {
    if (found === undefined) throw new DataDirForeignError(dir, 'it is empty, so there is nothing to read')
    await OwnerGuard.requireFree(dir)
    return start(dir, clock, logger, undefined, found.powerCuts)
  }
  const guard = await takeDirectory(dir, options.address ?? '')
  try {
    const info = (await inspectDataDir(dir)) ?? (await createDataDir(dir, clock.now()))
    const powerCuts = info.powerCuts + (guard.mayHaveLostPower ? 1 : 0)
    if (guard.mayHaveLostPower || info.format !== FORMAT_VERSION)
      await writeFormat(dir, { ...info, powerCuts })
    return await start(dir, clock, logger, guard, powerCuts)
  } catch (error) {
    await guard.release()
    throw toStorageError(error, dir)
  }
}

async function takeDirectory(dir: string, address: string): Promise<OwnerGuard> {
  try {
    await makeFolder(dir)
  } catch (error) {
    throw toStorageError(error, dir)
  }
  return OwnerGuard.acquire(dir, address)
}

async function start(
  dir: string,
  clock: Clock,
  logger: Logger,
  guard: OwnerGuard | undefined,
  powerCuts: number,
): Promise<EmbeddedEngine> {
  const paths = dataDirPaths(dir)
  const isNew = !(await fileExists(paths.store))
  const hasCleanMark = await fileExists(paths.cleanMark)
  const wasClean = isNew || hasCleanMark
  await checkLmdbFile(paths.store, 'fsync')
  await checkLmdbFile(paths.osStore, 'later')
  if (guard !== undefined) {
    await rm(paths.temporary, { recursive: true, force: true })
    // Also where it is gone already: who removed it may have been killed before that was on the disk.
    if (!isNew || hasCleanMark) {
      await rm(paths.cleanMark, { force: true })
      await syncFolder(dir)
    }
  }
  if (!wasClean) logger.warn({ dir }, 'the last process did not close the data directory')
  const osSequenceFloor = FIRST_SEQUENCE + powerCuts * SEQUENCES_A_POWER_CUT
  return new EmbeddedEngine({ paths, clock, logger, guard, wasClean, osSequenceFloor })
}
