import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { treeCpuMs } from '../../support/process-cpu.ts'
import { Unavailable } from '../peer.ts'
import type { GuardOptions } from './server-guard.ts'

const READY_MS = 20_000
const LOG_TAIL_CHARACTERS = 400

/** A server on a loopback port. It ends with this process at the latest: its guard sees to that. */
export class ServerProcess {
  readonly port: number
  readonly #guard: ChildProcess
  readonly #ended: Promise<void>
  readonly #pid: number

  private constructor(guard: ChildProcess, ended: Promise<void>, pid: number, port: number) {
    this.#guard = guard
    this.#ended = ended
    this.#pid = pid
    this.port = port
  }

  /**
   * Resolves when it takes connections, and has printed `readyText` if that is given.
   *
   * @throws Unavailable with the end of what it printed when that does not come
   */
  static async start(port: number, options: GuardOptions, readyText = ''): Promise<ServerProcess> {
    const env = { ...process.env, EDDY_BENCHMARK_SCRIPT: JSON.stringify(options) }
    const guard = fork(fileURLToPath(new URL('server-guard.js', import.meta.url)), [], { env, execArgv: [] })
    let isOver = false
    const ended = new Promise<void>((resolve) => {
      guard.once('exit', () => {
        isOver = true
        resolve()
      })
    })
    const answer = await Promise.race([
      new Promise<{ readonly pid?: number; readonly failed?: string }>((resolve) => {
        guard.once('message', (message) => resolve(message as { readonly pid?: number }))
      }),
      ended.then(() => ({ failed: 'it ended at once', pid: undefined })),
    ])
    const untilMs = performance.now() + READY_MS
    while (answer.pid !== undefined && !isOver && performance.now() < untilMs) {
      if (textOf(options.logFile).includes(readyText) && (await takesConnections(port)))
        return new ServerProcess(guard, ended, answer.pid, port)
      await sleep(20)
    }
    if (guard.connected) guard.disconnect()
    await ended
    throw new Unavailable(
      `${options.program} does not start: ${answer.failed ?? 'it takes no connections'} ${textOf(options.logFile).trim().slice(-LOG_TAIL_CHARACTERS)}`,
    )
  }

  /** CPU milliseconds of all of its processes until now. */
  cpuMs(): number | undefined {
    return treeCpuMs(this.#pid)
  }

  /** Ends it, by its id. */
  async stop(): Promise<void> {
    if (this.#guard.connected) this.#guard.disconnect()
    await this.#ended
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (takes: boolean): void => {
      socket.destroy()
      resolve(takes)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

function textOf(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8')
  } catch {
    return ''
  }
}
