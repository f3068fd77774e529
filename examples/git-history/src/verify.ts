import type { Counts } from './git-counts.ts'
import type { Projection, Violation } from './projection.ts'
import { gitText } from './run-git.ts'

export interface Verdict {
  readonly ok: boolean
  readonly changes: number
  readonly paths: number
  readonly authors: number
  /** Paths counted a second way, by `git rev-list`. */
  readonly sampledPaths: number
  /** What differs, in words; at most 20 lines. */
  readonly differences: readonly string[]
  readonly violations: number
  /** The first ones, at most 20. */
  readonly firstViolations: readonly Violation[]
}

export interface VerifyOptions {
  readonly projection: Projection
  readonly expected: Counts
  /** Must the order of each path hold? With `blocks: 'nothing'` it need not. */
  readonly ordered: boolean
  /** Where to count sampled paths with `git rev-list`; none for a generated history. */
  readonly sample?: { readonly repository: string; readonly tips: readonly string[]; readonly paths: number }
}

const MAX_LINES = 20

/** Compares the projection with the expected counts, for every path and every author. */
export async function verify(options: VerifyOptions): Promise<Verdict> {
  const { projection, expected, ordered, sample } = options
  const differences = [
    ...differencesOf('path', expected.paths, projection.paths()),
    ...differencesOf('author', expected.authors, projection.authors()),
  ]
  if (projection.total() !== expected.changes) {
    differences.push(`changes: expected ${expected.changes}, counted ${projection.total()}`)
  }
  const sampled = sample === undefined ? [] : samplePaths(expected.paths, sample.paths)
  for (const path of sampled) {
    const count = await revListCount(sample?.repository ?? '', sample?.tips ?? [], path)
    const found = projection.countOf(path)
    if (count !== found) differences.push(`path ${JSON.stringify(path)}: rev-list ${count}, counted ${found}`)
  }
  const violations = projection.violationCount()
  return {
    ok: differences.length === 0 && !(ordered && violations > 0),
    changes: projection.total(),
    paths: expected.paths.size,
    authors: expected.authors.size,
    sampledPaths: sampled.length,
    differences: differences.slice(0, MAX_LINES),
    violations,
    firstViolations: projection.violations(MAX_LINES),
  }
}

/** What `git rev-list` says of one path: the second witness. */
export async function revListCount(
  repository: string,
  tips: readonly string[],
  path: string,
): Promise<number> {
  const args = ['--literal-pathspecs', 'rev-list', '--full-history', '--no-merges', '--count', ...tips]
  return Number(await gitText(`${repository}`, [...args, '--', path]))
}

function differencesOf(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: Iterable<[string, number]>,
): string[] {
  const lines: string[] = []
  const missing = new Map(expected)
  for (const [name, count] of found) {
    const wanted = expected.get(name) ?? 0
    if (count !== wanted) lines.push(`${what} ${JSON.stringify(name)}: expected ${wanted}, counted ${count}`)
    missing.delete(name)
  }
  for (const [name, count] of missing) {
    lines.push(`${what} ${JSON.stringify(name)}: expected ${count}, counted none`)
  }
  return lines
}

/**
 * Paths spread over the whole list, every kth. Left out are stand-ins, and paths that were a folder at another time: to
 * rev-list a folder stands for all that is in it.
 */
function samplePaths(paths: ReadonlyMap<string, number>, wanted: number): string[] {
  const folders = new Set<string>()
  for (const path of paths.keys()) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
  }
  const candidates = [...paths.keys()].filter((path) => !path.startsWith('//') && !folders.has(path))
  const every = Math.max(1, Math.floor(candidates.length / wanted))
  return candidates.filter((_, i) => i % every === 0).slice(0, wanted)
}
