import { LOG_COMMAND } from './git-changes.ts'
import { authorText, pathText } from './lossless-text.ts'
import { gitBytes } from './run-git.ts'

export interface Counts {
  readonly changes: number
  readonly paths: ReadonlyMap<string, number>
  readonly authors: ReadonlyMap<string, number>
}

/**
 * Counts the log of the given commits without Eddy, and without the parser that feeds it: the whole output in memory,
 * cut at NUL bytes.
 */
export async function gitCounts(repository: string, tips: readonly string[]): Promise<Counts> {
  const output = await gitBytes(repository, [...LOG_COMMAND, ...tips, '--'])
  const paths = new Map<string, number>()
  const authors = new Map<string, number>()
  let changes = 0
  let author = ''
  for (let at = 0; at < output.length; ) {
    const token = tokenAt(output, at)
    at += token.length + 1
    const text = token.toString('latin1').trimStart()
    if (text.length > 1) {
      // "commit HASH SECONDS AUTHOR"
      author = authorText(token.subarray(token.indexOf(' ', token.indexOf(' ', 7) + 1) + 1))
      continue
    }
    const path = tokenAt(output, at)
    at += path.length + 1
    changes++
    add(paths, pathText(path).path)
    add(authors, author)
  }
  return { changes, paths, authors }
}

export function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function tokenAt(output: Buffer, at: number): Buffer {
  const end = output.indexOf(0, at)
  return output.subarray(at, end === -1 ? output.length : end)
}
