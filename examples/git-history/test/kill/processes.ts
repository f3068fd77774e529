import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Built: `npm test` and `npm run test:kill` build first. */
const EDDY = fileURLToPath(new URL('../../../../packages/eddy/bin/eddy.js', import.meta.url))
const TO_NDJSON = fileURLToPath(new URL('../../dist/to-ndjson.js', import.meta.url))

export interface Started {
  readonly child: ChildProcess
  readonly logFile: string
}

/** Runs `eddy …`; what it writes goes to a file. */
export function eddy(args: readonly string[], logFile: string, env: NodeJS.ProcessEnv = {}): Started {
  return start([EDDY, ...args], logFile, env)
}

/** Writes a repository's changes to a file. */
export async function writeChanges(repository: string, file: string, timeoutMs = 60_000): Promise<void> {
  await succeeded(start([TO_NDJSON, repository], file), timeoutMs)
}

function start(args: readonly string[], logFile: string, env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production', ...env },
  })
  const log = createWriteStream(logFile)
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  child.once('close', () => log.end())
  return { child, logFile }
}

/** Waits for the end with exit code 0. @throws Error with the end of its log */
export async function succeeded({ child, logFile }: Started, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  clearTimeout(timer)
  if (child.exitCode !== 0) {
    const how = child.signalCode ?? child.exitCode
    throw new Error(`${child.spawnargs.slice(1, 4).join(' ')} ended with ${how}:\n${tail(logFile)}`)
  }
}

/** Ends at once whatever the process does. */
export async function killed({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
}

/** Stops the process where it is, and waits until the system says that it stands. */
export async function suspend({ child }: Started): Promise<void> {
  child.kill('SIGSTOP')
  for (let i = 0; i < 1_000 && !isStopped(child.pid); i++) await sleep(1)
}

export function proceed({ child }: Started): void {
  child.kill('SIGCONT')
}

export async function untilReady(server: Started, url: string, timeoutMs: number): Promise<void> {
  await until(`${url}/readyz`, timeoutMs, async () => {
    if (server.child.exitCode !== null) throw new Error(`the server ended:\n${tail(server.logFile)}`)
    return fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
  })
}

/** @throws Error when the condition does not come true in time */
export async function until(
  what: string,
  timeoutMs: number,
  isTrue: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(20)
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')
}

function isStopped(pid: number | undefined): boolean {
  if (process.platform !== 'linux') return true
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
