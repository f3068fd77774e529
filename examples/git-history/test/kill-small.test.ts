import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { killRun } from './kill/kill-run.ts'
import { writeChanges } from './kill/processes.ts'
import { makeRepository } from './make-repository.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** The small one of `npm run test:kill`. */
describe('a repository through eddy put, with a server that is killed on the way', () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const) {
    it(`blocks: ${blocks}: equals git's own count for every path (I1, I2, I3)`, {
      timeout: 120_000,
    }, async () => {
      const directory = temporaryDirectory()
      const repository = makeRepository(directory, 800).directory
      const changesFile = join(directory, 'changes.ndjson')
      await writeChanges(repository, changesFile)
      const run = join(directory, 'run')
      mkdirSync(run)
      const result = await killRun({
        directory: run,
        repository,
        changesFile,
        blocks,
        kills: 2,
        batch: 10,
        failRate: 0.03,
        sampledPaths: 10,
        drainMs: 60_000,
      })
      expect(result.verdict).toMatchObject({ ok: true, differences: [] })
      expect(result.kills).toBe(2)
      expect(result.retries).toBeGreaterThan(0)
      if (blocks !== 'nothing') expect(result.verdict.violations).toBe(0)
    })
  }
})
