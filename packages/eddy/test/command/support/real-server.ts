import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The command as people start it: from the build. */
const EDDY: string = fileURLToPath(new URL('../../../bin/eddy.js', import.meta.url))

export interface RealProcess {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the exit code, or 128 and the signal's number. */
  readonly exited: Promise<number>
}

export function spawnEddy(
  argv: readonly string[],
  options: { cwd: string; url?: string; env?: Readonly<Record<string, string>> },
): RealProcess {
  const url = options.url === undefined ? {} : { EDDY_URL: options.url }
  const env = { ...process.env, ...url, ...options.env }
  const child = spawn(process.execPath, [EDDY, ...argv], { cwd: options.cwd, env, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => {
    stdout += part.toString('utf8')
  })
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString('utf8')
  })
  const exited = new Promise<number>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

/** Runs a command to its end. */
export async function eddy(
  argv: readonly string[],
  options: { cwd: string; url?: string; stdin?: string; env?: Readonly<Record<string, string>> },
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const running = spawnEddy(argv, options)
  running.child.stdin?.end(options.stdin ?? '')
  const exitCode = await running.exited
  return { exitCode, stdout: running.stdout(), stderr: running.stderr() }
}

export interface StartedEddy extends RealProcess {
  readonly url: string
  readonly port: number
}

/** Starts an application and resolves when it listens. */
export async function startEddy(argv: readonly string[], cwd: string): Promise<StartedEddy> {
  const running = spawnEddy(['start', ...argv, '--json', '--log-level', 'error'], { cwd })
  const hasEnded = () => running.child.exitCode !== null || running.child.signalCode !== null
  await until(() => running.stdout().includes('\n') || hasEnded())
  if (!running.stdout().includes('\n')) throw new Error(`eddy start ended: ${running.stderr()}`)
  const { url, port } = JSON.parse(running.stdout()) as { url: string; port: number }
  return { ...running, url, port }
}

/** Bounds what hangs; a busy machine may take long. */
const GIVE_UP_MS = 60_000

/** Looks until it is so, ever less often: looking costs the server and this process time that they could work in. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const startedMs = performance.now()
  while (!(await isSo())) {
    const waitedMs = performance.now() - startedMs
    if (waitedMs > GIVE_UP_MS) throw new Error(`it did not come true within ${GIVE_UP_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, 10 + waitedMs / 10)))
  }
}
