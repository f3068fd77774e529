import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KEYS } from './client-env.ts'

const EDDY = fileURLToPath(new URL('../../../packages/eddy/bin/eddy.js', import.meta.url))
const START_TIMEOUT_MS = 30_000

export interface Endpoint {
  /** For `--endpoint-url`. It stays the same over a crash. */
  readonly url: string
  /** Kills the process with signal 9 and starts another one on its data and its port. */
  crash(): Promise<void>
  /** Ends it as people do, and removes its data. @throws when it did not end well */
  stop(): Promise<void>
}

interface Process {
  readonly url: string
  readonly child: ChildProcess
  /** Its status or its signal. */
  readonly ended: Promise<number | string>
  readonly stderr: () => string
}

/** `eddy start` on free ports of this machine and an empty data directory; it checks what clients sign. */
export async function startEndpoint(...options: readonly string[]): Promise<Endpoint> {
  const dir = await mkdtemp(join(tmpdir(), 'eddy-endpoint-'))
  let current = await startProcess(dir, '0', options)
  const { url } = current
  return {
    url,
    async crash() {
      current.child.kill('SIGKILL')
      await current.ended
      current = await startProcess(dir, new URL(url).port, options)
    },
    async stop() {
      current.child.kill('SIGTERM')
      const status = await current.ended
      await rm(dir, { recursive: true, force: true })
      if (status !== 0) throw new Error(`eddy start ended with ${status}: ${current.stderr()}`)
    },
  }
}

async function startProcess(dir: string, awsPort: string, options: readonly string[]): Promise<Process> {
  const at = ['--data', join(dir, 'data'), '--port', '0', '--aws-port', awsPort]
  const args = [EDDY, 'start', ...at, '--json', '--log-level', 'warn', ...options]
  const child = spawn(process.execPath, args, {
    cwd: dir,
    env: {
      ...process.env,
      EDDY_AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      EDDY_AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part
  })
  const ended = new Promise<number | string>((resolve) =>
    child.once('exit', (status, signal) => resolve(status ?? signal ?? 'nothing')),
  )
  const line = new Promise<string>((resolve) =>
    createInterface({ input: child.stdout }).once('line', (text) => resolve(text)),
  )
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  const early = ended.then((status) => {
    throw new Error(`eddy start ended with ${status}: ${stderr}`)
  })
  const announced = await Promise.race([line, early]).finally(() => clearTimeout(timer))
  early.catch(() => {})
  const { awsUrl } = JSON.parse(announced) as { readonly awsUrl: string }
  return { url: awsUrl, child, ended, stderr: () => stderr }
}
