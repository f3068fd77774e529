import { parseArgs } from 'node:util'
import { runSeed } from './run-seed.ts'
import { runSeeds } from './run-seeds.ts'

/**
 * `node main.js --seed N` replays one seed and prints its scenario, what broke, and the last port calls.
 * `node main.js --from N --count M` plays many and prints a report as one line of JSON. Exit code 1 when one failed.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '100' },
    },
  })
  if (values.seed !== undefined) return await replay(Number(values.seed))
  const report = await runSeeds(Number(values.from), Number(values.count))
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exitCode = report.failures.length > 0 ? 1 : 0
}

async function replay(seed: number): Promise<void> {
  const result = await runSeed(seed)
  process.stdout.write(`${JSON.stringify(result.scenario, null, 2)}\n`)
  if (result.violation === undefined) {
    process.stdout.write(`seed ${seed}: ${result.records} records, nothing broke\n`)
    return
  }
  process.stdout.write(`${result.trace.join('\n')}\nseed ${seed}: ${result.violation.message}\n`)
  process.exitCode = 1
}

await main()
