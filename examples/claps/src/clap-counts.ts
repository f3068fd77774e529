import { type Database, open, type RootDatabase } from 'lmdb'
import type { Clap } from './clap.ts'

/**
 * Total claps per post, on disk: the newest state of each (post, member), and their sum per post.
 *
 * Last write wins by version, not by arrival: a repeated or late event changes nothing. Both records change in one
 * transaction, so that the sum is right whenever the process dies.
 *
 * Any number of processes of one machine may share the folder: LMDB lets one write at a time.
 */
export class ClapCounts {
  readonly #root: RootDatabase
  readonly #members: Database<{ version: number; total: number }, [post: string, member: string]>
  readonly #posts: Database<number, string>

  constructor(directory: string) {
    // A commit is on disk before the next one begins.
    this.#root = open({ path: directory, maxDbs: 2, overlappingSync: false, noSubdir: false })
    this.#members = this.#root.openDB({ name: 'members' })
    this.#posts = this.#root.openDB({ name: 'posts' })
  }

  /** @returns false when the same or a newer state was there */
  apply({ post, member, total, version }: Clap): boolean {
    return this.#root.transactionSync(() => {
      const before = this.#members.get([post, member]) ?? { version: 0, total: 0 }
      if (version <= before.version) return false
      this.#members.putSync([post, member], { version, total })
      this.#posts.putSync(post, this.totalOf(post) + total - before.total)
      return true
    })
  }

  totalOf(post: string): number {
    return this.#posts.get(post) ?? 0
  }

  /** As of now, whichever process counted last. */
  totals(): Map<string, number> {
    // What was read in this turn of the event loop is a snapshot, and another process may have gone on since.
    this.#root.resetReadTxn()
    return new Map([...this.#posts.getRange()].map(({ key, value }) => [key, value]))
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
