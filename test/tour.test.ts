import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { textOf } from './support/repository.ts'
import { comparable, tourSteps, withOutputs } from './support/tour.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
/** Where the README keeps the tour's data; the test has a place of its own. */
const DATA_DIR = '.eddy/tour'
const PATIENCE_MS = 30_000

const directory = mkdtempSync(join(tmpdir(), 'eddy-tour-'))
let server: ChildProcess | undefined
let serverOutput = ''

afterAll(async () => {
  await stopServer('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

describe('The tour of the README', () => {
  it('shows the application it runs', () => {
    expect(textOf('README.md')).toContain(`\`\`\`ts\n${textOf('docs/tour/app.ts')}\`\`\``)
  })

  /** `UPDATE_TOUR=1 npx vitest run test/tour.test.ts` writes what the commands print into the README. */
  it('prints what the README says', { timeout: 180_000 }, async () => {
    const readme = textOf('README.md')
    const port = await freePort()
    const steps = tourSteps(readme)
    expect(steps.length).toBeGreaterThan(5)
    const outputs: string[] = []
    for (const { command, output } of steps) {
      outputs.push(await perform(command, output, port))
    }
    if (process.env.UPDATE_TOUR !== undefined)
      writeFileSync(join(ROOT, 'README.md'), withOutputs(readme, outputs))
    else expect(outputs.map(comparable)).toEqual(steps.map(({ output }) => comparable(output)))
  })
})

/** Runs one command as a reader would. What only shows a state is looked at until it is the state of the README. */
async function perform(command: string, expected: string, port: number): Promise<string> {
  if (command.startsWith('kill ')) return await stopServer(command.includes('-9') ? 'SIGKILL' : 'SIGTERM')
  const shown = (text: string) =>
    text
      .replaceAll(directory, DATA_DIR)
      .replaceAll(`:${port}`, ':4010')
      .replaceAll(' --url http://127.0.0.1:4010', '')
      .trimEnd()
  if (/ eddy start .* &$/.test(` ${command}`)) return shown(await startServer(command, port))
  const isLook = /\b(list|show|groups|tail)\b/.test(command)
  const until = performance.now() + (isLook ? PATIENCE_MS : 0)
  for (;;) {
    const output = shown(await run(command, port))
    if (comparable(output) === comparable(expected) || performance.now() > until) return output
    if (process.env.UPDATE_TOUR !== undefined && performance.now() > until - PATIENCE_MS + 4_000)
      return output
  }
}

function run(command: string, port: number): Promise<string> {
  const child = spawn('bash', ['-c', command], {
    cwd: ROOT,
    env: {
      ...process.env,
      NO_COLOR: '1',
      EDDY_URL: `http://127.0.0.1:${port}`,
      npm_config_loglevel: 'error',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', () => resolve(output))
  })
}

/** Starts `… &` and resolves with what it printed once it listens. */
async function startServer(command: string, port: number): Promise<string> {
  const here = command.replace(/ &$/, ` --port ${port}`).replace(DATA_DIR, directory)
  const child = spawn('bash', ['-c', here], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', npm_config_loglevel: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  server = child
  serverOutput = ''
  await new Promise<void>((resolve, reject) => {
    const onOutput = (chunk: Buffer): void => {
      serverOutput += chunk
      if (serverOutput.includes('failures list')) resolve()
    }
    child.stdout.on('data', onOutput)
    child.stderr.on('data', onOutput)
    child.on('close', () => reject(new Error(`the server ended: ${serverOutput}`)))
  })
  return serverOutput
}

/** Ends the server with everything it started, as `kill %1` does in a shell. */
async function stopServer(signal: 'SIGKILL' | 'SIGTERM'): Promise<string> {
  const child = server
  server = undefined
  if (child?.pid === undefined || child.exitCode !== null) return ''
  const closed = new Promise((resolve) => child.once('close', resolve))
  process.kill(-child.pid, signal)
  await closed
  return ''
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
