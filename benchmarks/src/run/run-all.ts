import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { type Benchmark, isMet, type Result } from '../support/benchmark.ts'
import { isBusy, loadNow } from '../support/machine.ts'
import { type Arguments, parseArguments, USAGE } from './arguments.ts'
import { BENCHMARKS } from './benchmarks.ts'
import { runInChild } from './child-process.ts'
import { tableOf } from './table.ts'

interface Outcome {
  readonly name: string
  readonly results: readonly Result[]
  readonly otherCores: number
  readonly seconds: number
  readonly error?: string
}

/** @returns the exit code: 1 when a benchmark failed, with `--strict` 2 when a target was missed, else 0 */
export async function runAll(args: readonly string[]): Promise<number> {
  let chosen: Arguments | 'help'
  try {
    chosen = parseArguments(args)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 64
  }
  if (chosen === 'help') {
    console.log(USAGE)
    return 0
  }
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, load ${loadNow().toFixed(1)}`,
  )
  const outcomes: Outcome[] = []
  for (const name of chosen.names) {
    const outcome = await runOne(BENCHMARKS.find((benchmark) => benchmark.name === name) as Benchmark, chosen)
    outcomes.push(outcome)
    print(outcome)
  }
  if (chosen.json !== undefined) writeJson(chosen.json, outcomes)
  if (outcomes.some((outcome) => outcome.error !== undefined)) return 1
  const isMissed = outcomes.some(({ results }) => results.some((result) => isMet(result) === false))
  return chosen.strict && isMissed ? 2 : 0
}

async function runOne({ name, timeoutMs }: Benchmark, chosen: Arguments): Promise<Outcome> {
  const dir = mkdtempSync(join(chosen.dir, `eddy-bench-${name}-`))
  const remove = (): void => rmSync(dir, { recursive: true, force: true })
  const interrupted = (): void => process.exit(130)
  process.once('exit', remove)
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  const startedMs = performance.now()
  const seconds = (): number => (performance.now() - startedMs) / 1_000
  const say = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${name}: ${text}`)
  }
  try {
    const settings = { dir, pending: chosen.pending, spreadMs: chosen.spreadMs, records: chosen.records }
    const finished = await runInChild(name, timeoutMs, settings, say)
    return { name, ...finished, seconds: seconds() }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { name, results: [], otherCores: 0, seconds: seconds(), error: reason }
  } finally {
    say('')
    remove()
    process.removeListener('exit', remove)
    process.removeListener('SIGINT', interrupted)
    process.removeListener('SIGTERM', interrupted)
  }
}

function print({ name, results, otherCores, seconds, error }: Outcome): void {
  const busy = isBusy(otherCores) ? `; BUSY: other processes used ${otherCores.toFixed(1)} cores` : ''
  console.log(`\n${name} (${seconds.toFixed(0)} s${busy})`)
  if (error !== undefined) console.log(`  FAILED: ${error}`)
  else console.log(tableOf(results))
}

function writeJson(path: string, outcomes: readonly Outcome[]): void {
  const report = {
    at: new Date().toISOString(),
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    benchmarks: outcomes.map((outcome) => ({
      ...outcome,
      results: outcome.results.map((result) => ({ ...result, isMet: isMet(result) })),
    })),
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`)
  console.log(`\nwritten: ${path}`)
}
