import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as core from '@eddy/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as eddy from '../../../src/index.ts'
import { loadApp } from '../../../src/load-app/load-app.ts'

let folder: string
beforeEach(async () => {
  // Outside the repository: no node_modules above it holds `eddy`.
  folder = await mkdtemp(join(tmpdir(), 'eddy-app-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

const IMPORT = "import { defineApp } from 'eddy'\n"
const APP = 'defineApp({ subscriptions: [] })'

async function problemOf(path: string): Promise<string> {
  const error = await loadApp(path).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'EDDY_APP_LOAD', retryable: false })
  expect((error as Error).message).toContain(path)
  return (error as Error).message
}

describe('loading an application file', () => {
  it('loads TypeScript with its own imports, and gives it this very installation of eddy', async () => {
    await file('lib/price.ts', 'export const price = (n: number): number => n * 2\n')
    const path = await file(
      'app.ts',
      `import * as eddy from 'eddy'
       import * as core from '@eddy/core'
       import { price } from './lib/price.ts'
       type Order = { readonly n: number }
       const order: Order = { n: price(21) }
       export default { ...eddy.${APP}, order, modules: { eddy: { ...eddy }, core: { ...core } } }\n`,
    )
    const app = (await loadApp(path)) as unknown as {
      order: { n: number }
      modules: { eddy: Record<string, unknown>; core: Record<string, unknown> }
    }
    expect(app.order).toEqual({ n: 42 })
    expect(app.modules.core.EddyError).toBe(core.EddyError)
    for (const [name, value] of Object.entries(eddy)) expect(app.modules.eddy[name]).toBe(value)
  })

  it('takes the named export "app", JavaScript modules, CommonJS, and top-level await', async () => {
    const files = [
      await file('a.ts', `${IMPORT}export const app = ${APP}\n`),
      await file('b.mjs', `${IMPORT}export default await Promise.resolve(${APP})\n`),
      await file('c.cjs', `const { defineApp } = require('eddy')\nmodule.exports = ${APP}\n`),
      await file(
        'd.js',
        `import { defineApp, EddyError } from 'eddy'\nexport default { ...${APP}, EddyError }\n`,
      ),
      await file('e.cts', `${IMPORT}exports.app = ${APP}\n`),
    ]
    for (const path of files) expect(await loadApp(path), path).toMatchObject({ kind: 'app' })
  })

  it('names the file, what was expected and what came, for every wrong export', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['export const other = 1', /expected the result of defineApp\(\).*received only the exports other/],
      ['', /received no export/],
      ['export default () => ({})', /received a function\. Export what it returns/],
      ['export default Promise.resolve({})', /received a promise\. Await it first/],
      ["export default { kind: 'subscription' }", /received a subscription/],
      ['export default { subscriptions: [] }', /received an object with subscriptions/],
      ["export default { kind: 'app', streams: [], subscriptions: [] }", /that defineApp\(\) did not make/],
      ['export default 7', /received the number 7/],
    ]
    for (const [index, [text, message]] of cases.entries()) {
      expect(await problemOf(await file(`wrong-${index}.ts`, `${text}\n`))).toMatch(message)
    }
  })

  it('says where a file does not parse', async () => {
    expect(await problemOf(await file('app.ts', 'export default {\n  streams: [,,\n'))).toMatch(
      /does not parse: .+/,
    )
  })

  it('says what a file threw, and where', async () => {
    const path = await file('app.ts', "const x: number = 1\n\nthrow new TypeError('no database')\n")
    expect(await problemOf(path)).toMatch(/it threw TypeError: no database \(at .*app\.ts:3:\d+\)/)
    expect(await problemOf(await file('text.ts', "throw 'just text'\n"))).toContain('it threw "just text"')
  })

  it('names the option of a wrong type in a definition', async () => {
    const path = await file(
      'app.ts',
      "import { stream } from 'eddy'\nstream('s', { shards: 'two' } as never)\n",
    )
    expect(await problemOf(path)).toMatch(/stream\("s"\)\.shards: expected .* received "two".*app\.ts:2/)
  })

  it('says which import is missing, and that a file or folder is not there', async () => {
    expect(await problemOf(await file('app.ts', "import './none.ts'\n"))).toMatch(/missing: .*none/)
    expect(await problemOf(join(folder, 'none.ts'))).toContain('there is no such file')
    expect(await problemOf(folder)).toContain('it is a folder')
  })

  it('gives up on a top-level await that never settles', async () => {
    const path = await file('stuck.ts', `${IMPORT}await new Promise(() => {})\nexport default ${APP}\n`)
    await expect(loadApp(path, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'EDDY_APP_LOAD',
      message: expect.stringContaining('a top-level await of it did not settle within 20 ms'),
    })
  })
})
