import { createTwoFilesPatch } from 'diff'
import type { Paint } from '../format/paint.ts'
import { printable } from '../format/printable.ts'

/** A unified diff of two payloads, coloured for a terminal; empty when they are the same. */
export function payloadDiff(before: string, after: string, paint: Paint): string {
  if (before === after) return ''
  const patch = createTwoFilesPatch('before', 'after', `${before}\n`, `${after}\n`, undefined, undefined, {
    context: 3,
  })
  return patch
    .split('\n')
    .filter((line) => line !== '' && !/^=+$/.test(line))
    .map((line) => colourLine(printable(line, { keepLines: true }), paint))
    .join('\n')
}

function colourLine(line: string, paint: Paint): string {
  if (line.startsWith('---') || line.startsWith('+++')) return paint.bold(line)
  if (line.startsWith('@@')) return paint.cyan(line)
  if (line.startsWith('+')) return paint.green(line)
  if (line.startsWith('-')) return paint.red(line)
  return line
}
