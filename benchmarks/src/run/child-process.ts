import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Result, Settings } from '../support/benchmark.ts'
import { OtherWork } from '../support/machine.ts'
import { BENCHMARKS } from './benchmarks.ts'

export type BenchmarkSettings = Omit<Settings, 'say'>

export interface Finished {
  readonly results: readonly Result[]
  /** Cores that other processes used meanwhile, on average. */
  readonly otherCores: number
}

type Message =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'finished'; readonly finished: Finished }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Runs one benchmark in a process of its own, so that no benchmark's memory or compiled code is another one's.
 *
 * @throws Error when it fails, dies, or takes longer than it may
 */
export async function runInChild(
  name: string,
  timeoutMs: number,
  settings: BenchmarkSettings,
  say: (text: string) => void,
): Promise<Finished> {
  const env = { ...process.env, EDDY_BENCHMARK: name, EDDY_BENCHMARK_SETTINGS: JSON.stringify(settings) }
  const child = fork(fileURLToPath(new URL('../main.js', import.meta.url)), [], { env })
  const end = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', end)
  try {
    return await outcomeOf(child, name, timeoutMs, say)
  } finally {
    process.removeListener('exit', end)
    end()
  }
}

function outcomeOf(
  child: ChildProcess,
  name: string,
  timeoutMs: number,
  say: (text: string) => void,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} took more than ${timeoutMs} ms`)), timeoutMs)
    let finished: Finished | undefined
    child.on('message', (message: Message) => {
      if (message.kind === 'say') say(message.text)
      else if (message.kind === 'finished') finished = message.finished
      else reject(new Error(message.reason))
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (finished === undefined) reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}`))
      else resolve(finished)
    })
  })
}

/** The child's side: runs the benchmark and tells its parent. */
export async function runBenchmark(name: string): Promise<void> {
  const tell = (message: Message): Promise<void> =>
    new Promise((resolve) => {
      if (process.send === undefined) return resolve()
      process.send(message, undefined, {}, () => resolve())
    })
  try {
    const benchmark = BENCHMARKS.find((candidate) => candidate.name === name)
    if (benchmark === undefined) throw new Error(`no benchmark is called ${name}`)
    const settings = JSON.parse(process.env.EDDY_BENCHMARK_SETTINGS ?? '{}') as BenchmarkSettings
    const others = new OtherWork()
    const results = await benchmark.run({ ...settings, say: (text) => void tell({ kind: 'say', text }) })
    await tell({ kind: 'finished', finished: { results, otherCores: others.cores() } })
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    await tell({ kind: 'failed', reason })
    process.exitCode = 1
  }
  process.disconnect?.()
}
