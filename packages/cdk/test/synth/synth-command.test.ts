import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const CDK = fileURLToPath(new URL('../..', import.meta.url))
const EDDY = join(dirname(CDK.replace(/\/$/, '')), 'eddy')

/** A project as `npm install eddy @eddy/cdk …` leaves it. */
function project(app: string): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules/@eddy'), { recursive: true })
  symlinkSync(CDK, join(folder, 'node_modules/@eddy/cdk'))
  symlinkSync(EDDY, join(folder, 'node_modules/eddy'))
  writeFileSync(join(folder, 'app.ts'), app)
  return folder
}

const APP = `import { defineApp, stream, subscribe } from 'eddy'
const orders = stream('orders', { shards: 1 })
const charge = subscribe('charge', orders, { handle: () => undefined })
export default await Promise.resolve(defineApp({ subscriptions: [charge] }))`

const eddy = (folder: string, ...argv: string[]) => ({
  program: process.execPath,
  argv: [join(EDDY, 'bin/eddy.js'), 'synth', 'app.ts', ...argv],
  options: {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    stdio: 'pipe',
    env: { PATH: process.env.PATH },
  } as const,
})

describe('eddy synth', () => {
  it('writes a template without an account, for the region and account that it is deployed to', () => {
    const folder = project(APP)
    const { program, argv, options } = eddy(folder, '--name', 'shop')
    const stdout = execFileSync(program, argv, options)
    expect(stdout).toContain(
      'cdk.out/shop.template.json is the template of shop. Deploy it with: npx cdk deploy --app cdk.out',
    )
    const template = readFileSync(join(folder, 'cdk.out/shop.template.json'), 'utf8')
    expect(Object.keys(JSON.parse(template) as object)).toContain('Resources')
    expect(template).toContain('"Ref": "AWS::AccountId"')
    const manifest = JSON.parse(readFileSync(join(folder, 'cdk.out/manifest.json'), 'utf8')) as {
      artifacts: Record<string, { environment?: string }>
    }
    expect(manifest.artifacts.shop?.environment).toBe('aws://unknown-account/unknown-region')
    const assets = JSON.parse(readFileSync(join(folder, 'cdk.out/shop.assets.json'), 'utf8')) as {
      files: Record<string, { source: { path: string } }>
    }
    const paths = Object.values(assets.files).map(({ source }) => source.path)
    const bundles = paths.filter((path) => path.startsWith('asset.'))
    expect(bundles).toHaveLength(1)
    expect(readFileSync(join(folder, 'cdk.out', bundles[0] ?? '', 'index.mjs'), 'utf8')).toContain('kinesis')
  })

  it('prints what the guide says', () => {
    const page = (name: string) => readFileSync(join(CDK, '../../docs', name), 'utf8')
    const { program, argv, options } = eddy(project(page('tour/app.ts')), '--name', 'orders-prod')
    expect(page('guides/cdk.md')).toContain(
      `$ eddy synth app.ts --name orders-prod\n${execFileSync(program, argv, options)}`,
    )
  })

  it('ends with 4 and one line when the application is wrong, or an option of it', () => {
    const wrong = eddy(project('export default {}'), '--name', 'shop')
    const loaded = spawnSync(wrong.program, wrong.argv, wrong.options)
    expect([loaded.status, loaded.stderr]).toEqual([
      4,
      expect.stringMatching(
        /^eddy: cannot load the application app\.ts: expected the result of defineApp\(\)[^\n]*\n$/,
      ),
    ])
    const named = eddy(project(APP), '--name', 'Shop')
    const refused = spawnSync(named.program, named.argv, named.options)
    expect([refused.status, refused.stderr]).toEqual([
      4,
      'eddy: EddyApp.name: expected 1 to 32 characters of a-z 0-9 -, a letter first, received "Shop"\n',
    ])
  })
})
