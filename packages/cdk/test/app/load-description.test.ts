import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { describeApp } from '../../src/app/app-description.ts'
import { loadDescription } from '../../src/app/load-description.ts'
import shop from '../apps/shop.ts'
import { SHOP } from '../support/synthesized.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const fileOf = (name: string) => fileURLToPath(new URL(`../apps/${name}`, import.meta.url))

describe('What an application file defines', () => {
  it('is the same from the file and from the loaded application', () => {
    const description = loadDescription(SHOP)
    expect(description).toEqual(JSON.parse(JSON.stringify(describeApp(shop))))
    expect(description.subscriptions.map(({ name, blocks, fanOut }) => [name, blocks, fanOut])).toEqual([
      ['charge', 'key', false],
      ['ledger', 'shard', false],
      ['count', 'nothing', true],
      ['mail', 'key', false],
    ])
    expect(description.queues).toEqual([{ name: 'emails', isFifo: true }])
  })

  it('is loaded from a file with a top-level await, which leaves timers behind and prints', () => {
    const file = join(temporaryFolder(), 'app.mjs')
    const core = new URL('../../../core/dist/index.js', import.meta.url)
    const source = `import { defineApp } from ${JSON.stringify(core.href)}
      setInterval(() => {}, 1_000)
      console.log('{"description":"not this one"}')
      export default await Promise.resolve(defineApp({ subscriptions: [] }))`
    writeFileSync(file, source)
    expect(loadDescription(file)).toEqual({ streams: [], queues: [], subscriptions: [] })
  })

  it('names the file and the problem when there is none', () => {
    expect(() => loadDescription(fileOf('no-app.ts'))).toThrow(
      /^cannot load the application .*no-app\.ts: expected the result of defineApp\(\) as the default export/,
    )
    expect(() => loadDescription('nowhere.ts')).toThrow(/nowhere\.ts: there is no such file/)
  })

  it('says how the process ended that loaded it, when it ended otherwise', () => {
    const file = join(temporaryFolder(), 'app.mjs')
    writeFileSync(file, 'process.exit(7)')
    expect(() => loadDescription(file)).toThrow(
      'the process that loaded it ended without an answer: exit status 7',
    )
  })
})
