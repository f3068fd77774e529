import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type CommandRun, runCommand } from '../command/support/run-command.ts'
import { appOf, numbered, Workplace } from './support/workplace.ts'

const APP = appOf({ handle: '({ data }) => record(data.n)' })

function expectRefused(ended: CommandRun, exitCode: number, ...parts: string[]): void {
  expect(ended.exitCode, ended.stderr).toBe(exitCode)
  for (const part of parts) expect(ended.stderr).toContain(part)
  // One line for people, no stack.
  expect(ended.stderr.trim().split('\n').at(-1)).toMatch(/^eddy: /)
  expect(ended.stderr).not.toMatch(/\n\s+at /)
}

async function storedNumbers(place: Workplace): Promise<number[]> {
  const { stdout } = await place.command(['tail', 's', '--from', 'trim_horizon', '--no-follow'])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as { event: { data: { n: number } } }).event.data.n)
}

describe('a start that is refused', () => {
  it('names the process that has the port or the directory, and disturbs it in nothing', async () => {
    const place = await Workplace.open(APP)
    const { port, url, child } = await place.start()
    await place.command(['put', 's', '--key', 'key'], numbered(0, 50, 5))
    const taken = await place.run(['start', 'app.ts', '--data', 'other', '--port', String(port)])
    expectRefused(taken, 4, `127.0.0.1:${port} is in use`, '--port')
    const locked = await place.run(['start', 'app.ts', '--data', 'data', '--port', '0'])
    expectRefused(locked, 4, `process ${child.pid}`, url)
    await place.command(['put', 's', '--key', 'key'], numbered(50, 60, 5))
    expect(await place.stop()).toBe(0)
    // The directory of the refused start is in order, too.
    await place.start('--data', 'other')
    expect(await place.stop()).toBe(0)
    await place.start()
    expect((await storedNumbers(place)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    )
  })

  it('of two starts at the same moment lets one have the directory', async () => {
    const place = await Workplace.open(APP)
    const starts = await Promise.allSettled([place.start(), place.start(), place.start()])
    const refused = starts.filter((start) => start.status === 'rejected')
    expect(refused).toHaveLength(2)
    for (const { reason } of refused)
      expect(String(reason)).toMatch(/EDDY_DATA_DIR_LOCKED.* in use by process \d+/)
  })

  it('leaves a foreign folder, one of another version and a damaged one as they are', async () => {
    const place = await Workplace.open(APP)
    const start = (data: string) =>
      runCommand(['start', place.path('app.ts'), '--data', place.path(data), '--port', '0'])
    await mkdir(place.path('foreign'))
    await place.write('foreign/letter.txt', 'mine')
    expectRefused(await start('foreign'), 4, 'is not an Eddy data directory', 'letter.txt')
    expect(await readdir(place.path('foreign'))).toEqual(['letter.txt'])

    await place.load(numbered(0, 20, 5))
    await cp(place.path('data'), place.path('newer'), { recursive: true })
    const format = await readFile(place.path('data/eddy.json'), 'utf8')
    await place.write('newer/eddy.json', format.replace(/"format":\d+/, '"format":999'))
    expectRefused(await start('newer'), 4, 'format 999')
    await cp(place.path('data'), place.path('damaged'), { recursive: true })
    await place.write('damaged/eddy.json', '{"kind":')
    expectRefused(await start('damaged'), 4, 'eddy.json')
    // With its own words back, all of it is there.
    await place.write('newer/eddy.json', format)
    await place.start('--data', 'newer')
    expect(await storedNumbers(place)).toHaveLength(20)
  })
})

const APPS: readonly (readonly [string, string, readonly string[]])[] = [
  ['throws', `throw new Error('no database configured')`, ['no database configured', 'ts:1']],
  ['throws no Error', `throw 'just text'`, ['just text']],
  ['does not parse', `const = 1`, ['does not parse']],
  ['imports what is not there', `import './missing.ts'\nexport default 1`, ['missing']],
  ['exports no application', `export const x = 1`, ['export default defineApp']],
  [
    'has a wrong type in an option',
    `import { defineApp, stream, subscribe } from 'eddy'
const s = stream('s', { shards: 1 })
export default defineApp({ subscriptions: [subscribe('sub', s, { concurrency: 'many' as never, handle: () => {} })] })`,
    ['concurrency', '"many"', 'ts:3'],
  ],
  [
    'leaves a choice open that has no default',
    `import { defineApp, stream, subscribe } from 'eddy'
const s = stream('s', { shards: 1 })
export default defineApp({ subscriptions: [subscribe('sub', s, { failure: { blocks: 'key' } as never, handle: () => {} })] })`,
    ['exhausted', 'dead-letter'],
  ],
  [
    'has no handler',
    `import { defineApp, stream, subscribe } from 'eddy'
export default defineApp({ subscriptions: [subscribe('sub', stream('s', { shards: 1 }), {} as never)] })`,
    ['handle', 'function'],
  ],
]

describe('an application file', () => {
  it('that is wrong is refused with its place and the next step', async () => {
    const place = await Workplace.open()
    for (const [index, [what, source, parts]] of APPS.entries()) {
      const file = `app-${index}.ts`
      await place.write(file, source)
      const argv = ['start', place.path(file), '--data', place.path('data'), '--port', '0']
      // A process for the first, which ends by itself; the others by the same command line in this one.
      const ended = await (index === 0 ? place.run(argv) : runCommand(argv))
      expectRefused(ended, 4, file, ...parts)
      expect(ended.stderr, what).toMatch(/See the examples|Write: export default|Export what it returns/)
    }
    // Nothing was made: the file is read first.
    expect((await readdir(place.cwd)).filter((name) => !name.endsWith('.ts'))).toEqual([])
  })
})
