import type { Projection } from './projection.ts'
import type { Verdict } from './verify.ts'

const TOP = 8

/** The projection's top paths and authors, as lines. */
export function topLines(projection: Projection): string[] {
  return [
    `Most changed paths (of ${projection.pathCount()}):`,
    ...top(projection.paths()),
    'Authors with the most changes:',
    ...top(projection.authors()),
  ]
}

/** The check's verdict, as lines. */
export function verdictLines(verdict: Verdict, witness: string): string[] {
  const { ok, changes, paths, authors, sampledPaths, violations, differences, firstViolations } = verdict
  const sampled = sampledPaths === 0 ? '' : `; ${sampledPaths} paths also by git rev-list`
  return [
    ok
      ? `Check: EQUAL. ${changes} changes, ${paths} paths and ${authors} authors as ${witness}${sampled}.`
      : `Check: DIFFERENT from ${witness}.`,
    `Order: ${violations === 0 ? 'each path in its order, no violation' : `${violations} violations`}.`,
    ...differences.map((line) => `  ${line}`),
    ...firstViolations.map(
      ({ kind, path, n, commit }) => `  ${kind}: ${JSON.stringify(path)} n=${n} ${commit}`,
    ),
  ]
}

function top(counts: Iterable<[string, number]>): string[] {
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, TOP)
    .map(([name, count]) => `${String(count).padStart(8)}  ${printable(name)}`)
}

/** Names as they are, unless they would disturb the terminal. */
function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name) ? JSON.stringify(name) : name
}
