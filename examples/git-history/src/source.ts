import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { generatedChanges, generatedCounts } from './generated-changes.ts'
import type { GitChange } from './git-change.ts'
import { commitHash, gitChanges, hasHistory } from './git-changes.ts'
import { type Counts, gitCounts } from './git-counts.ts'
import { gitText } from './run-git.ts'

/** What was read into the stream so far. */
interface SourceState {
  /** The repository's folder, or `generated`. */
  readonly from: string
  /** Commits whose whole history is in the stream. */
  readonly tips: readonly string[]
}

const GENERATED = 'generated'
export const GENERATED_COMMITS = 400

/** Where the changes come from, and how much of it is in the stream. */
export interface Source {
  /** The repository's folder; undefined for a generated history. */
  readonly repository: string | undefined
  readonly from: string
  readonly tips: readonly string[]
  /** The commit to go on to; undefined when all is in the stream. */
  readonly next: string | undefined
}

/**
 * Looks at a folder's repository and at what an earlier run read of it.
 *
 * @throws Error when the state belongs to another repository
 */
export async function findSource(folder: string, stateFile: string): Promise<Source> {
  const repository = (await hasHistory(folder)) ? await topOf(folder) : undefined
  const from = repository ?? GENERATED
  const tip = repository === undefined ? String(GENERATED_COMMITS) : await commitHash(repository)
  const state = readState(stateFile)
  if (state !== undefined && state.from !== from) {
    throw new Error(
      `${stateFile} says that this data is from ${state.from}, not from ${from}. Choose another folder with --data, or remove this one.`,
    )
  }
  const tips = state?.tips ?? []
  return { repository, from, tips, next: tips.includes(tip) ? undefined : tip }
}

/** What is not in the stream yet, oldest first. */
export function newChanges({
  repository,
  tips,
  next,
}: Source): AsyncIterable<GitChange> | Iterable<GitChange> {
  if (next === undefined) return []
  if (repository === undefined) return generatedChanges(GENERATED_COMMITS)
  return gitChanges({ repository, tip: next, after: tips })
}

/** Notes that `next` is in the stream. The note is whole or not there. */
export function noteRead(source: Source, stateFile: string): Source {
  if (source.next === undefined) return source
  const state: SourceState = { from: source.from, tips: [...source.tips, source.next] }
  writeFileSync(`${stateFile}.new`, `${JSON.stringify(state)}\n`)
  renameSync(`${stateFile}.new`, stateFile)
  return { ...source, tips: state.tips, next: undefined }
}

/** The same for the same stretch of history: a run that goes on after a break repeats it, and the log drops the copies. */
export function producerIdOf({ from, tips, next }: Source): string {
  return `git-history-${createHash('sha256')
    .update(JSON.stringify([from, tips, next]))
    .digest('hex')
    .slice(0, 32)}`
}

/** What the projection must come to, counted without Eddy. */
export function expectedCounts({ repository, tips }: Source): Promise<Counts> | Counts {
  if (repository !== undefined) return gitCounts(repository, tips)
  return generatedCounts(GENERATED_COMMITS)
}

async function topOf(folder: string): Promise<string> {
  // A bare repository has no folder of files; its own folder stands for it.
  const top = await gitText(folder, ['rev-parse', '--show-toplevel']).catch(() => folder)
  return realpathSync(top)
}

function readState(stateFile: string): SourceState | undefined {
  if (!existsSync(stateFile)) return undefined
  return JSON.parse(readFileSync(stateFile, 'utf8')) as SourceState
}
