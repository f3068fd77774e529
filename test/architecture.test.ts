import { describe, expect, it } from 'vitest'
import { filesBelow, foldersBelow, foldersIn, jsonOf, textOf } from './support/repository.ts'

const PAGE = textOf('docs/ARCHITECTURE.md')

describe('docs/ARCHITECTURE.md', () => {
  for (const name of foldersIn('packages')) {
    it(`names every folder of packages/${name}, and none that is not there`, () => {
      const section = new RegExp(`^### \`packages/${name}\`$([\\s\\S]*?)(?=^##)`, 'm').exec(PAGE)?.[1] ?? ''
      const named = [...section.matchAll(/^\| `([^`]+)\/` \|/gm)].map((match) => match[1])
      expect(named.sort()).toEqual(foldersBelow(`packages/${name}/src`).sort())
    })
  }

  it('names the folders of the root', () => {
    const folders = foldersIn('.').filter((name) => name !== '.git' && name !== '.ci')
    for (const folder of folders) expect(PAGE).toMatch(new RegExp(`^${folder}/`, 'm'))
    expect(PAGE).toMatch(/^\.ci\/run/m)
  })

  it('names only files that are there', () => {
    const files = filesBelow()
    const named = [...PAGE.matchAll(/`([\w./-]+\.(?:ts|mjs|md))`/g)].map((match) => match[1] as string)
    const missing = named.filter(
      (name) =>
        !files.some(
          (file) => file === name || /^packages\/[^/]+\/(src|test)\/(.*)$/.exec(file)?.[2] === name,
        ),
    )
    expect(missing).toEqual([])
    expect(named.length).toBeGreaterThan(40)
  })

  it('says why for every dependency of a package', () => {
    const section = PAGE.slice(PAGE.indexOf('## Dependencies'))
    for (const name of foldersIn('packages')) {
      const { dependencies = {} } = jsonOf<{ dependencies?: Record<string, string> }>(
        `packages/${name}/package.json`,
      )
      for (const dependency of Object.keys(dependencies)) {
        if (!dependency.startsWith('@eddy/')) expect(section).toContain(`\`${dependency}\``)
      }
    }
  })
})
