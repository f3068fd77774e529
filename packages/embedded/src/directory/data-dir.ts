import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptDataError, DataDirForeignError, DataDirVersionError } from '@eddy/core'
import { makeFolder, replaceFile } from '../store/durable-files.ts'
import { toStorageError } from '../store/storage-error.ts'

/** Raised when what is stored changes so that older versions cannot read it. */
export const FORMAT_VERSION = 2
/** Format 1 is read as it is: no groups in its queues, no sent time with its messages, failures as they are. */
const OLDEST_READABLE = 1
const FORMAT_FILE = 'eddy.json'
/** What a first open that did not come to its end may have left. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  FORMAT_FILE,
  `${FORMAT_FILE}.new`,
  'guard',
  'owner.json',
  'owner.json.new',
])

export interface DataDirInfo {
  readonly format: number
  readonly createdAtMs: number
  /** Raised when the machine went down without an orderly close: what was not flushed may be gone since. */
  readonly powerCuts: number
}

export interface DataDirPaths {
  readonly dir: string
  /** The LMDB environment of everything that is durable when acknowledged. */
  readonly store: string
  /** The LMDB environment of streams with `durability: 'os'`; only there when one was created. */
  readonly osStore: string
  readonly blobs: string
  readonly temporary: string
  readonly cleanMark: string
}

export function dataDirPaths(dir: string): DataDirPaths {
  return {
    dir,
    store: join(dir, 'store'),
    osStore: join(dir, 'os-store'),
    blobs: join(dir, 'blobs'),
    temporary: join(dir, 'tmp'),
    cleanMark: join(dir, 'clean'),
  }
}

/**
 * What the directory says of itself; undefined when it is empty or missing. Changes nothing.
 *
 * @throws DataDirForeignError, DataDirVersionError, CorruptDataError
 */
export async function inspectDataDir(dir: string): Promise<DataDirInfo | undefined> {
  const names = await namesIn(dir)
  if (names === undefined) return undefined
  if (!names.includes(FORMAT_FILE)) {
    const foreign = names.find((name) => !OWN_NAMES.has(name))
    if (foreign === undefined) return undefined
    throw new DataDirForeignError(dir, `it holds "${foreign}" but no ${FORMAT_FILE}`)
  }
  return parseFormat(dir, await readFile(join(dir, FORMAT_FILE), 'utf8'))
}

/** Makes the directory and its format file where they are missing. */
export async function createDataDir(dir: string, nowMs: number): Promise<DataDirInfo> {
  const info: DataDirInfo = { format: FORMAT_VERSION, createdAtMs: nowMs, powerCuts: 0 }
  await writeFormat(dir, info)
  return info
}

export async function writeFormat(dir: string, info: DataDirInfo): Promise<void> {
  await makeFolder(dir)
  const stored = { kind: 'eddy-data', ...info, format: FORMAT_VERSION }
  await replaceFile(join(dir, FORMAT_FILE), `${JSON.stringify(stored)}\n`)
}

/** Names in the directory; undefined when there is none. */
export async function namesIn(dir: string): Promise<string[] | undefined> {
  try {
    return await readdir(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ENOTDIR') throw new DataDirForeignError(dir, 'it is not a directory')
    throw toStorageError(error, dir)
  }
}

export async function fileExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function parseFormat(dir: string, text: string): DataDirInfo {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new CorruptDataError(join(dir, FORMAT_FILE), 'it is not JSON')
  }
  const { kind, format, createdAtMs, powerCuts } = (parsed ?? {}) as Record<string, unknown>
  if (kind !== 'eddy-data') throw new DataDirForeignError(dir, `its ${FORMAT_FILE} was not written by Eddy`)
  if (typeof format !== 'number' || !(format >= OLDEST_READABLE && format <= FORMAT_VERSION))
    throw new DataDirVersionError(dir, String(format), String(FORMAT_VERSION))
  return { format, createdAtMs: Number(createdAtMs), powerCuts: Number(powerCuts ?? 0) }
}
