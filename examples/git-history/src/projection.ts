import { type Database, open, type RootDatabase } from 'lmdb'
import type { GitChange } from './git-change.ts'

export interface Violation {
  /** `gap`: before its path's previous change was counted. `backwards`: after a later one. `overlap`: beside another. */
  readonly kind: 'gap' | 'backwards' | 'overlap'
  readonly path: string
  readonly commit: string
  readonly n: number
}

interface Waiting {
  readonly write: () => boolean
  readonly resolve: (changed: boolean) => void
  readonly reject: (error: unknown) => void
}

/** One transaction takes at most this many changes; the rest wait for the next one. */
const MAX_BATCH = 1_000

/**
 * Changes per path and per author, on disk.
 *
 * A change is counted when its (path, commit) is not known yet. Both are written in one transaction, so that neither a
 * repeated delivery nor a death of the process in between counts it twice or not at all. What waits while a
 * transaction is under way goes into the next one together.
 *
 * Any number of processes of one machine may share the folder, workers or functions: LMDB lets one write at a time, and a
 * process that dies in the middle leaves nothing half.
 */
export class Projection {
  readonly #root: RootDatabase
  readonly #counted: Database<number, [path: string, commit: string]>
  readonly #paths: Database<number, string>
  readonly #authors: Database<number, string>
  readonly #violations: Database<Violation, number>
  #waiting: Waiting[] = []
  #scheduled = false

  /** @param options.readOnly - for a look from a second process; the folder must be there */
  constructor(directory: string, options: { readonly readOnly?: boolean } = {}) {
    const readOnly = options.readOnly ?? false
    // A commit is on disk before the next one begins: the promise given to a handler means what it says.
    this.#root = open({ path: directory, maxDbs: 4, overlappingSync: false, noSubdir: false, readOnly })
    this.#counted = this.#root.openDB({ name: 'counted' })
    this.#paths = this.#root.openDB({ name: 'paths' })
    this.#authors = this.#root.openDB({ name: 'authors' })
    this.#violations = this.#root.openDB({ name: 'violations' })
  }

  /** Counts a change once. Resolves when that is on disk: true if it was new, false if it was counted before. */
  count(change: GitChange): Promise<boolean> {
    return this.#write(() => {
      const id: [string, string] = [change.path, change.commit]
      if (this.#counted.doesExist(id)) return false
      this.#counted.putSync(id, change.n)
      this.#paths.putSync(change.path, (this.#paths.get(change.path) ?? 0) + 1)
      this.#authors.putSync(change.author, (this.#authors.get(change.author) ?? 0) + 1)
      return true
    })
  }

  /** Keeps a violation of order. Resolves when it is on disk. */
  async report(violation: Violation): Promise<void> {
    await this.#write(() => {
      this.#violations.putSync(this.violationCount(), violation)
      return true
    })
  }

  /** As of now, whichever process counted last. */
  countOf(path: string): number {
    // What was read in this turn of the event loop is a snapshot, and another process may have gone on since.
    this.#root.resetReadTxn()
    return this.#paths.get(path) ?? 0
  }

  /** All changes counted so far. */
  total(): number {
    return entryCount(this.#counted)
  }

  pathCount(): number {
    return entryCount(this.#paths)
  }

  violationCount(): number {
    return entryCount(this.#violations)
  }

  /** By path, in the order of its bytes. */
  *paths(): Generator<[path: string, changes: number]> {
    for (const { key, value } of this.#paths.getRange()) yield [key, value]
  }

  *authors(): Generator<[author: string, changes: number]> {
    for (const { key, value } of this.#authors.getRange()) yield [key, value]
  }

  /** The first ones, at most `limit`. */
  violations(limit: number): Violation[] {
    return [...this.#violations.getRange({ limit })].map(({ value }) => value)
  }

  async close(): Promise<void> {
    while (this.#waiting.length > 0) this.#commit()
    await this.#root.close()
  }

  #write(write: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        while (this.#waiting.length > 0) this.#commit()
      })
    })
  }

  #commit(): void {
    const batch = this.#waiting.splice(0, MAX_BATCH)
    try {
      const results = this.#root.transactionSync(() => batch.map(({ write }) => write()))
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as boolean)
    } catch (error) {
      // The transaction did not happen: each handler fails and is retried.
      for (const { reject } of batch) reject(error)
    }
  }
}

function entryCount(database: { getStats(): object }): number {
  return (database.getStats() as { entryCount: number }).entryCount
}
