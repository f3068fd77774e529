import { isMainThread } from 'node:worker_threads'

/** Something that commits, and can be made to begin no further commit. */
interface Committing {
  /** Resolves when the commit under way, if any, is finished. */
  halt(): Promise<void>
}

const committing = new Set<Committing>()
let waiting = 0
let isGuarded = false

/**
 * `process.exit()` waits for lmdb's thread, and that thread, once it has begun a commit, waits for this one to say what
 * to write, which it never will again: the process would stay for ever, with the directory in its hands. So a process
 * that exits at such a moment ends as by kill -9. Nothing is lost by that (I1); only its exit code says something else.
 *
 * @returns to be called when this thread's turn has come, or the commit has failed
 */
export function commitBegins(): () => void {
  if (!isGuarded && isMainThread) process.on('exit', endIfStuck)
  isGuarded = true
  waiting++
  let isOver = false
  return () => {
    if (!isOver) waiting--
    isOver = true
  }
}

export function joinCommitting(one: Committing): void {
  committing.add(one)
}

export function leaveCommitting(one: Committing): void {
  committing.delete(one)
}

/**
 * Before `process.exit()`, so that it keeps its exit code: lets the commits of all engines in this process finish, and
 * no other begin. Whatever is appended from then on is never answered.
 */
export async function haltCommits(): Promise<void> {
  await Promise.all(Array.from(committing, (one) => one.halt()))
}

function endIfStuck(): void {
  if (waiting > 0) process.kill(process.pid, 'SIGKILL')
}
