import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as core from '../src/index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Every error class of every package, by its source: `code` and `retryable` are literals there by convention. */
function codesInSource(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>()
  const chosen = new Map<string, string>()
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name, 'src')
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      const text = readFileSync(join(folder, file), 'utf8')
      for (const match of text.matchAll(
        /override readonly code = '(EDDY_[A-Z0-9_]+)'\s+override readonly retryable = (true|false)/g,
      )) {
        codes.set(match[1] as string, match[2] === 'true' ? 'yes' : 'no')
      }
      // An error whose code is chosen when it is made says there whether it is retryable.
      for (const match of text.matchAll(/[{ ]code: '(EDDY_[A-Z0-9_]+)',[^}]*?retryable: (true|false)?/g)) {
        const retryable = match[2] === undefined ? 'depends' : match[2] === 'true' ? 'yes' : 'no'
        chosen.set(match[1] as string, agree(chosen.get(match[1] as string), retryable))
      }
    }
  }
  return new Map([...chosen, ...codes])
}

function agree(before: string | undefined, now: string): string {
  return before === undefined || before === now ? now : 'depends'
}

function codesInDocument(): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, 'docs', 'ERRORS.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(EDDY_[A-Z0-9_]+)` \| (yes|no|depends) \| (.+) \| (.+) \|$/gm)]
  return new Map(rows.map((row) => [row[1] as string, row[2] as string]))
}

describe('docs/ERRORS.md', () => {
  test('lists every error of the code, with its retryable, and no other', () => {
    const byCode = (codes: ReadonlyMap<string, string>) => [...codes].sort(([a], [b]) => a.localeCompare(b))
    expect(byCode(codesInDocument())).toEqual(byCode(codesInSource()))
  })

  test('every row of a table of codes has a meaning and a next step', () => {
    const text = readFileSync(join(root, 'docs', 'ERRORS.md'), 'utf8')
    expect(text.match(/^\| `EDDY_/gm)?.length).toBe(codesInDocument().size)
  })

  test('core exports every error class it has', () => {
    const exported = Object.values(core as Record<string, unknown>)
      .filter((value) => typeof value === 'function' && value.prototype instanceof core.EddyError)
      .map((value) => (value as { name: string }).name)
    const folder = join(root, 'packages', 'core', 'src', 'errors')
    const declared = readdirSync(folder).flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/class (\w+) extends EddyError/g)].map(
        (match) => match[1],
      ),
    )
    expect(exported.sort()).toEqual(declared.sort())
  })
})
