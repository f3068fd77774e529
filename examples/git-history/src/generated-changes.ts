import { createHash } from 'node:crypto'
import type { GitChange } from './git-change.ts'
import { add, type Counts } from './git-counts.ts'

const AUTHORS = ['Ada <ada@example.org>', 'Grace <grace@example.org>', 'Åsa <asa@example.org>']
const FOLDERS = ['src', 'test', 'docs', 'with space', 'grüße']

/**
 * A made-up history for where there is no Git or no repository: the same changes each time.
 *
 * @param commits - how many; each changes 1 to 5 of 120 files
 */
export function* generatedChanges(commits: number): Generator<GitChange> {
  const seen = new Map<string, number>()
  for (let i = 0; i < commits; i++) {
    const commit = createHash('sha1').update(`generated ${i}`).digest('hex')
    const digits = Buffer.from(commit, 'hex')
    const author = AUTHORS[(digits[0] as number) % AUTHORS.length] as string
    const authoredAt = new Date(1_700_000_000_000 + i * 60_000).toISOString()
    const paths = new Set<string>()
    for (let k = 0; k <= (digits[1] as number) % 5; k++) paths.add(fileOf(digits[2 + k] as number))
    for (const path of paths) {
      const n = (seen.get(path) ?? 0) + 1
      seen.set(path, n)
      yield { path, commit, n, status: n === 1 ? 'A' : 'M', author, authoredAt }
    }
  }
}

/** What the projection must come to. */
export function generatedCounts(commits: number): Counts {
  const paths = new Map<string, number>()
  const authors = new Map<string, number>()
  let changes = 0
  for (const change of generatedChanges(commits)) {
    changes++
    add(paths, change.path)
    add(authors, change.author)
  }
  return { changes, paths, authors }
}

function fileOf(digit: number): string {
  const file = digit % 120
  return `${FOLDERS[file % FOLDERS.length]}/file-${file}.txt`
}
