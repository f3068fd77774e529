import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../peers/servers/server-process.ts'
import type { Benchmark } from '../support/benchmark.ts'
import { median } from '../support/statistics.ts'

const STARTS = 9
const LOOK_MS = 2
const GIVE_UP_MS = 30_000
/** For what a start leaves to do: compiled code, garbage of the modules. */
const IDLE_MS = 3_000

/**
 * `eddy start --aws-port` on an empty folder: from the spawn of the process to the first request that the endpoint
 * answers, and the anonymous memory of the process once it has been idle for a while. Each start is a new process.
 */
export const endpointStart: Benchmark = {
  name: 'endpoint-start',
  timeoutMs: 120_000,
  async run({ dir, say }) {
    const starts: number[] = []
    const memories: number[] = []
    for (let index = 0; index < STARTS; index += 1) {
      say(`start ${index + 1} of ${STARTS}`)
      const { startedMs, idleMiB } = await startOnce(join(dir, String(index)))
      starts.push(startedMs)
      memories.push(idleMiB)
    }
    const round = (values: readonly number[]) => values.map((value) => Math.round(value)).join(', ')
    return [
      {
        what: 'spawn to first answer',
        value: median(starts),
        unit: 'ms',
        target: { kind: 'at most', value: 500 },
        note: `${STARTS} starts: ${round(starts)}`,
        details: { starts },
      },
      {
        what: 'idle memory',
        value: median(memories),
        unit: 'MiB',
        target: { kind: 'at most', value: 120 },
        note: `anonymous, ${IDLE_MS / 1_000} s after the start: ${round(memories)}`,
        details: { memories },
      },
    ]
  },
}

async function startOnce(dir: string): Promise<{ startedMs: number; idleMiB: number }> {
  mkdirSync(dir, { recursive: true })
  const program = fileURLToPath(new URL('../bin/eddy.js', import.meta.resolve('eddy')))
  const ports = { http: await freePort(), aws: await freePort() }
  const args = [
    'start',
    '--data',
    join(dir, 'data'),
    '--port',
    String(ports.http),
    '--aws-port',
    String(ports.aws),
  ]
  const spawnedMs = performance.now()
  const child = spawn(process.execPath, [program, ...args, '--log-level', 'error'], {
    cwd: dir,
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  // At the latest with this process.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  try {
    await firstAnswer(child, ports.aws)
    const startedMs = performance.now() - spawnedMs
    await sleep(IDLE_MS)
    return { startedMs, idleMiB: anonymousMiBOf(child) }
  } finally {
    end()
    await ended
    process.off('exit', end)
    rmSync(dir, { recursive: true, force: true })
  }
}

async function firstAnswer(child: ChildProcess, port: number): Promise<void> {
  const giveUpAtMs = performance.now() + GIVE_UP_MS
  while (performance.now() < giveUpAtMs) {
    if (child.exitCode !== null) throw new Error(`eddy start ended with ${child.exitCode}`)
    if ((await statusOf(port)) === 200) return
    await sleep(LOOK_MS)
  }
  throw new Error(`the endpoint did not answer within ${GIVE_UP_MS} ms`)
}

/** Of ListStreams; undefined while nothing listens. */
function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Kinesis_20131202.ListStreams',
    }
    const asked = request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode))
    })
    asked.once('error', () => resolve(undefined))
    asked.end('{}')
  })
}

/** Of another process; NaN where the system does not tell (not Linux). */
function anonymousMiBOf({ pid }: ChildProcess): number {
  try {
    const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match === null ? Number.NaN : Number(match[1]) / 1_024
  } catch {
    return Number.NaN
  }
}
