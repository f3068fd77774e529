import { readFileSync } from 'node:fs'
import { KINESIS_LIMITS } from '@eddy/core'
import { describe, expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('docs/guides/testing.md', () => {
  test('shows the files that the tests run', () => {
    const document = read('../../../../docs/guides/testing.md')
    const shown = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1])
    expect(shown).toEqual([read('./guide/app.ts'), read('./guide/app.test.ts')])
  })

  test('names every call of the harness', () => {
    const document = read('../../../../docs/guides/testing.md')
    const source = read('../../src/harness/harness.ts')
    const body = /export interface Harness \{([\s\S]*?)^\}/m.exec(source)?.[1] ?? ''
    const names = [...body.matchAll(/^ {2}(?:readonly )?([a-z]\w*)[(:]/gim)].map(
      (match) => match[1] as string,
    )
    expect(names.length).toBeGreaterThan(15)
    for (const name of names) expect(document).toMatch(new RegExp(`\`${name}\\b`))
  })
})

describe('docs/guides/limits.md', () => {
  const document = read('../../../../docs/guides/limits.md')

  test('shows the file that the tests run', () => {
    const shown = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1])
    expect(shown).toEqual([read('./guide/limits.test.ts')])
  })

  test('has every figure, and the value that is enforced', () => {
    const rows = [...document.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)]
    const figures = rows.map(([, name, value]) => [name, Number(value?.replaceAll(',', ''))])
    expect(Object.fromEntries(figures)).toEqual(KINESIS_LIMITS)
  })
})
