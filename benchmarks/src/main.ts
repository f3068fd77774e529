import { runBenchmark } from './run/child-process.ts'
import { runAll } from './run/run-all.ts'

if (process.env.EDDY_BENCHMARK === undefined) process.exitCode = await runAll(process.argv.slice(2))
else await runBenchmark(process.env.EDDY_BENCHMARK)
