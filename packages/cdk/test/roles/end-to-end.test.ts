import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadDescription } from '../../src/app/load-description.ts'
import { type Right, roleRights } from '../../src/index.ts'
import { compareRights, type Exception } from './compare-rights.ts'

/** What end-to-end runs of functions on emulators needed, written down by `npm run test:aws`. */
interface NeededRight extends Right {
  /** `http`, `live charge`. */
  readonly by: string
}

const STORIES = new URL('../../../aws/test/stories/', import.meta.url)
const jsonOf = <T>(file: URL): T => JSON.parse(readFileSync(file, 'utf8')) as T
const needed = readdirSync(STORIES)
  .filter((file) => file.endsWith('-rights.json') && file !== 'worker-rights.json')
  .flatMap((file) => jsonOf<readonly NeededRight[]>(new URL(file, STORIES)))
/** And of a worker. */
const neededByWorker = jsonOf<readonly NeededRight[]>(new URL('worker-rights.json', STORIES))
const exceptions = jsonOf<readonly Exception[]>(new URL('run-exceptions.json', import.meta.url))
const workerExceptions = jsonOf<readonly Exception[]>(new URL('worker-exceptions.json', import.meta.url))

const rights = roleRights(loadDescription(fileURLToPath(new URL('apps/rights-app.ts', STORIES))), {
  name: 'shop',
  bucket: 'shop-payloads',
  topic: 'shop',
  schedulerRole: 'scheduler',
})

const roles = new Map<string, readonly Right[]>([
  ...[...rights.live].map(([name, one]) => [`live ${name}`, one] as const),
  ...[...rights.retry].map(([name, one]) => [`retry ${name}`, one] as const),
  ['http', rights.http],
  ['rescue', rights.rescue],
  ['sweep', rights.sweep],
])

/** Whatever their resources. */
const actions = (of: readonly Right[]) =>
  [...new Set(of.map(({ action }) => action))].map((action) => ({ action, resource: '*' }))

describe('An end-to-end run', () => {
  it('had every function at work', () => {
    expect([...new Set(needed.map(({ by }) => by))].sort()).toEqual([...roles.keys()].sort())
  })

  it.each([...roles])('made no call that the role of %s does not allow', (role, allowed) => {
    const own = needed.filter(({ by }) => by === role)
    expect(compareRights(allowed, own, []).refused).toEqual([])
  })

  it('made every call that some role allows, but for exceptions with reasons', () => {
    const { unneeded, stale } = compareRights(
      actions([...roles.values()].flat()),
      actions(needed),
      exceptions,
    )
    expect(unneeded).toEqual([])
    expect(stale).toEqual([])
    for (const { why } of exceptions) expect(why).toMatch(/^[A-Z].+\.$/)
  })
})

describe('An end-to-end run of a worker', () => {
  it('made no call that its role does not allow', () => {
    expect([...new Set(neededByWorker.map(({ by }) => by))]).toEqual(['worker'])
    expect(compareRights(rights.worker, neededByWorker, []).refused).toEqual([])
  })

  it('made every call that its role allows, but for exceptions with reasons', () => {
    const { unneeded, stale } = compareRights(
      actions(rights.worker),
      actions(neededByWorker),
      workerExceptions,
    )
    expect(unneeded).toEqual([])
    expect(stale).toEqual([])
    for (const { why } of workerExceptions) expect(why).toMatch(/^[A-Z].+\.$/)
  })
})
