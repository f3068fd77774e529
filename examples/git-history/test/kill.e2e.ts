import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gitCounts } from '../src/git-counts.ts'
import { type KillRunResult, killRun } from './kill/kill-run.ts'
import { writeChanges } from './kill/processes.ts'
import { makeRepository } from './make-repository.ts'

/**
 * Over 100,000 changes through `eddy put` into 4 shards, with each value of `blocks`: once with a handler that fails 3 %
 * of its attempts, and once more with the server killed ten times on the way. Run it with `npm run test:kill`.
 */
const CHANGES = Number(process.env.EDDY_KILL_CHANGES ?? '101000')
/** A repository of your own instead of a made one: the history of its HEAD. */
const REPOSITORY = process.env.EDDY_KILL_REPOSITORY
const KILLS = 10
/** On a machine that is busy with other things. No speed is asserted: these only end what hangs. */
const LEAST_BOUND_MS = 300_000
const BOUND_MS_PER_CHANGE = 5
/** For a run with its comparison, whatever the repository's size. */
const RUN_BOUND_MS = 3_600_000

const rows: KillRunResult[] = []
let parent: string
let repository: string
let changes: number
let changesFile: string

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'eddy-kill-'))
  repository = REPOSITORY ?? makeRepository(parent, CHANGES).directory
  changes = (await gitCounts(repository, ['HEAD'])).changes
  changesFile = join(parent, 'changes.ndjson')
  await writeChanges(repository, changesFile, boundMs())
}, 2 * LEAST_BOUND_MS)

afterAll(() => {
  console.log(table())
  rmSync(parent, { recursive: true, force: true })
})

describe.sequential('a long history, retries and kill -9', () => {
  for (const blocks of ['nothing', 'key', 'shard'] as const) {
    for (const kills of [0, KILLS]) {
      it(`blocks: ${blocks}, ${kills} kills: equals git's own count for every path`, {
        timeout: RUN_BOUND_MS,
      }, async () => {
        const directory = join(parent, `${blocks}-${kills}`)
        mkdirSync(directory)
        const result = await killRun({
          directory,
          repository,
          changesFile,
          blocks,
          kills,
          batch: 500,
          failRate: 0.03,
          sampledPaths: 40,
          putMs: boundMs(),
          drainMs: boundMs(),
        })
        rows.push(result)
        expect(result.verdict).toMatchObject({ ok: true, differences: [] })
        expect(result.kills).toBe(kills)
        expect(result.retries).toBeGreaterThan(changes * 0.02)
        if (blocks !== 'nothing') expect(result.verdict.violations).toBe(0)
        rmSync(directory, { recursive: true, force: true })
      })
    }
  }
})

function boundMs(): number {
  return Math.max(LEAST_BOUND_MS, changes * BOUND_MS_PER_CHANGE)
}

function table(): string {
  const heads = [
    'blocks',
    'changes',
    'paths',
    'kills',
    'seconds',
    'attempts',
    'retries',
    'order violations',
    'equal',
  ]
  const lines = rows.map(({ blocks, kills, seconds, attempts, retries, verdict }) => [
    blocks,
    verdict.changes,
    verdict.paths,
    kills,
    seconds.toFixed(1),
    attempts,
    retries,
    blocks === 'nothing' ? `${verdict.violations} (allowed)` : verdict.violations,
    verdict.ok ? 'yes' : 'NO',
  ])
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
