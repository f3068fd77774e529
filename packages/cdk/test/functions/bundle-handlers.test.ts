import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bundleHandlers } from '../../src/functions/bundle-handlers.ts'
import { SHOP } from '../support/synthesized.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const HANDLERS = ['http', 'kinesis', 'queue', 'rescue', 'retry', 'sns', 'sweep']

const codeIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.mjs'))

/** The files of a bundle, by their names. */
function bundled(entry: string, sdk: 'bundled' | 'runtime'): ReadonlyMap<string, string> {
  const outDir = temporaryFolder()
  bundleHandlers({ entry, outDir, sdk })
  return new Map(codeIn(outDir).map((name) => [name, readFileSync(join(outDir, name), 'utf8')]))
}

afterEach(() => vi.unstubAllEnvs())

describe('The bundle of an application', () => {
  it('exports a handler for each source', async () => {
    const outDir = temporaryFolder()
    bundleHandlers({ entry: SHOP, outDir, sdk: 'bundled' })
    const module = (await import(pathToFileURL(join(outDir, 'index.mjs')).href)) as Record<string, unknown>
    expect(Object.keys(module)).toEqual(HANDLERS)
    for (const name of HANDLERS) expect(module[name]).toBeTypeOf('function')
  })

  it('is under 1 MB without the SDK', () => {
    const outDir = temporaryFolder()
    bundleHandlers({ entry: SHOP, outDir, sdk: 'runtime' })
    const bytes = codeIn(outDir).reduce((sum, name) => sum + statSync(join(outDir, name)).size, 0)
    expect(bytes).toBeLessThan(1_000_000)
  })

  it('leaves the SDK to Lambda only when it is asked to', () => {
    const imports = /from\s*"@aws-sdk\/|import\("@aws-sdk\//
    expect([...bundled(SHOP, 'runtime').values()].some((text) => imports.test(text))).toBe(true)
    expect([...bundled(SHOP, 'bundled').values()].some((text) => imports.test(text))).toBe(false)
  })

  it('loads the HTTP API with its first call: other functions never read it', () => {
    const files = bundled(SHOP, 'runtime')
    const [, api = ''] =
      /import\("\.\/(part-\w+\.mjs)"\)\)\.createApp/.exec(files.get('index.mjs') ?? '') ?? []
    expect(files.get(api)?.length).toBeGreaterThan(100_000)
    const eager = [...files].filter(([, text]) => text.includes(`from"./${api}"`))
    expect(eager.map(([name]) => name)).toEqual([])
  })

  it('answers nobody over HTTP where nothing says who may ask', async () => {
    const outDir = temporaryFolder()
    bundleHandlers({ entry: SHOP, outDir, sdk: 'bundled' })
    for (const [name, value] of [
      ['EDDY_NAME', 'shop'],
      ['EDDY_BUCKET', 'shop-payloads'],
      ['AWS_REGION', 'eu-west-1'],
      ['EDDY_TOKEN', ''],
    ] as const)
      vi.stubEnv(name, value)
    const { http } = (await import(pathToFileURL(join(outDir, 'index.mjs')).href)) as {
      http: (event: object, context: object) => Promise<unknown>
    }
    const event = {
      version: '2.0',
      rawPath: '/v1/streams',
      rawQueryString: '',
      headers: {},
      requestContext: { http: { method: 'GET' } },
    }
    await expect(http(event, { getRemainingTimeInMillis: () => 60_000 })).rejects.toThrow(/^EDDY_TOKEN/)
  })

  it('is the same each time, so that a deployment without changes changes nothing', () => {
    expect(bundled(SHOP, 'runtime')).toEqual(bundled(SHOP, 'runtime'))
  })

  it('keeps the names of errors, which rules and fingerprints go by', async () => {
    const entry = join(temporaryFolder(), 'app.ts')
    const eddy = fileURLToPath(new URL('../../../eddy/dist/index.js', import.meta.url))
    writeFileSync(
      entry,
      `import { defineApp } from ${JSON.stringify(eddy)}
       class CardDeclined extends Error {}
       globalThis.declined = () => new CardDeclined().constructor.name
       export default defineApp({ subscriptions: [] })`,
    )
    const outDir = temporaryFolder()
    bundleHandlers({ entry, outDir, sdk: 'bundled' })
    await import(pathToFileURL(join(outDir, 'index.mjs')).href)
    const world = globalThis as unknown as { declined?: () => string }
    expect(world.declined?.()).toBe('CardDeclined')
    delete world.declined
  })

  it('is refused where the application opens the embedded engine', () => {
    const entry = fileURLToPath(new URL('../apps/opens.ts', import.meta.url))
    expect(() => bundled(entry, 'runtime')).toThrow(
      /opens\.ts: it brings in the embedded engine, by .*embedded.*, which no function can run\. Define the application in a file that does not open it/,
    )
  })

  it('names the import that is missing', () => {
    const entry = join(temporaryFolder(), 'app.ts')
    writeFileSync(entry, `import { charge } from './charge.ts'\nexport default charge`)
    expect(() => bundled(entry, 'runtime')).toThrow(
      /it cannot be bundled for Lambda: Could not resolve "\.\/charge\.ts" \(.*app\.ts:1\)/,
    )
  })
})
