import { expect, test } from 'vitest'
import { type QueueSeedResult, runQueueSeed } from '../src/simulation/queue/run-queue-seed.ts'

const SEEDS = Number(process.env.EDDY_QUEUE_SEEDS ?? 120)
const FIRST = Number(process.env.EDDY_FIRST_SEED ?? 1)

test(`queues: ${SEEDS} seeds from ${FIRST} of crashes, faults, pauses and purges (I2, I3, I5, I9)`, async () => {
  const results: QueueSeedResult[] = []
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const result = await runQueueSeed(seed)
    if (result.violation !== undefined) {
      const { violation, scenario, trace } = result
      expect.fail(
        `seed ${seed}: ${violation.message}\n${JSON.stringify(scenario).slice(0, 4_000)}\n${trace.slice(-60).join('\n')}`,
      )
    }
    results.push(result)
  }
  // A simulation that meets nothing proves nothing.
  const sum = (of: (result: QueueSeedResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0)
  expect(sum((result) => result.accepted)).toBeGreaterThan(SEEDS * 20)
  expect(sum((result) => result.seen.crashes)).toBeGreaterThan(SEEDS)
  expect(sum((result) => result.seen.diverted)).toBeGreaterThan(SEEDS)
  expect(sum((result) => result.seen.purged)).toBeGreaterThan(SEEDS / 10)
}, 120_000)
