import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprint } from '@eddy/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

interface Bundle {
  bundlePackages(options: { readonly root: string }): Promise<void>
}

const built = (file: string) => new URL(`../packages/${file}`, import.meta.url).href
const { bundlePackages } = (await import(new URL('../scripts/bundle.mjs', import.meta.url).href)) as Bundle

describe('What is built', () => {
  let root = ''
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'eddy-bundle-'))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const dist = () => join(root, 'packages/core/dist')

  /** A package called core: its files, exported by index.ts. */
  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    const folder = join(root, 'packages/core')
    await mkdir(join(folder, 'src'), { recursive: true })
    const exported = { '.': { '@eddy/source': './src/index.ts', default: './dist/index.js' } }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', exports: exported }))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'src', name), text)
  }

  it('is a file an entry and one a part that is loaded late; other packages stay imports', async () => {
    await write({
      'index.ts': `export { md5 } from './md5.ts'\nexport const late = async () => (await import('./late.ts')).late`,
      'md5.ts': `import { createHash } from 'node:crypto'\nimport { other } from '@eddy/other'\nexport const md5 = [createHash, other]`,
      'late.ts': 'export const late: number = 7',
    })
    await bundlePackages({ root })
    const names = await readdir(dist(), { recursive: true })
    expect(names.sort()).toEqual(['index.js', 'index.js.map', 'parts', 'parts/late.js', 'parts/late.js.map'])
    const text = await readFile(join(dist(), 'index.js'), 'utf8')
    expect(text).toContain('from "@eddy/other"')
    expect(text).toContain('import("./parts/late.js")')
  })

  it('is left alone while the sources are the same, and loses what they no longer have', async () => {
    await write({
      'index.ts': `export const late = () => import('./late.ts')`,
      'late.ts': 'export const late = 7',
    })
    await bundlePackages({ root })
    const before = await stat(join(dist(), 'index.js'))
    await bundlePackages({ root })
    expect((await stat(join(dist(), 'index.js'))).ino).toBe(before.ino)

    await write({ 'index.ts': 'export const late = 7' })
    await bundlePackages({ root })
    expect((await readdir(dist(), { recursive: true })).filter((name) => name.endsWith('.js'))).toEqual([
      'index.js',
    ])
    expect((await stat(join(dist(), 'index.js'))).ino).not.toBe(before.ino)
  })

  it('has each class under its own name, which errors show', async () => {
    await write({
      'index.ts': `export { Lane } from './lane.ts'\nexport { Lane as Other } from './other.ts'`,
      'lane.ts': 'export class Lane {}',
      'other.ts': 'export class Lane {}',
    })
    await expect(bundlePackages({ root })).rejects.toThrow('two classes are called Lane; rename one')
  })

  it('tells its own frames from an application’s', async () => {
    const { fingerprint: builtFingerprint } = (await import(built('core/dist/index.js'))) as {
      fingerprint: typeof fingerprint
    }
    const own = '    at charge (file:///srv/shop/dist/billing.js:1:1)'
    const eddy = `    at run (${built('embedded/dist/index.js')}:3:3)`
    const plain = builtFingerprint('Error', 'a', `Error: a\n${own}`)
    expect(builtFingerprint('Error', 'a', `Error: a\n${eddy}\n${own}`)).toBe(plain)
    expect(plain).toBe(fingerprint('Error', 'a', `Error: a\n${own}`))
  })
})
