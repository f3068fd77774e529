import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { RareEventCounts } from '../src/simulation/rare-events.ts'
import type { SeedsReport } from '../src/simulation/run-seeds.ts'

const SEEDS = Number(process.env.EDDY_SIMULATION_SEEDS ?? 2_000)
const FROM = Number(process.env.EDDY_SIMULATION_FROM ?? 1)
const LEAST_OF_EACH = 100
/** `npm test` builds before it tests, so this is the code under test. */
const MAIN = fileURLToPath(new URL('../dist/simulation/main.js', import.meta.url))

/** Plays the seeds in a few processes; one that fails tells its seed. */
async function play(): Promise<SeedsReport[]> {
  const processes = Math.min(4, availableParallelism())
  const share = Math.ceil(SEEDS / processes)
  return await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      playShare(FROM + index * share, Math.min(share, SEEDS - index * share)),
    ),
  )
}

async function playShare(from: number, count: number): Promise<SeedsReport> {
  const ran = await promisify(execFile)(
    process.execPath,
    // A larger young generation: what a seed leaves behind is gone before it is looked at. Errors, of which there are
    // many, without stacks, which take a tenth of the time: a replay of the seed has them.
    [
      '--max-semi-space-size=64',
      '--stack-trace-limit=0',
      MAIN,
      '--from',
      String(from),
      '--count',
      String(count),
    ],
    { timeout: 280_000, maxBuffer: 2 ** 26 },
  ).catch(
    // Exit code 1 is a seed that failed: the report says which.
    (error: { stdout?: string }) => {
      if (error.stdout?.startsWith('{') === true) return { stdout: error.stdout }
      throw error
    },
  )
  return JSON.parse(ran.stdout) as SeedsReport
}

describe(`simulation of ${SEEDS} seeds from ${FROM}: crashes, faults, operators (I2 to I9)`, () => {
  let reports: SeedsReport[] = []

  beforeAll(async () => {
    reports = await play()
  }, 300_000)

  test('no invariant was seen broken', () => {
    const failures = reports.flatMap((report) => report.failures)
    const told = failures.map(
      (failure) =>
        `seed ${failure.seed}: ${failure.message}\n  replay: npm run simulate -- --seed ${failure.seed}`,
    )
    expect(told.join('\n')).toBe('')
  })

  test.skipIf(SEEDS < 2_000)(`every rare event came about at least ${LEAST_OF_EACH} times`, () => {
    const rare = new RareEventCounts()
    for (const report of reports) rare.add(report.rare)
    console.log(JSON.stringify(rare.counts))
    expect(rare.missing(LEAST_OF_EACH)).toEqual([])
  })
})
