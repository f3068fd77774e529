import type { GitChange } from './git-change.ts'
import { LOG_FORMAT, parseLog } from './log-parser.ts'
import { gitText, runGit } from './run-git.ts'

export interface GitChangesOptions {
  /** Any folder of the repository. */
  readonly repository: string
  /** The commit whose history is read; default `HEAD`. */
  readonly tip?: string
  /** Commits whose history was read before: what they reach is left out, and `n` goes on behind it. */
  readonly after?: readonly string[]
}

/** The command whose output is the input of this example. */
export const LOG_COMMAND: readonly string[] = [
  'log',
  '--reverse',
  '--no-merges',
  '--no-renames',
  '--name-status',
  '-z',
  '--no-color',
  '--no-ext-diff',
  '--ignore-submodules=none',
  `--format=${LOG_FORMAT}`,
]

/**
 * Every change of every file, in the order of `git log --reverse`.
 *
 * @throws GitError when there is no git, no repository or no such commit
 */
export async function* gitChanges(options: GitChangesOptions): AsyncGenerator<GitChange> {
  const { repository, tip = 'HEAD', after = [] } = options
  const seen = new Map<string, number>()
  if (after.length > 0) {
    for await (const change of parseLog(runGit(repository, [...LOG_COMMAND, ...after, '--']))) {
      seen.set(change.path, (seen.get(change.path) ?? 0) + 1)
    }
  }
  const range = after.length > 0 ? [tip, '--not', ...after] : [tip]
  for await (const change of parseLog(runGit(repository, [...LOG_COMMAND, ...range, '--']))) {
    const n = (seen.get(change.path) ?? 0) + 1
    seen.set(change.path, n)
    yield { ...change, n }
  }
}

/** The full hash of a commit. @throws GitError when there is none. */
export function commitHash(repository: string, name = 'HEAD'): Promise<string> {
  return gitText(repository, ['rev-parse', '--verify', '--end-of-options', `${name}^{commit}`])
}

/** Whether git runs here and the folder lies in a repository with at least one commit. */
export async function hasHistory(repository: string): Promise<boolean> {
  return commitHash(repository).then(
    () => true,
    () => false,
  )
}
