import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killRun } from './kill/kill-run.ts'
import { writeChanges } from './kill/processes.ts'
import { makeRepository } from './make-repository.ts'

const KILLS = { nothing: 1, key: 2, shard: 1 } as const

let parent: string
let repository: string
let changesFile: string

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'eddy-kill-small-'))
  repository = makeRepository(parent, 800).directory
  changesFile = join(parent, 'changes.ndjson')
  await writeChanges(repository, changesFile)
}, 120_000)

afterAll(() => rmSync(parent, { recursive: true, force: true }))

/** The small one of `npm run test:kill`. */
describe('a repository through eddy put, with a server that is killed on the way', () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const) {
    it(`blocks: ${blocks}: equals git's own count for every path (I1, I2, I3)`, {
      timeout: 120_000,
    }, async () => {
      const directory = join(parent, blocks)
      mkdirSync(directory)
      const result = await killRun({
        directory,
        repository,
        changesFile,
        blocks,
        kills: KILLS[blocks],
        batch: 10,
        failRate: 0.03,
        sampledPaths: 10,
        putMs: 60_000,
        drainMs: 60_000,
      })
      expect(result.verdict).toMatchObject({ ok: true, differences: [] })
      expect(result.kills).toBe(KILLS[blocks])
      expect(result.retries).toBeGreaterThan(0)
      if (blocks !== 'nothing') expect(result.verdict.violations).toBe(0)
    })
  }
})
