import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CorruptDataError } from '@eddy/core'
import type { DataDirPaths } from '../directory/data-dir.ts'
import { type LogStore, openLogStore } from '../log/log-store.ts'
import { type ByteMap, type Environment, openEnvironment } from './environment.ts'
import { GroupCommitter } from './group-commit.ts'
import { LOG_MAPS, MAIN_MAPS } from './map-names.ts'
import { toStorageError } from './storage-error.ts'

interface OpenStore {
  readonly environment: Environment
  readonly committer: GroupCommitter
  readonly log: LogStore
}

/** The LMDB environments of a data directory: the main one, and one for `durability: 'os'` where a stream asks for it. */
export class Stores {
  readonly #paths: DataDirPaths
  readonly #readOnly: boolean
  readonly #osSequenceFloor: number
  readonly #main: OpenStore
  #os: OpenStore | undefined

  constructor(paths: DataDirPaths, readOnly: boolean, osSequenceFloor: number) {
    this.#paths = paths
    this.#readOnly = readOnly
    this.#osSequenceFloor = osSequenceFloor
    this.#main = this.#open(paths.store, 'fsync')
  }

  get main(): Environment {
    return this.#main.environment
  }

  get committer(): GroupCommitter {
    return this.#main.committer
  }

  /** Undefined while no stream asked for it. */
  get os(): Environment | undefined {
    return this.#os?.environment
  }

  map(name: string): ByteMap {
    return this.#main.environment.openMap(name)
  }

  /** Where streams of this durability keep their records. */
  logStore(durability: 'fsync' | 'os'): LogStore {
    if (durability === 'fsync') return this.#main.log
    this.#os ??= this.#open(this.#paths.osStore, 'later')
    return this.#os.log
  }

  stats(): { commits: number; failedCommits: number; pendingCommitBytes: number; storeBytes: number } {
    const open = this.#all()
    const sum = (of: (store: OpenStore) => number): number =>
      open.reduce((total, store) => total + of(store), 0)
    return {
      commits: sum((store) => store.committer.commits),
      failedCommits: sum((store) => store.committer.failedCommits),
      pendingCommitBytes: sum((store) => store.committer.pendingBytes),
      storeBytes:
        fileBytes(this.#paths.store) + (this.#os === undefined ? 0 : fileBytes(this.#paths.osStore)),
    }
  }

  async close(): Promise<void> {
    for (const { committer } of this.#all()) await committer.close()
    for (const { environment } of this.#all()) await environment.close()
  }

  #all(): OpenStore[] {
    return this.#os === undefined ? [this.#main] : [this.#main, this.#os]
  }

  #open(path: string, sync: 'fsync' | 'later'): OpenStore {
    try {
      const maps = sync === 'later' ? LOG_MAPS : MAIN_MAPS
      const environment = openEnvironment({ path, readOnly: this.#readOnly, sync, maps })
      const committer = new GroupCommitter(environment, this.#paths.dir)
      const floor = sync === 'later' ? this.#osSequenceFloor : 0
      return { environment, committer, log: openLogStore(environment, committer, floor) }
    } catch (error) {
      throw toOpenError(error, path)
    }
  }
}

function toOpenError(error: unknown, path: string): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (/MDB_INVALID|MDB_CORRUPTED|MDB_VERSION_MISMATCH|not an LMDB file|Database not found/i.test(message)) {
    return new CorruptDataError(path, message)
  }
  return toStorageError(error, path)
}

function fileBytes(folder: string): number {
  const path = join(folder, 'data.mdb')
  return existsSync(path) ? statSync(path).size : 0
}
