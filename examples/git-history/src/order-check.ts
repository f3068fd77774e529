import type { GitChange } from './git-change.ts'
import type { Violation } from './projection.ts'

/** What the check needs to know of an attempt: a part of Eddy's handler context. */
export interface Start {
  readonly position: string
  readonly outOfOrder: boolean
}

/**
 * Watches, inside the handler, whether each path's changes come in order: no change may start before the path's
 * earlier changes are counted, after a later one in the same process, or beside another.
 *
 * Starting over after a crash is no violation: a new process begins with nothing remembered but the counts.
 * Keeps one position a path in memory.
 */
export class OrderCheck {
  readonly #last = new Map<string, string>()
  readonly #running = new Set<string>()
  readonly #countOf: (path: string) => number

  /** @param countOf - changes of a path that are counted so far */
  constructor(countOf: (path: string) => number) {
    this.#countOf = countOf
  }

  /** Call when an attempt starts. Returns what it violates. */
  start(change: GitChange, start: Start): Violation[] {
    const { path, commit, n } = change
    const kinds: Violation['kind'][] = []
    if (this.#running.has(path)) kinds.push('overlap')
    if (this.#countOf(path) < n - 1) kinds.push('gap')
    // A redrive that a person sent out of order is late by nature.
    if (!start.outOfOrder) {
      if (start.position < (this.#last.get(path) ?? '')) kinds.push('backwards')
      this.#last.set(path, start.position)
    }
    this.#running.add(path)
    return kinds.map((kind) => ({ kind, path, commit, n }))
  }

  /** Call when the attempt is over, however it ended. */
  end(change: GitChange): void {
    this.#running.delete(change.path)
  }
}
