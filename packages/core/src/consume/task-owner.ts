import type { LiveTask } from './live-task.ts'

/** A task, and what its owner keeps with it. */
export interface OwnedTask {
  readonly task: LiveTask
}

/** Whoever puts tasks into lanes, and is told how they go. */
export interface TaskOwner<E extends OwnedTask> {
  /** The task leaves its lane. False: it is not to be handled any more, and nothing more is told of it. */
  begin(entry: E): boolean
  /** It is resolved, or in the ledger with its payload (I2). */
  done(entry: E): void
  /** It stays unresolved: the process stops (`Stopped`), or something broke. */
  failed(entry: E, error: unknown): void
  /** It is back in its lane, before everything that waits there: an event of its lane that stood before it failed. */
  putBack(entry: E): void
}
