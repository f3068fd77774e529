import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../../eddy/bin/eddy.js', import.meta.url))
const START_MS = 60_000
const END_MS = 40_000
const MAX_TEXT = 200_000

export interface EddyProcess {
  readonly url: string
  readonly pid: number
  /** What it logged, the last part of it. */
  stderr(): string
  /** What it wrote to standard output, the last part of it: all of it once it has ended. */
  stdout(): string
  /** kill -9. */
  kill(): Promise<void>
  /** SIGTERM. @returns its exit status */
  stop(): Promise<number | null>
}

/** `eddy start …`, from what is built, until it listens. @throws Error with what it said, when it does not */
export async function startEddy(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<EddyProcess> {
  const child = spawn(process.execPath, [COMMAND, 'start', ...argv, '--port', '0', '--json'], {
    env: { ...process.env, ...env, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-MAX_TEXT)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-MAX_TEXT)
  })
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    // Not `exit`: what it wrote last may still be on its way.
    const exit = once(child, 'close', { signal: AbortSignal.timeout(END_MS) })
    child.kill(signal)
    const [code] = (await exit) as [number | null]
    return code
  }
  try {
    const url = await urlOf(child, () => errors)
    return {
      url,
      pid: child.pid as number,
      stderr: () => errors,
      stdout: () => output,
      kill: async () => void (await end('SIGKILL')),
      stop: () => end('SIGTERM'),
    }
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
}

function urlOf(child: ChildProcess, errors: () => string): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(
      () => reject(new Error(`eddy does not listen within ${START_MS} ms: ${errors()}`)),
      START_MS,
    )
    child.stdout?.on('data', (chunk: Buffer) => {
      if (said.includes('\n')) return
      said += chunk.toString()
      // Metrics may follow.
      const [first = '', ...rest] = said.split('\n')
      if (rest.length === 0) return
      clearTimeout(giveUp)
      resolve((JSON.parse(first) as { url: string }).url)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(giveUp)
      reject(new Error(`eddy ended with ${code ?? signal}: ${errors()}`))
    })
  })
}
