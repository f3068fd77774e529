import { isMet, type Result, type Unit } from '../support/benchmark.ts'

/** The results as aligned lines: what, measured, target, pass or miss, both sides; remarks below their line. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.what,
    quantity(result.value, result.unit),
    result.target === undefined ? '' : targetText(result),
    verdict(result),
    result.note,
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  return rows
    .flatMap((row, index) => [
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
      ...(results[index]?.remarks ?? []).map((remark) => `      ${remark}`),
    ])
    .join('\n')
}

function targetText({ target, unit }: Result): string {
  return target === undefined
    ? ''
    : `${target.kind === 'at least' ? '≥' : '≤'} ${quantity(target.value, unit)}`
}

function verdict(result: Result): string {
  const met = isMet(result)
  return met === undefined ? '' : met ? 'pass' : 'MISS'
}

export function quantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'ratio':
      return value.toFixed(3)
    case 'per second':
      return `${thousands(value)}/s`
    case 'count':
      return thousands(value)
    default:
      return `${value >= 100 ? thousands(value) : value.toFixed(1)} ${unit}`
  }
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
