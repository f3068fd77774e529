/**
 * One process owns a data directory. Node has no file lock, so ownership is a sequence of guard files `guard/N`:
 *
 * O1. There is always a guard file once there was one, and the highest number only grows.
 * O2. A process becomes owner by linking its complete guard file as the number after a highest one whose process is
 *     gone or released it. Linking fails when the number exists, so of two processes one gets it.
 * O3. A process that finds a higher number after linking has lost: it had looked at an old state.
 */
import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DataDirLockedError } from '@eddy/core'
import { makeFolder, replaceFile } from '../store/durable-files.ts'
import { toStorageError } from '../store/storage-error.ts'
import { ownIdentity, type ProcessIdentity, stateOfProcess } from './process-identity.ts'

/** An owner in another container or machine cannot be looked at: it counts as gone when its sign of life is this old. */
const SILENT_MS = 30_000
export const SIGN_OF_LIFE_MS = 5_000
const MAX_TRIES = 20

interface Guard extends ProcessIdentity {
  readonly address: string
  readonly released: boolean
}

export class OwnerGuard {
  readonly #dir: string
  readonly #path: string
  readonly #identity: ProcessIdentity
  /** The owner before did not let go, and the machine was started since, or may have been. */
  readonly mayHaveLostPower: boolean

  private constructor(dir: string, path: string, identity: ProcessIdentity, before: Guard | undefined) {
    this.mayHaveLostPower =
      before !== undefined && !before.released && (before.bootId === '' || before.bootId !== identity.bootId)
    this.#dir = dir
    this.#path = path
    this.#identity = identity
  }

  /** @throws DataDirLockedError naming the owner */
  static async acquire(dir: string, address: string): Promise<OwnerGuard> {
    const folder = join(dir, 'guard')
    const identity = ownIdentity()
    try {
      await makeFolder(folder)
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        const highest = await highestGuard(folder)
        const before = highest === undefined ? undefined : await requireGone(dir, highest.path)
        const path = join(folder, String((highest?.no ?? 0) + 1))
        if (await tryLink(folder, path, { ...identity, address, released: false })) {
          const guard = new OwnerGuard(dir, path, identity, before)
          await removeLower(folder, path)
          await guard.setAddress(address)
          return guard
        }
      }
    } catch (error) {
      throw toStorageError(error, dir)
    }
    throw new DataDirLockedError(dir, identity.pid, '')
  }

  /** Refuses when another process owns the directory; takes nothing. @throws DataDirLockedError */
  static async requireFree(dir: string): Promise<void> {
    const highest = await highestGuard(join(dir, 'guard'))
    if (highest !== undefined) await requireGone(dir, highest.path)
  }

  /** Where the owner is reached; shown to a process that finds the directory taken. */
  async setAddress(address: string): Promise<void> {
    await this.#write(address, false)
    // For people, while this process runs: nothing that has to outlive a power cut, as the guard has.
    const path = join(this.#dir, 'owner.json')
    await writeFile(`${path}.new`, `${JSON.stringify({ pid: this.#identity.pid, address })}\n`)
    await rename(`${path}.new`, path)
  }

  /** Tells owners-to-be elsewhere that this process still runs. */
  async giveSignOfLife(): Promise<void> {
    const now = new Date()
    await utimes(this.#path, now, now)
  }

  async release(): Promise<void> {
    await this.#write('', true)
    await rm(join(this.#dir, 'owner.json'), { force: true })
  }

  async #write(address: string, released: boolean): Promise<void> {
    const guard: Guard = { ...this.#identity, address, released }
    await replaceFile(this.#path, `${JSON.stringify(guard)}\n`, `${this.#path}.new`)
  }
}

/** True when the guard was linked and no higher one exists (O2, O3). */
async function tryLink(folder: string, path: string, guard: Guard): Promise<boolean> {
  const own = join(folder, `${guard.pid}-${Math.floor(performance.now() * 1_000)}.own`)
  await writeFile(own, `${JSON.stringify(guard)}\n`)
  try {
    await link(own, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
  const highest = await highestGuard(folder)
  if (highest?.path === path) return true
  await rm(path, { force: true })
  return false
}

/** The guard of the owner that is gone. @throws DataDirLockedError when it is not */
async function requireGone(dir: string, path: string): Promise<Guard | undefined> {
  let guard: Guard
  let ageMs: number
  try {
    guard = JSON.parse(await readFile(path, 'utf8')) as Guard
    ageMs = Date.now() - (await stat(path)).mtimeMs
  } catch (error) {
    // A power cut can leave a guard without its text; its process is gone with the machine's.
    if (error instanceof SyntaxError) return { ...ownIdentity(), bootId: '', address: '', released: false }
    // It was replaced by a higher one; the caller looks again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (guard.released) return guard
  const state = stateOfProcess(guard)
  if (state === 'alive' || (state === 'unknown' && ageMs < SILENT_MS)) {
    throw new DataDirLockedError(dir, guard.pid, guard.address)
  }
  return guard
}

async function highestGuard(folder: string): Promise<{ no: number; path: string } | undefined> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number)
  if (numbers.length === 0) return undefined
  const no = Math.max(...numbers)
  return { no, path: join(folder, String(no)) }
}

async function removeLower(folder: string, path: string): Promise<void> {
  const no = Number(path.slice(folder.length + 1))
  for (const name of await readdir(folder)) {
    if (/^\d+$/.test(name) && Number(name) < no) await rm(join(folder, name), { force: true })
  }
}
