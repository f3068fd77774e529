import type {
  PolicyChangeRecord,
  PolicyDifference,
  PolicyPart,
  PolicyResult,
  PolicyState,
  PolicyValue,
} from '@eddy/core'
import type { CommandContext } from '../command-context.ts'
import { printable } from '../format/printable.ts'
import { plural } from '../format/quantity.ts'
import { table } from '../format/table.ts'

const SHOWN_CHANGES = 5

type Row = Omit<PolicyDifference, 'path'> & { readonly path: string }

export async function printPolicy(context: CommandContext, policy: PolicyState): Promise<void> {
  if (context.json) return await context.printJson(policy)
  const { paint } = context
  const { subscription, version, parts, rejected, history } = policy
  const name = printable(subscription)
  const lines = [
    `${paint.bold(name)}  ${version === 0 ? 'as in the application file, never changed' : `policy version ${version}`}`,
    '',
    table(
      parts,
      [
        { title: 'PART', value: ({ path }) => path },
        { title: 'VALUE', value: ({ value }) => valueText(value) },
        { title: 'FROM', value: fromText },
      ],
      paint,
    ),
  ]
  for (const { path, value, reason } of rejected) {
    lines.push('', paint.red(`rejected: ${path} = ${printable(valueText(value))}`), `  ${printable(reason)}`)
  }
  if (history.length > 0) lines.push('', ...historyLines(history))
  await context.print(lines.join('\n'))
}

export async function printPolicyResult(context: CommandContext, result: PolicyResult): Promise<void> {
  if (context.json) return await context.printJson(result)
  const { subscription, version, changes, dryRun } = result
  const name = printable(subscription)
  if (changes.length === 0) return await context.print(`${name}: nothing differs, policy version ${version}`)
  const heading = dryRun
    ? `${name}: ${plural(changes.length, 'part')} would change, nothing was changed`
    : `${name}: policy version ${version}`
  const rows = table(
    changes.flatMap(memberwise),
    [
      { title: 'PART', value: ({ path }) => path },
      { title: 'BEFORE', value: ({ before, beforeFrom }) => sourced(before, beforeFrom) },
      { title: 'AFTER', value: ({ after, afterFrom }) => sourced(after, afterFrom) },
    ],
    context.paint,
  )
  await context.print(`${heading}\n${rows}`)
}

function historyLines(history: readonly PolicyChangeRecord[]): readonly string[] {
  const lines: string[] = []
  for (const { version, atMs, by, note, changes } of history.slice(0, SHOWN_CHANGES)) {
    const why = note === undefined ? '' : `: ${printable(note)}`
    lines.push(`version ${version}  ${new Date(atMs).toISOString()} by ${printable(by)}${why}`)
    for (const change of changes.flatMap(memberwise)) lines.push(`  ${changeText(change)}`)
  }
  const more = history.length - SHOWN_CHANGES
  if (more > 0) lines.push(`and ${plural(more, 'earlier change')}: --json shows them`)
  return lines
}

/** Of a part with members, those that differ. */
function memberwise(change: PolicyDifference): readonly Row[] {
  const { before, after } = change
  if (!isObject(before) || !isObject(after)) return [change]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const rows = names.map((name) => ({
    ...change,
    path: `${change.path}.${name}`,
    before: before[name] ?? null,
    after: after[name] ?? null,
  }))
  const differing = rows.filter((row) => JSON.stringify(row.before) !== JSON.stringify(row.after))
  return differing.length === 0 ? [change] : differing
}

function isObject(value: PolicyValue): value is { readonly [name: string]: PolicyValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function changeText({ path, before, after, beforeFrom, afterFrom }: Row): string {
  return printable(`${path}: ${sourced(before, beforeFrom)} -> ${sourced(after, afterFrom)}`)
}

function sourced(value: PolicyValue, from: 'file' | 'override'): string {
  return from === 'file' ? `${valueText(value)} (file)` : valueText(value)
}

function fromText({ path, value, from, file, version, by }: PolicyPart): string {
  if (from === 'file') return 'file'
  const own = { path, before: file, after: value, beforeFrom: 'file', afterFrom: 'override' } as const
  const texts = memberwise(own).map((row) =>
    row.path === path ? valueText(row.before) : `${row.path.slice(path.length + 1)} ${valueText(row.before)}`,
  )
  return `version ${version} by ${by}, file: ${texts.join(', ')}`
}

function valueText(value: PolicyValue): string {
  if (value === null) return '-'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
