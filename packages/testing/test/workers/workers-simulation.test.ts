import { expect, test } from 'vitest'
import { runWorkersSeeds } from '../../src/simulation/workers/run-workers-seeds.ts'

const SEEDS = Number(process.env.EDDY_WORKERS_SEEDS ?? 24)
const FIRST = Number(process.env.EDDY_FIRST_SEED ?? 1)

test(`workers: ${SEEDS} seeds from ${FIRST} of deaths, stalls, joins, leaves, splits, merges and changes of the policy (I2, I3, I5, I9)`, async () => {
  const report = await runWorkersSeeds(FIRST, SEEDS)
  const told = report.failures.map(
    ({ seed, message }) => `seed ${seed}: ${message}\n  replay: npm run simulate -- --workers --seed ${seed}`,
  )
  expect(told.join('\n')).toBe('')
  // A simulation that meets nothing proves nothing.
  expect(report.records).toBeGreaterThan(SEEDS * 50)
  expect(report.kills).toBeGreaterThan(SEEDS / 2)
  expect(report.takenOver).toBeGreaterThan(SEEDS)
  expect(report.handedOver).toBeGreaterThan(SEEDS)
  expect(report.policyChanges).toBeGreaterThan(SEEDS / 3)
}, 120_000)
