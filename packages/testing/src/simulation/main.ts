import { parseArgs } from 'node:util'
import { runSeed } from './run-seed.ts'
import { runSeeds } from './run-seeds.ts'
import { runWorkersSeed } from './workers/run-workers-seed.ts'
import { runWorkersSeeds } from './workers/run-workers-seeds.ts'

/**
 * `node main.js --seed N` replays one seed and prints its scenario, what broke, and the last port calls.
 * `node main.js --from N --count M` plays many and prints a report as one line of JSON. Exit code 1 when one failed.
 * `--workers`: the same with several workers that share the engine.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '100' },
      workers: { type: 'boolean', default: false },
    },
  })
  if (values.seed !== undefined) return await replay(Number(values.seed), values.workers)
  const run = values.workers ? runWorkersSeeds : runSeeds
  const report = await run(Number(values.from), Number(values.count))
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exitCode = report.failures.length > 0 ? 1 : 0
}

async function replay(seed: number, withWorkers: boolean): Promise<void> {
  const result = await (withWorkers ? runWorkersSeed(seed) : runSeed(seed))
  process.stdout.write(`${JSON.stringify(result.scenario, null, 2)}\n`)
  if (result.violation === undefined) {
    process.stdout.write(`seed ${seed}: ${result.records} records, nothing broke\n`)
    return
  }
  process.stdout.write(`${result.trace.join('\n')}\nseed ${seed}: ${result.violation.message}\n`)
  process.exitCode = 1
}

await main()
